//! The last step of a handshake: a session on the connection, and the 101.

use std::{net::SocketAddr, rc::Rc, sync::Arc};

use actix_http::body::BodyStream;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};
use log::{debug, warn};

use super::{
    client::{ClientAddr, IgnoredHeader, Resolved},
    description::{Described, describe},
    negotiate::negotiate,
    redaction::redact_path,
    refusal::Refusal,
    requested::{add_fields, delay_or_refuse},
    response_head::ResponseHead,
    start::HandshakeResult,
    validate::{Policy, RequestParts, validate},
    watch_event::{ConnectionLimits, HandshakeEvent},
};
use crate::{
    admission::{Admission, ConnectionPermit},
    config::Config,
    protocol::Limits,
    session::{
        GluedHead, Opened, SessionContext, SessionDetails,
        behaviour::{Behaviour, BrokenHandshake, ExtraFields, InvalidParam, WatchKey},
        clock::now_ms,
        watch::{HandshakePublisher, WatchHub, WatchedConnection},
    },
    transport::{BodyPipe, Carrier, Socket, Upgraded},
};

/// Opens the sessions of one worker thread.
#[derive(Debug)]
pub(crate) struct Handshake {
    pub(crate) config: Arc<Config>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) watch: Arc<WatchHub>,
    pub(crate) context: Rc<SessionContext>,
}

impl Handshake {
    /// Opens an echo session, or counts, logs and returns the refusal.
    pub(crate) async fn open(
        &self,
        request: HttpRequest,
        payload: web::Payload,
    ) -> Result<HttpResponse, Refusal> {
        let Some(peer) = request.peer_addr() else {
            return Err(Refusal::NoPeer);
        };
        let Resolved { client, ignored } =
            ClientAddr::resolve(peer, request.headers(), &self.config.trusted_proxy);
        if let Some(IgnoredHeader { header, reason }) = ignored {
            warn!(peer:%, header, reason; "forwarding header ignored");
        }
        let mut fields = ExtraFields::default();
        let response = self.accept(&request, payload, peer, &client, &mut fields).await;
        let mut response = response.unwrap_or_else(|refusal| {
            let counters = &self.context.counters;
            counters.count(|counters| &counters.refused[refusal.metric_reason().index()]);
            if let Some(limit) = refusal.limit() {
                counters.count(|counters| &counters.limits[limit.index()]);
            }
            debug!(
                peer:%, client = client.client_for_log(peer).as_deref(), path = redact_path(request.path()), reason:% = refusal;
                "handshake refused"
            );
            refusal.error_response()
        });
        add_fields(response.headers_mut(), &fields);
        Ok(response)
    }

