//! The life of the process: bind, serve, drain.

mod accept;
pub mod descriptors;
mod drain;
mod gate;
mod listener;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
};

use log::{info, warn};
use thiserror::Error;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

pub use listener::ListenError;

use crate::{
    config::{Config, Tls},
    routes::Shared,
    tls::{CertificateStore, Reload, TlsError},
};
use accept::Acceptor;
use listener::{BACKLOG, Sockets};

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
    certificates: Option<Arc<CertificateStore>>,
    /// Whether they are somebody else's, who goes on listening when this process ends.
    inherited: bool,
    shared: Shared,
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
            Tls::On { certificate, .. } => Some(Arc::new(CertificateStore::load(certificate.clone())?)),
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
            shared: Shared::new(config),
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
        let shared = self.shared;
        let config = &shared.config;
        let grace = config.shutdown_grace.duration();
        let (handle_sender, handle) = oneshot::channel();
        let mut server = actix_server::Server::build()
            .backlog(BACKLOG)
            // `admission` has the caps: each connection is counted when it is accepted.
            .max_concurrent_connections(usize::MAX)
            // `drain` has ended the sessions by then. The limit is `deadline` below.
            .shutdown_timeout(grace.map_or(u64::MAX >> 32, |grace| grace.as_secs().saturating_add(1)))
            .shutdown_signal(drain::drain(
                shared.clone(),
                shutdown,
                self.inherited.then_some(handle),
            ));
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
            let name = if certificates.is_some() { "https" } else { "http" };
            let acceptor = Acceptor::new(&shared, certificates, stopping.clone());
            server = server.listen(name, listener, move || acceptor.service())?;
        }
        let deadline = async {
            shared.admission.stopping().await;
            match grace {
                Some(grace) => tokio::time::sleep(grace).await,
                None => std::future::pending().await,
            }
            // Here, for below the server is gone, and its connections with it.
            warn!(
                "the grace is over with {} connections open",
                shared.admission.open_sessions()
            );
        };
        let server = server.run();
        // Nobody wants it where the sockets are this process's own.
        let _ = handle_sender.send(server.handle());
        tokio::select! {
            served = server => served?,
            () = deadline => {}
        }
        info!("stopped");
        Ok(())
    }
}

fn addrs(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    let addrs = listeners.iter().filter_map(|listener| listener.local_addr().ok());
    addrs.collect()
}
