//! A request to `101 Switching Protocols` and a running actor, or to a refusal that says what to mend (RFC 6455 section 4.2).

use std::{net::SocketAddr, rc::Rc, time::Instant};

use actix::Context;
use actix_http::body::BodyStream;
use actix_web::{
    HttpRequest, HttpResponse,
    guard::GuardContext,
    http::{
        Method, Version,
        header::{self, HeaderMap, HeaderName},
    },
    web,
};
use actix_web_actors::ws;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use log::debug;

use super::{
    EchoSession, Manner, Opening, Wire,
    behaviour::{Behaviour, Subprotocol},
    client::Client,
    connection,
    impairment::Impairer,
    now_ms,
    refusal::Refusal,
    reply::ReplyMode,
    watch,
};
use crate::{
    metrics::Worker,
    state::State,
    wire::{
        Inbound, Limits, Outbound, SessionBody, Shape, Socket, Source, Takeover,
        deflate::Deflate,
        tap::{Observer, Tap},
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

    let deflate = if state.config.compress.is_on() && behaviour.compress {
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
        Tap::new(move |passing| teller.tell(passing, now_ms()))
    });
    let observer = Observer {
        tap: tap.clone(),
        worker: Some(worker.clone()),
    };
    let inbound = Inbound::new(
        Source::new(payload, socket.clone()),
        limits,
        deflate.as_ref().map(Deflate::inflater),
        observer,
        now,
    );
    let shape = Shape {
        deflater: deflate.as_ref().map(Deflate::deflater),
        fragment: behaviour.fragment,
        rate: behaviour.rate,
        tap,
    };
    let outbound = Rc::new(Outbound::new(shape, Some(worker.clone())));
    let impairer = Impairer::new(behaviour.impairment);
    let opening = Opening {
        admission,
        peer,
        client: client.other_than(peer),
        path: loggable(request.path()),
        subprotocol,
        compressed: deflate.is_some(),
        shown,
    };
    let wire = Wire {
        inbound,
        outbound: Rc::clone(&outbound),
        socket: socket.clone(),
    };
    let session = Context::new().into_future(EchoSession::new(
        state,
        worker,
        opening,
        Manner::new(behaviour, connection),
        impairer,
        wire,
        now,
    ));
    Ok(match socket {
        // On a socket that is not ours, as under actix's test server, HTTP keeps it.
        None => response.body(BodyStream::new(SessionBody::new(session, outbound))),
        Some(socket) => response.body(BodyStream::new(Takeover::new(session, outbound, socket))),
    })
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
