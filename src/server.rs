//! Bind, serve until told to stop, drain.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs},
    path::PathBuf,
    time::Duration,
};

use actix_http::{Extensions, HttpService, KeepAlive, Protocol, error::DispatchError};
use actix_server::GracefulShutdownSignal;
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::{App, dev::AppConfig, rt::net::TcpStream, web};
use log::{info, warn};
use socket2::{Domain, Socket, Type};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, ListenAddr},
    routes,
    state::State,
    wire::Transport,
};

/// Connections that the kernel holds ready while the workers are busy.
const BACKLOG: u32 = 4096;

/// How long an HTTP connection without a request is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Plain HTTP connections that a worker takes beside the sessions.
const OTHER_CONNECTIONS: usize = 1024;

/// How often a port that the system chose is tried on all addresses of a name before giving up.
const PORT_TRIES: usize = 16;

/// Why the server could not start. Each is one line that says what to do.
#[derive(Debug, Error)]
pub enum StartError {
    /// The page is not where it should be.
    #[error("no index.html in the static directory {0:?}: set --static-dir to the directory of the page")]
    StaticDir(PathBuf),
    /// A name of `--listen` has no address.
    #[error("cannot resolve {addr}: {source}")]
    Resolve {
        /// What was to be resolved.
        addr: ListenAddr,
        /// What the system said.
        source: io::Error,
    },
    /// An address of `--listen` cannot be had.
    #[error("cannot listen on {addr}: {}", explain(.source))]
    Bind {
        /// What was to be bound.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Serving failed.
    #[error("cannot serve: {0}")]
    Serve(#[from] io::Error),
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the port is taken; choose another one with --listen".to_owned(),
        io::ErrorKind::PermissionDenied => "not permitted; ports below 1024 belong to root".to_owned(),
        _ => error.to_string(),
    }
}

/// A server with its sockets bound, so that its addresses are known before it runs.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    state: web::Data<State>,
}

impl Server {
    /// Checks what must be there and binds every address of `--listen`.
    ///
    /// # Errors
    /// When the page is missing, a name cannot be resolved, or an address cannot be had. An address that this machine
    /// does not have is passed over where its name has another one.
    pub fn bind(config: Config) -> Result<Self, StartError> {
        if !config.static_dir.join("index.html").is_file() {
            return Err(StartError::StaticDir(config.static_dir));
        }
        let mut listeners = Vec::new();
        for addr in &config.listen {
            listeners.extend(bind_all(addr, config.stall_timeout.duration())?);
        }
        Ok(Self {
            listeners,
            state: web::Data::new(State::new(config)),
        })
    }

    /// The addresses that are bound.
    pub fn addrs(&self) -> Vec<SocketAddr> {
        self.listeners
            .iter()
            .filter_map(|listener| listener.local_addr().ok())
            .collect()
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
        for listener in self.listeners {
            let (state, stopping) = (state.clone(), stopping.clone());
            server = server.listen("http", listener, move || http_service(&state, &stopping))?;
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
    fn_service(|io: TcpStream| async move {
        // A reply is written when it is due, whole: waiting to fill a segment would only add to what is measured here.
        let _ = io.set_nodelay(true);
        let peer = io.peer_addr().ok();
        Ok((Transport::new(io), Protocol::Http1, peer))
    })
    .and_then(http)
}

/// Waits for the signal, then for the sessions to end. Inside of actix's own shutdown signal, for its graceful stop
/// closes the listeners and waits for open WebSockets without telling them.
async fn drain(state: web::Data<State>, shutdown: CancellationToken) {
    shutdown.cancelled().await;
    info!("shutting down: {} connections open", state.registry.open());
    state.registry.drain().await;
}

/// Binds every address of a name.
fn bind_all(addr: &ListenAddr, stall_timeout: Option<Duration>) -> Result<Vec<TcpListener>, StartError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match bind_once(addr, stall_timeout) {
            // The port that was free on one address is taken on another: the system will choose a different one.
            Err(StartError::Bind { source, .. })
                if addr.port == 0 && source.kind() == io::ErrorKind::AddrInUse && tries < PORT_TRIES => {}
            done => return done,
        }
    }
}

fn bind_once(addr: &ListenAddr, stall_timeout: Option<Duration>) -> Result<Vec<TcpListener>, StartError> {
    let resolved = resolve(addr)?;
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut missing = None;
    let mut port = addr.port;
    for ip in &resolved {
        let addr = SocketAddr::new(*ip, port);
        match listen(addr, stall_timeout) {
            Ok(listener) => {
                port = listener.local_addr().map_or(port, |bound| bound.port());
                listeners.push(listener);
            }
            // The name has an address that this machine lacks, as ::1 where IPv6 is off.
            Err(source) if resolved.len() > 1 && is_absent(&source) => missing = Some((addr, source)),
            Err(source) => return Err(StartError::Bind { addr, source }),
        }
    }
    match missing {
        Some((addr, source)) if listeners.is_empty() => Err(StartError::Bind { addr, source }),
        _ => Ok(listeners),
    }
}

fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || error.kind() == io::ErrorKind::Unsupported
        // EAFNOSUPPORT, for which std has no kind.
        || error.raw_os_error() == Some(97)
}

fn resolve(addr: &ListenAddr) -> Result<Vec<IpAddr>, StartError> {
    // RFC 6761 section 6.3: localhost is the loopback address of both families, whatever a resolver says; and a static
    // binary in an empty image has none to ask.
    if addr.host.eq_ignore_ascii_case("localhost") {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let mut ips: Vec<IpAddr> = (addr.host.as_str(), addr.port)
        .to_socket_addrs()
        .map_err(|source| StartError::Resolve {
            addr: addr.clone(),
            source,
        })?
        .map(|addr| addr.ip())
        .collect();
    ips.sort_unstable();
    ips.dedup();
    Ok(ips)
}

fn listen(addr: SocketAddr, stall_timeout: Option<Duration>) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(addr),
        Type::STREAM,
        Some(socket2::Protocol::TCP),
    )?;
    // A restart must not wait for the last connections of the old process to leave TIME_WAIT.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        // So that 0.0.0.0 and [::] can be listened on side by side.
        socket.set_only_v6(true)?;
    }
    // While a peer does not read, its actor is not run and cannot cut it off: the kernel does. Sockets inherit it from
    // their listener.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(stall_timeout)?;
    #[cfg(not(target_os = "linux"))]
    let _ = stall_timeout;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG.cast_signed())?;
    Ok(socket.into())
}
