//! A request to `101 Switching Protocols` and a running actor, or to a refusal that says what to mend (RFC 6455 section 4.2).

use std::{net::SocketAddr, rc::Rc, time::Instant};

use actix_http::{
    body::{BodyStream, BoxBody},
    ws::Codec,
};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError,
    guard::GuardContext,
    http::{
        Method, StatusCode, Version,
        header::{self, HeaderMap, HeaderName},
    },
    web,
};
use actix_web_actors::ws::{self, WebsocketContext};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_core::Stream;
use log::debug;
use serde::Serialize;
use thiserror::Error;

use super::{
    EchoSession, Ends, Opening,
    behaviour::{BadValue, Behaviour, Subprotocol},
    client::Client,
    connection, now_ms,
    registry::NoRoom,
    reply::ReplyMode,
    throttle::TooFast,
    watch,
};
use crate::{
    metrics::{Limit, Reason, Worker},
    state::State,
    wire::{
        Inbound, Limits, Outbound, Outlet, Shape, Socket, Source, Takeover,
        deflate::Deflate,
        tap::{FactsQueue, Observer, Tap},
    },
};

/// The subprotocol that is chosen wherever it is offered.
const PREFERRED_SUBPROTOCOL: &str = "com.kaazing.echo";

/// The connection's number, the same in the log and in a JSON reply: what a client can quote to the operator.
const CONNECTION_ID: &str = "x-connection-id";

/// Whether a request means to open a WebSocket, well made or not: what looks like a handshake that lost a part on its
/// way is told so, where a page would only puzzle.
pub(crate) fn is_meant(ctx: &GuardContext<'_>) -> bool {
    let headers = ctx.head().headers();
    tokens(headers, &header::UPGRADE).any(|token| token.eq_ignore_ascii_case("websocket"))
        || headers.contains_key(header::SEC_WEBSOCKET_KEY)
        || headers.contains_key(header::SEC_WEBSOCKET_VERSION)
}

/// Opens an echo session, or says why not.
pub(crate) async fn open(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
    worker: Worker,
) -> Result<HttpResponse, Refusal> {
    let Some(peer) = request.peer_addr() else {
        return Err(Refusal::NoPeer);
    };
    let client = Client::behind(peer, request.headers(), &state.config.trusted_proxy);
    let told = client.other_than(peer);
    accept(&request, payload, state, worker.clone(), peer, &client)
        .await
        .inspect_err(|refusal| {
            worker.count(|counters| &counters.refused[refusal.counted_as().index()]);
            if let Some(limit) = refusal.limit() {
                worker.count(|counters| &counters.limits[limit.index()]);
            }
            debug!(
                peer:%, client = told.as_deref(), path = loggable(request.path()), reason:% = refusal;
                "handshake refused"
            );
        })
}

