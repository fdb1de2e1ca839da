//! The listening sockets.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs},
};

use socket2::{Domain, Socket, Type};
use thiserror::Error;

use crate::{
    config::{Config, ListenAddr, Tls},
    platform,
};

/// Maximum number of connections that the kernel queues while the workers are busy.
pub(crate) const BACKLOG: u32 = 4096;

/// Maximum number of ports, chosen by the system, that are tried on all addresses of a name.
const PORT_TRIES: usize = 16;

/// The reason why the server cannot listen on an address. Each text is one line: what was found and what to do.
#[derive(Debug, Error)]
pub enum ListenError {
    /// A name of `--listen` has no address.
    #[error("cannot resolve {addr}: {source}")]
    Resolve {
        /// The address of the flag.
        addr: ListenAddr,
        /// The error of the system.
        source: io::Error,
    },
    /// An address cannot be bound.
    #[error("cannot listen on {addr}: {}", explain(.source))]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// The error of the system.
        source: io::Error,
    },
    /// An inherited socket cannot be used.
    #[error("cannot use socket {index} of LISTEN_FDS: {source}; pass only listening TCP sockets")]
    Inherited {
        /// Its number among the inherited sockets, from 0.
        index: usize,
        /// The error of the system.
        source: io::Error,
    },
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "address in use; choose another port with --listen or --tls-listen".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            format!("permission denied: {}", platform::PERMISSION_HINT)
        }
        io::ErrorKind::AddrNotAvailable => "this machine does not have the address".to_owned(),
        _ => error.to_string(),
    }
}

/// The listening sockets of the server.
#[derive(Debug)]
pub(crate) struct Sockets {
    /// For plain HTTP and ws.
    pub(crate) plain: Vec<TcpListener>,
    /// For HTTPS and wss.
    pub(crate) tls: Vec<TcpListener>,
    /// Whether another process owns the sockets, which then stay open when this process ends.
    pub(crate) inherited: bool,
}

/// Returns the inherited sockets, or else binds those of the flags. An inherited socket with the name `https` is for TLS.
///
/// # Errors
/// If a socket cannot be bound or used.
pub(crate) fn sockets(config: &Config) -> Result<Sockets, ListenError> {
    let bind_all = |addrs: &[ListenAddr]| -> Result<Vec<TcpListener>, ListenError> {
        let mut listeners = Vec::new();
        for addr in addrs {
            listeners.extend(bind(addr)?);
        }
        Ok(listeners)
    };
    let passed = platform::inherited_sockets();
    let were_passed = !passed.is_empty();
    let (mut plain, mut tls) = (Vec::new(), Vec::new());
    for (index, (name, socket)) in passed.into_iter().enumerate() {
        let socket = socket.map_err(|source| ListenError::Inherited { index, source })?;
        if name == "https" { &mut tls } else { &mut plain }.push(socket);
    }
    if !were_passed {
        plain = bind_all(&config.listen)?;
    }
    if let Tls::On { listen, .. } = &config.tls
        && tls.is_empty()
    {
        tls = bind_all(listen)?;
    }
    Ok(Sockets {
        plain,
        tls,
        inherited: were_passed,
    })
}

/// Binds every address of a name. If the port is 0, all of them get the same port.
///
/// # Errors
/// If the name cannot be resolved, or an address cannot be bound. An address that this machine lacks is skipped if the name has
/// another one.
fn bind(addr: &ListenAddr) -> Result<Vec<TcpListener>, ListenError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match bind_once(addr) {
            // The port is free on one address and taken on another. The next try gets a different one.
            Err(ListenError::Bind { source, .. })
                if addr.port == 0 && source.kind() == io::ErrorKind::AddrInUse && tries < PORT_TRIES => {}
            done => return done,
        }
    }
}

fn bind_once(addr: &ListenAddr) -> Result<Vec<TcpListener>, ListenError> {
    let resolved = resolve(addr)?;
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut missing = None;
    let mut port = addr.port;
    for ip in &resolved {
        let addr = SocketAddr::new(*ip, port);
        match listen(addr) {
            Ok(listener) => {
                port = listener.local_addr().map_or(port, |bound| bound.port());
                listeners.push(listener);
            }
            // The machine may lack an address of the name, such as ::1 if IPv6 is off.
            Err(source) if resolved.len() > 1 && is_absent(&source) => missing = Some((addr, source)),
            Err(source) => return Err(ListenError::Bind { addr, source }),
        }
    }
    match missing {
        Some((addr, source)) if listeners.is_empty() => Err(ListenError::Bind { addr, source }),
        _ => Ok(listeners),
    }
}

fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.kind() == io::ErrorKind::Unsupported
        || platform::is_family_unsupported(error)
}

fn resolve(addr: &ListenAddr) -> Result<Vec<IpAddr>, ListenError> {
    // RFC 6761 section 6.3: localhost is the loopback address of both families, without a resolver. A static binary in an empty
    // image has no resolver.
    if addr.host.eq_ignore_ascii_case("localhost") {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let mut ips: Vec<IpAddr> = (addr.host.as_str(), addr.port)
        .to_socket_addrs()
        .map_err(|source| ListenError::Resolve {
            addr: addr.clone(),
            source,
        })?
        .map(|addr| addr.ip())
        .collect();
    ips.sort_unstable();
    ips.dedup();
    Ok(ips)
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(addr),
        Type::STREAM,
        Some(socket2::Protocol::TCP),
    )?;
    platform::allow_rebind(&socket)?;
    if addr.is_ipv6() {
        // 0.0.0.0 and [::] can then be bound side by side.
        socket.set_only_v6(true)?;
    }
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG.cast_signed())?;
    Ok(socket.into())
}