    /// Validates, negotiates and opens. Stores the fields of `set-header` in `fields` once the query is valid,
    /// because a refusal gets them too.
    async fn accept(
        &self,
        request: &HttpRequest,
        payload: web::Payload,
        peer: SocketAddr,
        client: &ClientAddr,
        fields: &mut ExtraFields,
    ) -> Result<HttpResponse, Refusal> {
        self.admission.take_handshake(client.address)?;
        let parts = RequestParts {
            method: request.method(),
            version: request.version(),
            headers: request.headers(),
        };
        let policy = Policy {
            allow_origin: &self.config.allow_origin,
        };
        let valid = validate(parts, policy)?;
        let mut behaviour = self.behaviour(request.query_string())?;
        *fields = std::mem::take(&mut behaviour.set_header);
        let connection = request.conn_data::<Rc<ConnectionPermit>>();
        let permit = self
            .admission
            .admit_session(client.address, connection.map(Rc::as_ref))?;
        let socket = request.conn_data::<Rc<Socket>>().cloned();
        delay_or_refuse(&behaviour, request, &self.admission, socket.as_deref()).await?;

        let negotiated = negotiate(&valid, &behaviour, self.config.compress.is_on());
        let limits = Limits {
            message_size: behaviour
                .max_message_size
                .unwrap_or(self.config.max_message_size.limit()),
            fragments: self.config.max_fragments.limit(),
        };
        let mut response = negotiated.response(permit.id());
        let described = Described {
            id: permit.id(),
            peer,
            client,
            path: request.path(),
            query: request.query_string(),
            headers: request.headers(),
            head: &head_if_shown(&behaviour, socket.as_deref()),
            request: &valid,
            negotiated: &negotiated,
            tls: socket.as_deref().and_then(Socket::tls),
        };
        let description = behaviour
            .describes_connection()
            .then(|| describe(described))
            .flatten();
        let watched = behaviour
            .watch
            .as_ref()
            .map(|key| self.watched(key, &behaviour, limits, described));
        let (watched, event) = watched.unzip();
        let is_glued = behaviour.handshake == Some(BrokenHandshake::Glued) && socket.is_some();
        let glued = is_glued.then(GluedHead::default);
        let head = ResponseHead {
            connection: permit.id(),
            broken: behaviour.handshake,
            offered: valid
                .offered_subprotocols
                .iter()
                .map(|&name| name.to_owned())
                .collect(),
            glued: glued.clone(),
            watched: event,
        };
        head.expect(socket.as_deref());
        let opened = Opened {
            peer,
            client: client.client_for_log(peer),
            path: redact_path(request.path()),
            subprotocol: negotiated.subprotocol.clone(),
            compressed: negotiated.deflate.is_some(),
        };
        let details = SessionDetails {
            watched,
            permit,
            opened: Some(Box::new(opened)),
        };
        let result = HandshakeResult {
            behaviour,
            limits,
            description,
            glued,
            details,
            deflate: negotiated.deflate,
            payload: payload.into_inner(),
        };
        Ok(match socket {
            Some(socket) => {
                let carrier = Carrier::Socket(Rc::clone(&socket));
                let task = result.into_task(&self.context, &self.admission, carrier);
                response.body(BodyStream::new(Upgraded::new(task, socket)))
            }
            // Without a `Socket`, as in actix's test server, the bodies of the HTTP request and response
            // carry the frames.
            None => {
                let (pipe, body) = BodyPipe::new();
                let task = result.into_task(&self.context, &self.admission, Carrier::Body(pipe));
                actix_web::rt::spawn(task);
                response.body(BodyStream::new(body))
            }
        })
    }

    /// Parses the behaviours of the query. With `--behaviours off` the query has no effect.
    fn behaviour(&self, query: &str) -> Result<Behaviour, InvalidParam> {
        if !self.config.behaviours.is_on() {
            return Ok(Behaviour::default());
        }
        Behaviour::from_query(query, self.config.max_message_size.limit(), |key| {
            debug!(key; "unknown query key ignored");
        })
    }

    /// Adds the connection to those of its watch key. Returns its `handshake` event too, which is
    /// published when the response is written.
    fn watched(
        &self,
        key: &WatchKey,
        behaviour: &Behaviour,
        limits: Limits,
        connection: Described<'_>,
    ) -> (WatchedConnection, (HandshakePublisher, HandshakeEvent)) {
        let watched = self.watch.add_connection(key, connection.id);
        let publisher = watched.handshake_publisher();
        let SessionContext {
            max_messages_per_second,
            ping_interval,
            idle_timeout,
            stall_timeout,
            ..
        } = *self.context;
        let limits = ConnectionLimits::new(
            limits,
            max_messages_per_second,
            behaviour.ping.unwrap_or(ping_interval),
            idle_timeout,
            stall_timeout,
        );
        let event = HandshakeEvent::new(connection, limits, now_ms());
        (watched, (publisher, event))
    }
}

/// Returns the bytes of the request's header section if a reply or a watcher shows them, else nothing.
fn head_if_shown(behaviour: &Behaviour, socket: Option<&Socket>) -> Vec<u8> {
    let shown = behaviour.describes_connection() || behaviour.watch.is_some();
    socket
        .filter(|_| shown)
        .map(Socket::take_head)
        .unwrap_or_default()
}
