//! Bind, serve until told to stop, drain.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use actix_http::{Extensions, HttpService, KeepAlive, Protocol, error::DispatchError};
use actix_server::{GracefulShutdownSignal, ServerHandle};
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::{App, dev::AppConfig, rt::net::TcpStream, web};
use log::{debug, info, warn};
use thiserror::Error;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, Tls},
    listener::{self, BACKLOG, ListenError, Sockets},
    routes,
    state::State,
    tls::{self, Certificates, HandshakeError, Reload, TlsError},
    wire::Transport,
};

/// How long an HTTP connection without a request is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How long those who were accepted just before the last moment have for their handshake.
const HANDSHAKES_UNDER_WAY: Duration = Duration::from_millis(200);

/// Plain HTTP connections that a worker takes beside the sessions.
const OTHER_CONNECTIONS: usize = 1024;

/// Why the server could not start. Each is one line that says what to do.
#[derive(Debug, Error)]
pub enum StartError {
    /// The page is not where it should be.
    #[error("no index.html in the static directory {0:?}: set --static-dir to the directory of the page")]
    StaticDir(PathBuf),
    /// An address cannot be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A socket is there for TLS, and no certificate.
    #[error(
        "a socket of LISTEN_FDS is named https and there is no certificate: set --tls-listen, with --tls-cert and --tls-key"
    )]
    NoCertificate,
    /// There is no certificate to show.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Serving failed.
    #[error("cannot serve: {0}")]
    Serve(#[from] io::Error),
}

/// A server with its sockets bound, so that its addresses are known before it runs.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    tls_listeners: Vec<TcpListener>,
    /// None where there is no TLS.
    certificates: Option<Arc<Certificates>>,
    /// Whether they are somebody else's, who goes on listening when this process ends.
    inherited: bool,
    state: web::Data<State>,
}

impl Server {
    /// Checks what must be there and takes the sockets that were passed to the process, or else binds every address of
    /// `--listen` and `--tls-listen`.
    ///
    /// # Errors
    /// When the page is missing, a name cannot be resolved, an address cannot be had, or a certificate cannot be used. An
    /// address that this machine does not have is passed over where its name has another one.
    pub fn bind(config: Config) -> Result<Self, StartError> {
        if !config.static_dir.join("index.html").is_file() {
            return Err(StartError::StaticDir(config.static_dir));
        }
        let Sockets {
            plain,
            tls,
            inherited,
        } = listener::sockets(&config)?;
        let certificates = match &config.tls {
            Tls::Off if tls.is_empty() => None,
            Tls::Off => return Err(StartError::NoCertificate),
            // After binding: a second server that finds the port taken must not write its CA over that of the first.
            Tls::On { certificate, .. } => Some(Arc::new(Certificates::load(certificate.clone())?)),
        };
        if inherited {
            info!(
                "{} sockets were passed by LISTEN_FDS: --listen is not used",
                plain.len() + tls.len()
            );
        }
        Ok(Self {
            listeners: plain,
            tls_listeners: tls,
            certificates,
            inherited,
            state: web::Data::new(State::new(config)),
        })
    }

    /// The addresses that are bound for plain HTTP and ws.
    pub fn addrs(&self) -> Vec<SocketAddr> {
        addrs(&self.listeners)
    }

    /// The addresses that are bound for HTTPS and wss.
    pub fn tls_addrs(&self) -> Vec<SocketAddr> {
        addrs(&self.tls_listeners)
    }

    /// What SIGHUP is for.
    pub fn reload(&self) -> Reload {
        Reload::of(self.certificates.as_ref())
    }

    /// Serves until `shutdown` is cancelled, then drains: no new session, a Close frame for each one that is open, and
    /// an end when the last is gone or the grace is over.
    ///
    /// # Errors
    /// When a socket or a worker cannot be set up.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), StartError> {
        for addr in self.addrs() {
            info!("listening on http://{addr}");
        }
        for addr in self.tls_addrs() {
            info!("listening on https://{addr}");
        }
        let state = self.state;
        let config = &state.config;
        let grace = config.shutdown_grace.duration();
        let (tell_handle, handle) = oneshot::channel();
        let mut server = actix_server::Server::build()
            .backlog(BACKLOG)
            .max_concurrent_connections(config.max_connections.limit().saturating_add(OTHER_CONNECTIONS))
            // `drain` has ended the sessions by then. The limit is `deadline` below.
            .shutdown_timeout(grace.map_or(u64::MAX >> 32, |grace| grace.as_secs().saturating_add(1)))
            .shutdown_signal(drain(state.clone(), shutdown, self.inherited.then_some(handle)));
        if let Some(workers) = config.workers {
            server = server.workers(workers.get());
        }
        let stopping = server.graceful_shutdown_signal();
        let plain = self.listeners.into_iter().map(|listener| (listener, None));
        let tls = self
            .tls_listeners
            .into_iter()
            .map(|listener| (listener, self.certificates.clone()));
        for (listener, certificates) in plain.chain(tls) {
            let (state, stopping) = (state.clone(), stopping.clone());
            let name = if certificates.is_some() { "https" } else { "http" };
            server = server.listen(name, listener, move || {
                http_service(&state, &stopping, certificates.clone())
            })?;
        }
        let deadline = async {
            state.registry.stopping().await;
            match grace {
                Some(grace) => tokio::time::sleep(grace).await,
                None => std::future::pending().await,
            }
            // Here, for below the server is gone, and its connections with it.
            warn!(
                "the grace is over with {} connections open",
                state.registry.open()
            );
        };
        let server = server.run();
        // Nobody wants it where the sockets are this process's own.
        let _ = tell_handle.send(server.handle());
        tokio::select! {
            served = server => served?,
            () = deadline => {}
        }
        info!("stopped");
        Ok(())
    }
}

