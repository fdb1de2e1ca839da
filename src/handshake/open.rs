//! The last step of a handshake: a session on the connection, and the 101.

use std::{net::SocketAddr, rc::Rc, sync::Arc, time::Instant};

use actix::Context;
use actix_http::body::BodyStream;
use actix_web::{HttpRequest, HttpResponse, web};
use log::{debug, warn};

use super::{
    client::{ClientAddr, IgnoredHeader, Resolved},
    description::{Described, describe},
    negotiate::{Negotiated, negotiate},
    redaction::redact_path,
    redirect::without_key,
    refusal::Refusal,
    validate::{Policy, RequestParts, validate},
};
use crate::{
    admission::{Admission, ConnectionPermit},
    config::Config,
    protocol::{Encoder, EncoderOptions, Limits, Server, deflate::Deflate},
    session::{
        EchoSession, FrameIo, Inbound, Opened, Outbound, Session, SessionContext, SessionDetails,
        SessionMemory, SessionObserver, SessionOptions,
        behaviour::Behaviour,
        clock::now_ms,
        reply::ReplyMode,
        watch::{self, WatchHub},
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
        let behaviour = if self.config.behaviours.is_on() {
            Behaviour::from_query(
                request.query_string(),
                self.config.max_message_size.limit(),
                |key| {
                    debug!(key; "a query key that means nothing here");
                },
            )?
        } else {
            Behaviour::default()
        };
        let connection = request.conn_data::<Rc<ConnectionPermit>>();
        let permit = self
            .admission
            .admit_session(client.address, connection.map(Rc::as_ref))?;
        let socket = request.conn_data::<Rc<Socket>>().cloned();

        if let Some(delay) = behaviour.handshake_delay {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = self.admission.stopping() => return Err(Refusal::Draining),
                () = gone(socket.as_deref()) => return Err(Refusal::Gone),
            }
        }
        if let Some(status) = behaviour.handshake_status {
            let location = without_key(request.path(), request.query_string(), "handshake-status");
            return Err(Refusal::RequestedStatus { status, location });
        }

        let negotiated = negotiate(&valid, &behaviour, self.config.compress.is_on());
        let mut response = negotiated.response(permit.id());

        let now = Instant::now();
        let limits = Limits {
            message_size: behaviour
                .max_message_size
                .unwrap_or(self.config.max_message_size.limit()),
            fragments: self.config.max_fragments.limit(),
        };
        let description = (behaviour.reply == ReplyMode::Json)
            .then(|| {
                describe(Described {
                    id: permit.id(),
                    peer,
                    client,
                    path: request.path(),
                    query: request.query_string(),
                    headers: request.headers(),
                    head: &socket.as_deref().map(Socket::take_head).unwrap_or_default(),
                    request: &valid,
                    negotiated: &negotiated,
                    tls: socket.as_deref().and_then(Socket::tls),
                })
            })
            .flatten();
        let Negotiated {
            subprotocol, deflate, ..
        } = negotiated;
        let watched = behaviour.watch.as_ref().map(|key| {
            self.watch.publish_connection(
                key,
                &watch::Handshake {
                    connection: permit.id(),
                    at: now_ms(),
                    peer: peer.to_string(),
                    path: request.path(),
                    subprotocol: subprotocol.as_deref(),
                    extensions: deflate.as_ref().map(ToString::to_string),
                },
            )
        });
        let publisher = watched.as_ref().map(|watched| watched.frame_publisher());
        let observer = SessionObserver::new(self.context.counters.clone(), publisher);
        let (carrier, pipe) = match &socket {
            Some(socket) => (Carrier::Socket(Rc::clone(socket)), None),
            // On a connection without a `Socket`, as with actix's test server, HTTP keeps it.
            None => {
                let (pipe, body) = BodyPipe::new();
                (Carrier::Body(pipe), Some(body))
            }
        };
        let inbound = Inbound::new(
            ByteSource::new(payload.into_inner(), carrier.clone()),
            limits,
            deflate.as_ref().map(Deflate::inflater::<Server>),
            observer.clone(),
            now,
        );
        let options = EncoderOptions {
            deflater: deflate.as_ref().map(Deflate::deflater::<Server>),
            fragment: behaviour.fragment,
        };
        let outbound = Rc::new(Outbound::new(Encoder::new(options, (), observer), behaviour.rate));
        let opened = Opened {
            peer,
            client: client.client_for_log(peer),
            path: redact_path(request.path()),
            subprotocol,
            compressed: deflate.is_some(),
        };
        let details = SessionDetails {
            watched,
            permit,
            opened: Some(Box::new(opened)),
        };
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
        let session = Context::new().into_future(EchoSession::new(session));
        let task = SessionTask::new(
            session,
            outbound,
            carrier,
            self.context.stall_timeout,
            move |bytes| memory.set_unwritten(bytes),
        );
        Ok(match (socket, pipe) {
            (Some(socket), _) => response.body(BodyStream::new(Upgraded::new(task, socket))),
            (None, pipe) => {
                actix_web::rt::spawn(task);
                match pipe {
                    Some(body) => response.body(BodyStream::new(body)),
                    None => response.finish(),
                }
            }
        })
    }
}

/// Resolves when the client has closed the connection. Pends for ever without a socket.
async fn gone(socket: Option<&Socket>) {
    match socket {
        Some(socket) => socket.peer_gone().await,
        None => std::future::pending().await,
    }
}
