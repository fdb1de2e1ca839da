//! Opens the connection that carries HTTP: resolve, TCP, TLS. Each step has the timeout.

use std::{io, net::SocketAddr, rc::Rc, sync::Arc, time::Duration};

use rustls::pki_types::ServerName;
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout},
};
use tokio_rustls::TlsConnector;

use super::{
    error::{Reason, Step},
    facts::Facts,
    options::Options,
    url::Url,
};
use crate::transport::{BufferedTcp, Carrier, Socket};

/// Resolves the host, or that of [`Options::connect_to`].
///
/// # Errors
/// If the host has no address, or the timeout expires.
pub async fn resolve(url: &Url, options: &Options) -> Result<Vec<SocketAddr>, Reason> {
    let address = match &options.connect_to {
        Some(address) => address.clone(),
        None if url.host().contains(':') => format!("[{}]:{}", url.host(), url.port()),
        None => format!("{}:{}", url.host(), url.port()),
    };
    let failed = |source| Reason::Resolve {
        host: address.clone(),
        source,
    };
    let resolved = timeout(options.timeout, lookup_host(&address)).await;
    let addresses: Vec<_> = resolved
        .map_err(|_| Reason::Timeout(Step::Resolve, options.timeout))?
        .map_err(failed)?
        .collect();
    if addresses.is_empty() {
        return Err(failed(io::Error::other("the name has no address")));
    }
    Ok(addresses)
}

/// Opens the connection, and records the facts.
pub(super) async fn dial(url: &Url, options: &Options, facts: &mut Facts) -> Result<Carrier, Reason> {
    let start = Instant::now();
    facts.addresses = resolve(url, options).await?;
    facts.times.resolve = Some(start.elapsed());
    let start = Instant::now();
    let tcp = connect(options.timeout, facts).await?;
    facts.times.connect = Some(start.elapsed());
    if !url.is_tls() {
        return Ok(Carrier::Socket(Rc::new(Socket::client(tcp))));
    }
    let start = Instant::now();
    let socket = match timeout(options.timeout, start_tls(url, options, tcp, facts)).await {
        Ok(socket) => socket?,
        Err(_) => return Err(Reason::Timeout(Step::Tls, options.timeout)),
    };
    facts.times.tls = Some(start.elapsed());
    facts.tls = socket.tls().cloned();
    Ok(Carrier::Socket(Rc::new(socket)))
}

/// Connects to the first address that accepts. An address that does not answer leaves time for the others.
async fn connect(limit: Duration, facts: &mut Facts) -> Result<TcpStream, Reason> {
    let deadline = Instant::now() + limit;
    let mut last = Reason::Timeout(Step::Connect, limit);
    let addresses = facts.addresses.clone();
    for (index, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        last = match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                facts.peer = Some(*address);
                // Each message is written at once, so Nagle's algorithm only delays the last segment.
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Ok(Err(error)) => Reason::Connect(*address, error),
            Err(_) => Reason::Timeout(Step::Connect, limit),
        };
        let reason = match &last {
            Reason::Connect(_, error) => error.to_string(),
            _ => format!("no answer within {share:?}"),
        };
        facts.failed.push((*address, reason));
    }
    Err(last)
}

async fn start_tls(
    url: &Url,
    options: &Options,
    tcp: TcpStream,
    facts: &mut Facts,
) -> Result<Socket, Reason> {
    let name = ServerName::try_from(url.host().to_owned())
        .map_err(|_| Reason::TlsConfig(format!("{} is no name for a certificate", url.host())))?;
    let (config, recorder) = options
        .trust
        .config(&options.alpn)
        .map_err(|error| Reason::TlsConfig(error.to_string()))?;
    let connected = TlsConnector::from(Arc::new(config))
        .connect(name, BufferedTcp::new(tcp))
        .await;
    facts.certificates = recorder.take();
    Ok(Socket::tls_client(connected.map_err(Reason::Tls)?))
}