async fn accept(
    request: &HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
    worker: Worker,
    peer: SocketAddr,
    client: &Client,
) -> Result<HttpResponse, Refusal> {
    state.handshakes.take(client.address, Instant::now())?;
    check(request)?;
    let headers = request.headers();
    check_origin(headers, &state)?;
    let offered = offered_subprotocols(headers)?;
    let behaviour = if state.config.behaviours.is_on() {
        Behaviour::from_query(
            request.query_string(),
            state.config.max_message_size.limit(),
            |key| {
                debug!(key; "a query key that means nothing here");
            },
        )?
    } else {
        Behaviour::default()
    };
    let admission = state.registry.admit(client.address)?;

    if let Some(delay) = behaviour.handshake_delay {
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = state.registry.stopping() => return Err(Refusal::Draining),
        }
    }
    if let Some(status) = behaviour.handshake_status {
        let location = without_key(request, "handshake-status");
        return Err(Refusal::Asked { status, location });
    }

    let deflate = if state.config.compress.is_on() && !behaviour.no_compression {
        Deflate::negotiate(lines(headers, &header::SEC_WEBSOCKET_EXTENSIONS))
    } else {
        None
    };
    let subprotocol = match &behaviour.subprotocol {
        Some(Subprotocol::None) => None,
        Some(Subprotocol::Named(name)) => Some(name.clone()),
        None => choose_subprotocol(&offered),
    };
    // All that it checks has been checked, more strictly; it makes the answer.
    let mut response = ws::handshake(request).map_err(|_| Refusal::NotUpgrade)?;
    response.insert_header((CONNECTION_ID, admission.id()));
    if let Some(subprotocol) = &subprotocol {
        response.insert_header((header::SEC_WEBSOCKET_PROTOCOL, subprotocol.as_str()));
    }
    if let Some(deflate) = &deflate {
        response.insert_header((header::SEC_WEBSOCKET_EXTENSIONS, deflate.to_string()));
    }

    let now = Instant::now();
    let limits = Limits {
        message_size: behaviour
            .max_message_size
            .unwrap_or(state.config.max_message_size.limit()),
        fragments: state.config.max_fragments.limit(),
    };
    let socket = request.conn_data::<Rc<Socket>>().cloned();
    let connection = (behaviour.reply == ReplyMode::Json)
        .then(|| {
            connection::describe(
                request,
                socket.as_deref(),
                admission.id(),
                peer,
                client,
                subprotocol.as_deref(),
                deflate.as_ref(),
            )
        })
        .flatten();
    let shown = behaviour.watch.as_ref().map(|key| {
        state.watch.show(
            key,
            &watch::Handshake {
                connection: admission.id(),
                at: now_ms(),
                peer: peer.to_string(),
                path: request.path(),
                subprotocol: subprotocol.as_deref(),
                extensions: deflate.as_ref().map(ToString::to_string),
            },
        )
    });
    let tap = shown.as_ref().map(|shown| {
        let teller = shown.frame_teller();
        Tap::new(move |seen| teller.tell(seen, now_ms()))
    });
    let facts = connection.is_some().then(FactsQueue::default);
    let observer = Observer {
        tap: tap.clone(),
        facts: facts.clone(),
        worker: Some(worker.clone()),
    };
    let (inbound, link) = Inbound::new(
        Source::new(payload, socket.clone()),
        limits,
        deflate.as_ref().map(Deflate::inflater),
        observer,
        now,
    );
    let shape = (deflate.is_some() || behaviour.touches_the_wire()).then(|| Shape {
        deflater: deflate.as_ref().map(Deflate::deflater),
        fragment: behaviour.fragment,
        rate: behaviour.rate,
        tap,
        worker: Some(worker.clone()),
    });
    let outlet = Rc::new(Outlet::default());
    let opening = Opening {
        admission,
        peer,
        client: client.other_than(peer),
        path: loggable(request.path()),
        subprotocol,
        compressed: deflate.is_some(),
        behaviour,
        facts,
        connection,
        shown,
    };
    let ends = Ends {
        link,
        outlet: Rc::clone(&outlet),
        socket: socket.clone(),
    };
    let session = EchoSession::new(state, worker, opening, ends, now);
    let frames = WebsocketContext::with_codec(session, inbound, Codec::new().max_size(limits.message_size));
    Ok(match shape {
        None => respond(&mut response, frames, socket),
        Some(shape) => respond(&mut response, Outbound::new(frames, shape, outlet), socket),
    })
}

/// The 101, and what follows it. On a socket that is not ours, as under actix's test server, that stays HTTP's.
fn respond<B, E>(response: &mut HttpResponseBuilder, frames: B, socket: Option<Rc<Socket>>) -> HttpResponse
where
    B: Stream<Item = Result<Bytes, E>> + 'static,
    E: Into<Box<dyn std::error::Error>> + 'static,
{
    match socket {
        None => response.body(BodyStream::new(frames)),
        Some(socket) => response.body(BodyStream::new(Takeover::new(frames, socket))),
    }
}

/// A path as the log may have it: what follows /watch/ is a secret, even where it was mistaken for a place to connect.
fn loggable(path: &str) -> String {
    match path.split_once("/watch/") {
        Some((before, _)) => format!("{before}/watch/…"),
        None => path.to_owned(),
    }
}

/// The request's own path and query without a key, for a redirect that leads somewhere.
fn without_key(request: &HttpRequest, unwanted: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (key, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
        if key != unwanted {
            query.append_pair(&key, &value);
        }
    }
    let query = query.finish();
    if query.is_empty() {
        request.uri().path().to_owned()
    } else {
        format!("{}?{query}", request.uri().path())
    }
}

/// Checks what RFC 6455 section 4.2.1 asks of a request.
fn check(request: &HttpRequest) -> Result<(), Refusal> {
    let headers = request.headers();
    if request.method() != Method::GET {
        return Err(Refusal::Method);
    }
    if request.version() != Version::HTTP_11 {
        return Err(Refusal::HttpVersion);
    }
    if !headers.contains_key(header::HOST) {
        return Err(Refusal::Host);
    }
    if !tokens(headers, &header::UPGRADE).any(|token| token.eq_ignore_ascii_case("websocket")) {
        return Err(Refusal::NotUpgrade);
    }
    if !tokens(headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade")) {
        return Err(Refusal::NotConnectionUpgrade);
    }
    // The two below are legal and never sent by a client that means it; actix-http gives such a request no stream to
    // read frames from, and an answer of 101 would open a session that is deaf.
    if tokens(headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case("close")) {
        return Err(Refusal::ConnectionClose);
    }
    if tokens(headers, &header::UPGRADE).count() > 1 {
        return Err(Refusal::OtherUpgrades);
    }
    if headers.contains_key(header::TRANSFER_ENCODING)
        || lines(headers, &header::CONTENT_LENGTH).any(|length| length.trim() != "0")
    {
        return Err(Refusal::Body);
    }
    let mut versions = headers.get_all(header::SEC_WEBSOCKET_VERSION);
    if versions.next().is_none_or(|version| version != "13") || versions.next().is_some() {
        return Err(Refusal::Version);
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY);
    let key = keys.next().ok_or(Refusal::Key)?;
    if keys.next().is_some() {
        return Err(Refusal::SeveralKeys);
    }
    match STANDARD.decode(key.as_bytes()) {
        Ok(key) if key.len() == 16 => Ok(()),
        _ => Err(Refusal::Key),
    }
}