/// What one worker does with a listener's connections: `HttpServer` of actix-web, but over a [`Transport`].
fn http_service(
    state: &web::Data<State>,
    stopping: &GracefulShutdownSignal,
    certificates: Option<Arc<Certificates>>,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<>
{
    let config = &state.config;
    let app = {
        let state = state.clone();
        App::new()
            .configure(move |service| routes::configure(service, &state))
            .into_factory()
            .map_err(|error| error.error_response())
    };
    let arriving = Arrivals {
        certificates,
        limit: config.handshake_timeout.duration(),
        stopping: stopping.clone(),
    };
    let stopping = stopping.clone();
    let http = HttpService::build()
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .keep_alive(KeepAlive::Timeout(KEEP_ALIVE))
        .client_request_timeout(config.handshake_timeout.duration().unwrap_or_default())
        // The actor lingers, and knows what it waits for; a second wait beneath it would only keep the peer, who waits
        // for the server to close first (RFC 6455 section 7.1.1).
        .client_disconnect_timeout(Duration::ZERO)
        .on_connect_ext(|transport: &Transport, extensions: &mut Extensions| {
            extensions.insert(transport.socket());
        })
        .finish(map_config(app, |()| AppConfig::default()));
    fn_service(move |io: TcpStream| {
        let arriving = arriving.clone();
        async move {
            // A reply is written when it is due, whole: waiting to fill a segment would only add to what is measured here.
            let _ = io.set_nodelay(true);
            let peer = io.peer_addr().ok();
            Ok((arriving.welcome(io, peer).await?, Protocol::Http1, peer))
        }
    })
    .and_then(http)
}

/// What becomes of a listener's connections before there is HTTP on them.
#[derive(Clone)]
struct Arrivals {
    certificates: Option<Arc<Certificates>>,
    limit: Option<Duration>,
    stopping: GracefulShutdownSignal,
}

impl Arrivals {
    /// The connection as HTTP goes over it. A peer that fails at TLS is its own affair: a line at debug level.
    async fn welcome(&self, io: TcpStream, peer: Option<SocketAddr>) -> Result<Transport, DispatchError> {
        let Some(certificates) = &self.certificates else {
            return Ok(Transport::new(io));
        };
        // Boxed: a plain connection would keep room for it all its life.
        let handshake = Box::pin(tls::accept(io, certificates.current(), self.limit));
        let failed = tokio::select! {
            done = handshake => match done {
                Ok(stream) => return Ok(Transport::tls(stream)),
                Err(failed) => failed,
            },
            // Nobody would be served any more, and a stop must not wait for a peer that says nothing.
            () = self.stopping.notified() => HandshakeError::Stopping,
        };
        let peer = peer.map(|peer| peer.to_string());
        debug!(peer = peer.as_deref(), reason:% = failed; "TLS handshake failed");
        Err(DispatchError::Io(io::Error::other(failed)))
    }
}

fn addrs(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    let addrs = listeners.iter().filter_map(|listener| listener.local_addr().ok());
    addrs.collect()
}

/// Waits for the signal, then for the sessions to end. Inside of actix's own shutdown signal, for its graceful stop
/// closes the listeners and waits for open WebSockets without telling them.
async fn drain(
    state: web::Data<State>,
    shutdown: CancellationToken,
    inherited: Option<oneshot::Receiver<ServerHandle>>,
) {
    shutdown.cancelled().await;
    state.registry.leave();
    if let Some(delay) = state.config.shutdown_delay.duration() {
        info!(
            "not ready any more, and draining in {}",
            state.config.shutdown_delay
        );
        tokio::time::sleep(delay).await;
    }
    // A client that connects from now on is not for this process. On sockets of its own it is told so; on sockets that
    // outlive the process it waits for the next one, and never knows.
    if let Some(handle) = inherited
        && let Ok(handle) = handle.await
    {
        handle.pause().await;
        tokio::time::sleep(HANDSHAKES_UNDER_WAY).await;
    }
    info!("shutting down: {} connections open", state.registry.open());
    state.registry.drain().await;
}
