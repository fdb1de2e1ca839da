//! The life of the process: bind, serve, drain.

mod accept;
mod address_lines;
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
    http::page,
    platform::quoted,
    routes::Shared,
    tls::{CertificateStore, Reload, TlsError},
};
use accept::Acceptor;
use listener::{BACKLOG, Sockets};

/// The reason why the server cannot start. Each text is one line: what was found and what to do.
#[derive(Debug, Error)]
pub enum StartError {
    /// The static directory has no page.
    #[error("no index.html in the static directory {}; set --static-dir to the directory of the page", quoted(.0))]
    StaticDir(PathBuf),
    /// The server cannot listen on an address.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// An inherited socket is for TLS, and there is no certificate.
    #[error(
        "a socket of LISTEN_FDS is named https, but there is no certificate; set --tls-listen, --tls-cert and --tls-key"
    )]
    NoCertificate,
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Serving failed.
    #[error("cannot serve: {0}")]
    Serve(#[from] io::Error),
}

/// A server with bound sockets. Its addresses are available before it runs.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    tls_listeners: Vec<TcpListener>,
    /// None without TLS.
    certificates: Option<Arc<CertificateStore>>,
    /// Whether another process owns the sockets, which then stay open when this process ends.
    inherited: bool,
    shared: Shared,
}

impl Server {
    /// Finds the page, loads the certificate, and uses the inherited sockets, or else binds every address of `--listen`
    /// and `--tls-listen`.
    ///
    /// # Errors
    /// If the static directory has no page, a name cannot be resolved, an address cannot be bound, or a certificate cannot be used. An address that
    /// this machine lacks is skipped if its name has another one.
    pub fn bind(mut config: Config) -> Result<Self, StartError> {
        config.static_dir = page::locate(config.static_dir).map_err(StartError::StaticDir)?;
        let Sockets {
            plain,
            tls,
            inherited,
        } = listener::sockets(&config)?;
        let certificates = match &config.tls {
            Tls::Off if tls.is_empty() => None,
            Tls::Off => return Err(StartError::NoCertificate),
            // After binding: a second server, which finds the port taken, must not overwrite the CA of the first.
            Tls::On { certificate, .. } => Some(Arc::new(CertificateStore::load(certificate.clone())?)),
        };
        if inherited {
            info!(sockets = plain.len() + tls.len(); "using inherited sockets, --listen is ignored");
        }
        Ok(Self {
            listeners: plain,
            tls_listeners: tls,
            certificates,
            inherited,
            shared: Shared::new(config),
        })
    }

    /// Returns the bound addresses for plain HTTP and ws.
    pub fn addrs(&self) -> Vec<SocketAddr> {
        addrs(&self.listeners)
    }

    /// Returns the bound addresses for HTTPS and wss.
    pub fn tls_addrs(&self) -> Vec<SocketAddr> {
        addrs(&self.tls_listeners)
    }

    /// Returns the handler of a request to reload.
    pub fn reload(&self) -> Reload {
        Reload::of(self.certificates.as_ref())
    }

    /// Serves until `shutdown` is cancelled, then drains: the server refuses new sessions, closes the open ones, and ends after the last
    /// one or when the grace period expires.
    ///
    /// # Errors
    /// If a socket or a worker cannot be set up.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), StartError> {
        if let Some(directory) = &self.shared.config.static_dir {
            info!(directory:% = directory.display(); "serving the page from a directory");
        }
        for addr in self.addrs() {
            info!(url:% = format_args!("http://{addr}"); "listening");
        }
        for addr in self.tls_addrs() {
            info!(url:% = format_args!("https://{addr}"); "listening");
        }
        let (addrs, tls_addrs) = (self.addrs(), self.tls_addrs());
        let shared = self.shared;
        let config = &shared.config;
        let grace = config.shutdown_grace.duration();
        let (handle_sender, handle) = oneshot::channel();
        let mut server = actix_server::Server::build()
            .backlog(BACKLOG)
            // `admission` has the caps. It counts each connection when it is accepted.
            .max_concurrent_connections(usize::MAX)
            // Not reached: `drain` has ended the sessions before, or `deadline` below has ended the server.
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
            // Logged here, because after the select the server has dropped its connections.
            warn!(connections = shared.admission.open_sessions(); "shutdown grace period expired");
        };
        let server = server.run();
        let print_address = async {
            if let Some(format) = config.print_address {
                address_lines::print(format, &addrs, &tls_addrs);
            }
            std::future::pending().await
        };
        // `drain` has no receiver unless the sockets are inherited.
        let _ = handle_sender.send(server.handle());
        tokio::select! {
            // The first poll of `server` starts the threads that accept connections, before the addresses are printed.
            biased;
            served = server => served?,
            () = deadline => {}
            () = print_address => {}
        }
        info!("stopped");
        Ok(())
    }
}

fn addrs(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    let addrs = listeners.iter().filter_map(|listener| listener.local_addr().ok());
    addrs.collect()
}