/// RFC 6455 section 10.2: the origin tells which site's script connects. What is no browser need not send one, and
/// could send any: the list keeps strange pages out, not strange programs.
fn check_origin(headers: &HeaderMap, state: &State) -> Result<(), Refusal> {
    let allowed = &state.config.allow_origin;
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().unwrap_or_default();
    if allowed.is_empty() || allowed.iter().any(|allowed| allowed.matches(origin)) {
        Ok(())
    } else {
        Err(Refusal::Origin)
    }
}

/// The subprotocols offered, over all lines, in the client's order.
fn offered_subprotocols(headers: &HeaderMap) -> Result<Vec<&str>, Refusal> {
    let mut offered: Vec<&str> = Vec::new();
    for line in headers.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
        for name in line
            .to_str()
            .map_err(|_| Refusal::Subprotocol)?
            .split(',')
            .map(str::trim)
        {
            // RFC 6455 section 4.1: non-empty tokens, "and MUST all be unique strings".
            if name.is_empty() || !name.bytes().all(is_token) || offered.contains(&name) {
                return Err(Refusal::Subprotocol);
            }
            offered.push(name);
        }
    }
    Ok(offered)
}

/// Ours where it is offered, else the first: a browser fails a connection whose offer is not answered.
fn choose_subprotocol(offered: &[&str]) -> Option<String> {
    let chosen = offered
        .iter()
        .find(|name| **name == PREFERRED_SUBPROTOCOL)
        .or(offered.first());
    chosen.map(|name| (*name).to_owned())
}

/// A token's characters (RFC 9110 section 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The lines of a header that are text.
pub(super) fn lines<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    headers.get_all(name).filter_map(|line| line.to_str().ok())
}

/// The elements of a header that is a list, over all its lines.
pub(super) fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    lines(headers, name)
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

/// Why a handshake was refused.
#[derive(Debug, Error)]
pub(crate) enum Refusal {
    #[error("a WebSocket handshake is a GET request")]
    Method,
    #[error("a WebSocket handshake is an HTTP/1.1 request")]
    HttpVersion,
    #[error("no Host header")]
    Host,
    #[error("no Upgrade: websocket header")]
    NotUpgrade,
    #[error("no Connection: Upgrade header")]
    NotConnectionUpgrade,
    #[error("the Connection header says close as well as Upgrade")]
    ConnectionClose,
    #[error("the Upgrade header asks for more than websocket")]
    OtherUpgrades,
    #[error("a WebSocket handshake has no body")]
    Body,
    #[error("Sec-WebSocket-Version is not 13")]
    Version,
    #[error("Sec-WebSocket-Key is not 16 bytes in base64")]
    Key,
    #[error("more than one Sec-WebSocket-Key")]
    SeveralKeys,
    #[error("Sec-WebSocket-Protocol is not a list of unique tokens")]
    Subprotocol,
    #[error("this origin may not connect")]
    Origin,
    #[error(transparent)]
    Behaviour(#[from] BadValue),
    #[error("the server is shutting down")]
    Draining,
    #[error("{0} connections are open, as many as ws-echo takes here")]
    Full(usize),
    #[error("{0} connections are open from your address, as many as ws-echo takes here")]
    AddressFull(usize),
    #[error("{} has had {} handshakes within a second, as many as ws-echo takes here", .0.address, .0.rate)]
    TooFast(TooFast),
    #[error("the peer has no address")]
    NoPeer,
    #[error("the URL asks for status {status}")]
    Asked { status: u16, location: String },
}

impl From<NoRoom> for Refusal {
    fn from(no_room: NoRoom) -> Self {
        match no_room {
            NoRoom::Draining => Self::Draining,
            NoRoom::Full(cap) => Self::Full(cap),
            NoRoom::AddressFull(cap) => Self::AddressFull(cap),
        }
    }
}

impl From<TooFast> for Refusal {
    fn from(too_fast: TooFast) -> Self {
        Self::TooFast(too_fast)
    }
}

impl Refusal {
    fn counted_as(&self) -> Reason {
        match self {
            Self::Method => Reason::Method,
            Self::HttpVersion => Reason::HttpVersion,
            Self::Host => Reason::Host,
            Self::NotUpgrade | Self::OtherUpgrades => Reason::Upgrade,
            Self::NotConnectionUpgrade | Self::ConnectionClose | Self::NoPeer => Reason::Connection,
            Self::Body => Reason::Body,
            Self::Version => Reason::Version,
            Self::Key | Self::SeveralKeys => Reason::Key,
            Self::Subprotocol => Reason::Subprotocol,
            Self::Origin => Reason::Origin,
            Self::Behaviour(_) => Reason::Behaviour,
            Self::Draining => Reason::ShuttingDown,
            Self::Full(_) => Reason::MaxConnections,
            Self::AddressFull(_) => Reason::MaxConnectionsPerIp,
            Self::TooFast(_) => Reason::MaxHandshakesPerSecond,
            Self::Asked { .. } => Reason::Asked,
        }
    }

