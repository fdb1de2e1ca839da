//! The last step of a handshake: a session on the connection, and the 101.

use std::{net::SocketAddr, rc::Rc, sync::Arc, time::Instant};

use actix::Context;
use actix_http::body::BodyStream;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};
use log::{debug, warn};

use super::{
    checks::{check, check_origin, choose_subprotocol, lines, loggable, offered_subprotocols},
    client::{ClientAddr, IgnoredHeader, Resolved},
    description,
    redirect::without_key,
    refusal::Refusal,
};
use crate::{
    admission::{Admission, ConnectionPermit},
    config::Config,
    protocol::{Encoder, EncoderOptions, Limits, Server, deflate::Deflate},
    session::{
        EchoSession, FrameIo, Inbound, Opened, Outbound, SessionContext, SessionDetails, SessionMemory,
        SessionObserver, SessionOptions,
        behaviour::{Behaviour, Subprotocol},
        clock::now_ms,
        reply::ReplyMode,
        watch::{self, WatchHub},
    },
    transport::{BodyPipe, ByteSource, Carrier, SessionTask, Socket, Upgraded},
};

/// The connection's number, the same in the log and in a JSON reply: what a client can quote to the operator.
const CONNECTION_ID: &str = "x-connection-id";

/// Opens the sessions of one worker thread.
#[derive(Debug)]
pub(crate) struct Handshake {
    pub(crate) config: Arc<Config>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) watch: Arc<WatchHub>,
    pub(crate) context: Rc<SessionContext>,
}

impl Handshake {
    /// Opens an echo session, or says why not.
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
                    peer:%, client = client.client_for_log(peer).as_deref(), path = loggable(request.path()), reason:% = refusal;
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
        check(request)?;
        let headers = request.headers();
        check_origin(headers, &self.config)?;
        let offered = offered_subprotocols(headers)?;
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

        let deflate = if self.config.compress.is_on() && behaviour.compress {
            Deflate::negotiate(lines(headers, &header::SEC_WEBSOCKET_EXTENSIONS))
        } else {
            None
        };
        let subprotocol = match &behaviour.subprotocol {
            Some(Subprotocol::None) => None,
            Some(Subprotocol::Named(name)) => Some(name.clone()),
            None => choose_subprotocol(&offered),
        };
        let mut response = HttpResponse::build(StatusCode::SWITCHING_PROTOCOLS);
        response.upgrade("websocket");
        let key = request.headers().get(header::SEC_WEBSOCKET_KEY);
        let accept = actix_http::ws::hash_key(key.map(|key| key.as_bytes()).unwrap_or_default());
        response.insert_header((header::SEC_WEBSOCKET_ACCEPT, &accept[..]));
        response.insert_header((CONNECTION_ID, permit.id()));
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
                .unwrap_or(self.config.max_message_size.limit()),
            fragments: self.config.max_fragments.limit(),
        };
        let description = (behaviour.reply == ReplyMode::Json)
            .then(|| {
                description::describe(
                    request,
                    socket.as_deref(),
                    permit.id(),
                    peer,
                    client,
                    subprotocol.as_deref(),
                    deflate.as_ref(),
                )
            })
            .flatten();
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
            // On a connection that is not ours, as under actix's test server, HTTP keeps it.
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
            path: loggable(request.path()),
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
        let session = Context::new().into_future(EchoSession::new(
            Rc::clone(&self.context),
            details,
            SessionOptions::new(behaviour, description),
            io,
            Rc::clone(&memory),
            now,
        ));
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

/// Resolves when the client has left, if that can be known.
async fn gone(socket: Option<&Socket>) {
    match socket {
        Some(socket) => socket.peer_gone().await,
        None => std::future::pending().await,
    }
}
