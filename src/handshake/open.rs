//! The last step of a handshake: a session on the connection, and the 101.

use std::{net::SocketAddr, rc::Rc, sync::Arc, time::Instant};

use actix::Context;
use actix_http::body::BodyStream;
use actix_web::{HttpRequest, HttpResponse, dev::Payload, web};
use log::{debug, warn};
use serde_json::value::RawValue;

use super::{
    client::{ClientAddr, IgnoredHeader, Resolved},
    description::{Described, describe},
    negotiate::negotiate,
    redaction::redact_path,
    redirect::without_key,
    refusal::Refusal,
    validate::{Policy, RequestParts, validate},
    watch_event::{ConnectionLimits, HandshakeEvent},
};
use crate::{
    admission::{Admission, AdmissionError, ConnectionPermit},
    config::Config,
    protocol::{Encoder, EncoderOptions, Limits, Server, deflate::Deflate},
    session::{
        EchoSession, FrameIo, Inbound, Opened, Outbound, Session, SessionContext, SessionDetails,
        SessionMemory, SessionObserver, SessionOptions,
        behaviour::{Behaviour, InvalidParam, WatchKey},
        clock::now_ms,
        reply::ReplyMode,
        watch::{WatchHub, WatchedConnection},
    },
    transport::{BodyPipe, ByteSource, Carrier, SessionTask, Socket, Upgraded},
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
        self.accept(&request, payload, peer, &client)
            .await
            .inspect_err(|refusal| {
                let counters = &self.context.counters;
                counters.count(|counters| &counters.refused[refusal.metric_reason().index()]);
                if let Some(limit) = refusal.limit() {
                    counters.count(|counters| &counters.limits[limit.index()]);
                }
                debug!(
                    peer:%, client = client.client_for_log(peer).as_deref(), path = redact_path(request.path()), reason:% = refusal;
                    "handshake refused"
                );
            })
    }

    /// Validates, negotiates and opens.
    async fn accept(
        &self,
        request: &HttpRequest,
        payload: web::Payload,
        peer: SocketAddr,
        client: &ClientAddr,
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
        let behaviour = self.behaviour(request.query_string())?;
        let connection = request.conn_data::<Rc<ConnectionPermit>>();
        let permit = self
            .admission
            .admit_session(client.address, connection.map(Rc::as_ref))?;
        let socket = request.conn_data::<Rc<Socket>>().cloned();
        self.delay_or_refuse(&behaviour, request, socket.as_deref())
            .await?;

        let negotiated = negotiate(&valid, &behaviour, self.config.compress.is_on());
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
        let description = (behaviour.reply == ReplyMode::Json)
            .then(|| describe(described))
            .flatten();
        let watched = behaviour
            .watch
            .as_ref()
            .map(|key| self.watched(key, &behaviour, described, socket.as_deref()));
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
            description,
            details,
            deflate: negotiated.deflate,
            payload: payload.into_inner(),
        };
        Ok(match socket {
            Some(socket) => {
                let task = self.session_task(result, Carrier::Socket(Rc::clone(&socket)));
                response.body(BodyStream::new(Upgraded::new(task, socket)))
            }
            // Without a `Socket`, as in actix's test server, the bodies of the HTTP request and response
            // carry the frames.
            None => {
                let (pipe, body) = BodyPipe::new();
                actix_web::rt::spawn(self.session_task(result, Carrier::Body(pipe)));
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

    /// Runs `handshake-delay` and `handshake-status`. If the client disconnects during the delay, its place
    /// is free at once.
    async fn delay_or_refuse(
        &self,
        behaviour: &Behaviour,
        request: &HttpRequest,
        socket: Option<&Socket>,
    ) -> Result<(), Refusal> {
        if let Some(delay) = behaviour.handshake_delay {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = self.admission.stopping() => return Err(AdmissionError::Draining.into()),
                () = disconnected(socket) => return Err(Refusal::Disconnected),
            }
        }
        match behaviour.handshake_status {
            Some(status) => Err(Refusal::RequestedStatus {
                status,
                location: without_key(request.path(), request.query_string(), "handshake-status"),
            }),
            None => Ok(()),
        }
    }

    /// Adds the connection to those of its watch key. Its `handshake` event is published when the response is
    /// written.
    fn watched(
        &self,
        key: &WatchKey,
        behaviour: &Behaviour,
        connection: Described<'_>,
        socket: Option<&Socket>,
    ) -> WatchedConnection {
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
            self.limits(behaviour),
            max_messages_per_second,
            ping_interval,
            idle_timeout,
            stall_timeout,
        );
        let event = HandshakeEvent::new(connection, limits, now_ms());
        match socket {
            Some(socket) => {
                socket.on_response_head(move |head| publisher.publish(&event.with_response(head)));
            }
            None => publisher.publish(&event),
        }
        watched
    }

    /// Returns the limits of a message.
    fn limits(&self, behaviour: &Behaviour) -> Limits {
        Limits {
            message_size: behaviour
                .max_message_size
                .unwrap_or(self.config.max_message_size.limit()),
            fragments: self.config.max_fragments.limit(),
        }
    }

    /// Creates the session's actor, and the task that runs it on `carrier`.
    fn session_task(&self, result: HandshakeResult, carrier: Carrier) -> impl Future<Output = ()> + use<> {
        let HandshakeResult {
            behaviour,
            description,
            details,
            deflate,
            payload,
        } = result;
        let now = Instant::now();
        let publisher = details.watched.as_ref().map(WatchedConnection::frame_publisher);
        let observer = SessionObserver::new(self.context.counters.clone(), publisher);
        let inbound = Inbound::new(
            ByteSource::new(payload, carrier.clone()),
            self.limits(&behaviour),
            deflate.as_ref().map(Deflate::inflater::<Server>),
            observer.clone(),
            now,
        );
        let options = EncoderOptions {
            deflater: deflate.as_ref().map(Deflate::deflater::<Server>),
            fragment: behaviour.fragment,
        };
        let outbound = Rc::new(Outbound::new(Encoder::new(options, (), observer), behaviour.rate));
        let io = FrameIo {
            inbound,
            outbound: Rc::clone(&outbound),
            carrier: carrier.clone(),
        };
        let memory = Rc::new(SessionMemory::new(self.admission.budget().reservation()));
        let session = Session::new(
            Rc::clone(&self.context),
            details,
            SessionOptions::new(behaviour, description),
            io,
            Rc::clone(&memory),
            now,
        );
        let actor = Context::new().into_future(EchoSession::new(session));
        SessionTask::new(
            actor,
            outbound,
            carrier,
            self.context.stall_timeout,
            move |bytes| memory.set_unwritten(bytes),
        )
    }
}

/// A handshake that was validated and negotiated.
struct HandshakeResult {
    behaviour: Behaviour,
    /// The description of the connection for `reply=json`.
    description: Option<Box<RawValue>>,
    details: SessionDetails,
    deflate: Option<Deflate>,
    payload: Payload,
}

/// Resolves when the client has closed the connection. Never resolves without a socket.
async fn disconnected(socket: Option<&Socket>) {
    match socket {
        Some(socket) => socket.disconnected().await,
        None => std::future::pending().await,
    }
}

/// Returns the bytes of the request's header section if a reply or a watcher shows them, else nothing.
fn head_if_shown(behaviour: &Behaviour, socket: Option<&Socket>) -> Vec<u8> {
    let shown = behaviour.reply == ReplyMode::Json || behaviour.watch.is_some();
    socket
        .filter(|_| shown)
        .map(Socket::take_head)
        .unwrap_or_default()
}
