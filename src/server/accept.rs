//! The path from an accepted TCP connection to HTTP: admission, TLS, and the service of actix-http.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use actix_http::{Extensions, HttpService, KeepAlive, Protocol, error::DispatchError};
use actix_server::GracefulShutdownSignal;
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::{App, dev::AppConfig, middleware::from_fn, rt::net::TcpStream};
use log::debug;

use super::gate::{self, gate};
use crate::{
    admission::ConnectionPermit,
    metrics::LocalCounters,
    routes::{self, Shared},
    tls::{self, CertificateStore, HandshakeError},
    transport::{Http1Io, HttpTimeouts},
};

/// Time after which an idle HTTP connection is closed.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Time that actix-http continues to read after a response to an incomplete request. A socket that is closed with unread bytes is
/// reset, and the client may then lose the response (RFC 9112 section 9.6).
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

type Io = Http1Io<Rc<ConnectionPermit>>;

/// Accepts the connections of one listener.
#[derive(Clone)]
pub(super) struct Acceptor {
    shared: Shared,
    /// None on a plain listener.
    certificates: Option<Arc<CertificateStore>>,
    stopping: GracefulShutdownSignal,
    timeouts: HttpTimeouts,
}

impl Acceptor {
    pub(super) fn new(
        shared: &Shared,
        certificates: Option<Arc<CertificateStore>>,
        stopping: GracefulShutdownSignal,
    ) -> Self {
        let config = &shared.config;
        Self {
            shared: shared.clone(),
            certificates,
            stopping,
            timeouts: HttpTimeouts {
                head: config.handshake_timeout.duration(),
                request: config.request_timeout.duration(),
                stall: config.stall_timeout.duration(),
            },
        }
    }

    /// Returns the service of one worker thread. It does what `HttpServer` of actix-web does, over an [`Http1Io`].
    pub(super) fn service(
        &self,
    ) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<>
    {
        let counters = self.shared.metrics.local();
        let app = {
            let shared = self.shared.clone();
            App::new()
                .app_data(counters.clone())
                .wrap(from_fn(gate))
                .configure(move |service| routes::configure(service, &shared))
                .into_factory()
                .map_err(|error| error.error_response())
        };
        let stopping = self.stopping.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(KeepAlive::Timeout(KEEP_ALIVE))
            // `Http1Io` has the deadlines: actix-http's 408 has no body.
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .on_connect_ext(|io: &Io, extensions: &mut Extensions| {
                extensions.insert(io.socket());
                extensions.insert(Rc::clone(io.guard()));
            })
            .finish(map_config(app, |()| AppConfig::default()));
        let acceptor = self.clone();
        fn_service(move |io: TcpStream| {
            let (acceptor, counters) = (acceptor.clone(), counters.clone());
            async move {
                // Frames and header sections are written in one piece, so Nagle's algorithm would only delay them.
                let _ = io.set_nodelay(true);
                let peer = io.peer_addr()?;
                let permit = acceptor.admit(peer.ip(), &counters)?;
                Ok((
                    acceptor.accept(io, peer, permit).await?,
                    Protocol::Http1,
                    Some(peer),
                ))
            }
        })
        .and_then(http)
    }

    /// Counts the connection. A trusted proxy's address has no cap, because its connections belong to its clients.
    fn admit(&self, peer: IpAddr, counters: &LocalCounters) -> Result<Rc<ConnectionPermit>, DispatchError> {
        let is_proxy = self
            .shared
            .config
            .trusted_proxy
            .iter()
            .any(|network| network.contains(peer));
        match self.shared.admission.admit_connection(peer, !is_proxy) {
            Ok(permit) => Ok(Rc::new(permit)),
            // The reserve for health checks is full too. The server closes the connection without a response.
            Err(refusal) => {
                gate::count(refusal, counters);
                Err(DispatchError::Io(io::Error::other(refusal)))
            }
        }
    }

    /// Returns the connection for HTTP, after the TLS handshake. A failed handshake is logged at debug level.
    async fn accept(
        &self,
        io: TcpStream,
        peer: SocketAddr,
        permit: Rc<ConnectionPermit>,
    ) -> Result<Io, DispatchError> {
        let stopping = self.stopping.clone();
        let stop = async move { stopping.notified().await };
        let Some(certificates) = &self.certificates else {
            return Ok(Http1Io::plain(io, permit, self.timeouts, stop));
        };
        // Boxed, because a plain connection would otherwise hold the memory of the TLS handshake until it ends.
        let handshake = Box::pin(tls::accept(io, certificates.current(), self.timeouts.head));
        let failed = tokio::select! {
            done = handshake => match done {
                Ok(stream) => return Ok(Http1Io::tls(stream, permit, self.timeouts, stop)),
                Err(failed) => failed,
            },
            // The shutdown does not wait for a client that sends nothing.
            () = self.stopping.notified() => HandshakeError::Stopping,
        };
        debug!(target: "ws_echo::server", peer:%, reason:% = failed; "TLS handshake failed");
        Err(DispatchError::Io(io::Error::other(failed)))
    }
}