    /// The limit that was hit.
    fn limit(&self) -> Option<Limit> {
        match self {
            Self::Full(_) => Some(Limit::MaxConnections),
            Self::AddressFull(_) => Some(Limit::MaxConnectionsPerIp),
            Self::TooFast(_) => Some(Limit::MaxHandshakesPerSecond),
            _ => None,
        }
    }

    fn hint(&self) -> &str {
        match self {
            Self::Method => "send GET; a page's new WebSocket(url) does",
            Self::HttpVersion => "send HTTP/1.1; a proxy in between may have changed it",
            Self::Host => "send Host (RFC 9112 section 3.2)",
            Self::NotUpgrade => {
                "send Upgrade: websocket; a proxy drops it unless it is told to pass it on (RFC 9110 section 7.6.1)"
            }
            Self::NotConnectionUpgrade => {
                "send Connection: Upgrade; a proxy drops it unless it is told to pass it on (RFC 9110 section 7.6.1)"
            }
            Self::ConnectionClose => {
                "leave close out; the server closes the connection when the session has ended"
            }
            Self::OtherUpgrades => "send Upgrade: websocket and nothing else in it",
            Self::Body => "leave Content-Length and Transfer-Encoding out",
            Self::Version => "send Sec-WebSocket-Version: 13, once (RFC 6455 section 4.1)",
            Self::Key => "send 16 random bytes in base64, 24 characters (RFC 6455 section 4.1)",
            Self::SeveralKeys => "send Sec-WebSocket-Key once (RFC 6455 section 11.3.1)",
            Self::Subprotocol => {
                "send names of letters, digits and !#$%&'*+-.^_`|~, each once, with commas between"
            }
            Self::Origin => "the operator lists the origins that may: --allow-origin",
            Self::Behaviour(bad) => &bad.allowed,
            Self::Draining => "try again later; Retry-After says when",
            Self::Full(_) => "try again later; Retry-After says when. The operator sets --max-connections",
            Self::AddressFull(_) => {
                "try again later; Retry-After says when. The operator sets --max-connections-per-ip"
            }
            Self::TooFast(_) => {
                "wait a second between two tries. The operator sets --max-handshakes-per-second"
            }
            Self::NoPeer => "connect over TCP",
            Self::Asked { .. } => "leave handshake-status out to be let in",
        }
    }
}

/// Seconds that a refused client is asked to wait.
const RETRY_AFTER: &str = "5";

/// The JSON of every refusal.
#[derive(Serialize)]
pub(crate) struct Explanation<'t> {
    /// What was wrong.
    pub(crate) error: &'t str,
    /// What to do instead.
    pub(crate) hint: &'t str,
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Origin => StatusCode::FORBIDDEN,
            // Any number from 300 to 599 is a status, known or not.
            Self::Asked { status, .. } => StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST),
            Self::Draining | Self::Full(_) | Self::AddressFull(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooFast(_) => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let status = self.status_code();
        let mut response = HttpResponseBuilder::new(status);
        match status {
            StatusCode::METHOD_NOT_ALLOWED => {
                response.insert_header((header::ALLOW, "GET"));
            }
            StatusCode::UPGRADE_REQUIRED => {
                response.insert_header((header::SEC_WEBSOCKET_VERSION, "13"));
            }
            StatusCode::UNAUTHORIZED => {
                response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"ws-echo\""));
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                let wait = if matches!(self, Self::TooFast(_)) {
                    "1"
                } else {
                    RETRY_AFTER
                };
                response.insert_header((header::RETRY_AFTER, wait));
            }
            _ => {}
        }
        if let Self::Asked { location, .. } = self
            && status.is_redirection()
        {
            response.insert_header((header::LOCATION, location.as_str()));
        }
        response.json(Explanation {
            error: &self.to_string(),
            hint: self.hint(),
        })
    }
}
