//! Bind, serve until told to stop, drain.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use actix_http::{Extensions, HttpService, KeepAlive, Protocol, error::DispatchError};
use actix_server::GracefulShutdownSignal;
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::{App, dev::AppConfig, rt::net::TcpStream, web};
use log::{debug, info, warn};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, ListenAddr, Tls},
    listener::{self, BACKLOG, ListenError},
    routes,
    state::State,
    tls::{self, Certificates, HandshakeError, Reload, TlsError},
    wire::Transport,
};

/// How long an HTTP connection without a request is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

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
    state: web::Data<State>,
}

impl Server {
    /// Checks what must be there and binds every address of `--listen` and `--tls-listen`.
    ///
    /// # Errors
    /// When the page is missing, a name cannot be resolved, an address cannot be had, or there is no certificate. An address that this machine
    /// does not have is passed over where its name has another one.
    pub fn bind(config: Config) -> Result<Self, StartError> {
        if !config.static_dir.join("index.html").is_file() {
            return Err(StartError::StaticDir(config.static_dir));
        }
        let bind = |addrs: &[ListenAddr]| -> Result<Vec<TcpListener>, ListenError> {
            let mut listeners = Vec::new();
            for addr in addrs {
                listeners.extend(listener::bind(addr, config.stall_timeout.duration())?);
            }
            Ok(listeners)
        };
        let listeners = bind(&config.listen)?;
        let (tls_listeners, certificates) = match &config.tls {
            Tls::Off => (Vec::new(), None),
            Tls::On { listen, certificate } => {
                // Bound first: a second server that finds the port taken must not write its CA over that of the first.
                let listeners = bind(listen)?;
                (
                    listeners,
                    Some(Arc::new(Certificates::load(certificate.clone())?)),
                )
            }
        };
        Ok(Self {
            listeners,
            tls_listeners,
            certificates,
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
        let mut server = actix_server::Server::build()
            .backlog(BACKLOG)
            .max_concurrent_connections(config.max_connections.limit().saturating_add(OTHER_CONNECTIONS))
            // `drain` has ended the sessions by then. The limit is `deadline` below.
            .shutdown_timeout(grace.map_or(u64::MAX >> 32, |grace| grace.as_secs().saturating_add(1)))
            .shutdown_signal(drain(state.clone(), shutdown.clone()));
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
            shutdown.cancelled().await;
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
        tokio::select! {
            served = server.run() => served?,
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
        debug!("no TLS with peer={peer:?}: {failed}");
        Err(DispatchError::Io(io::Error::other(failed)))
    }
}

fn addrs(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    let addrs = listeners.iter().filter_map(|listener| listener.local_addr().ok());
    addrs.collect()
}

/// Waits for the signal, then for the sessions to end. Inside of actix's own shutdown signal, for its graceful stop
/// closes the listeners and waits for open WebSockets without telling them.
async fn drain(state: web::Data<State>, shutdown: CancellationToken) {
    shutdown.cancelled().await;
    info!("shutting down: {} connections open", state.registry.open());
    state.registry.drain().await;
}
