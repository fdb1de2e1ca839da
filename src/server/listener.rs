//! The sockets that wait for connections.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs},
};

use listenfd::ListenFd;
use rustix::io::Errno;
use socket2::{Domain, Socket, Type};
use thiserror::Error;

use crate::config::{Config, ListenAddr, Tls};

/// Connections that the kernel holds ready while the workers are busy.
pub(crate) const BACKLOG: u32 = 4096;

/// How often a port that the system chose is tried on all addresses of a name before giving up.
const PORT_TRIES: usize = 16;

/// Why an address cannot be listened on. One line that says what to do.
#[derive(Debug, Error)]
pub enum ListenError {
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
    /// A socket that was passed cannot be used.
    #[error("socket {index} of LISTEN_FDS cannot be listened on: {source}; pass listening TCP sockets alone")]
    Inherited {
        /// Its number among those passed, from 0.
        index: usize,
        /// What the system said.
        source: io::Error,
    },
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the port is taken; choose another one with --listen or --tls-listen".to_owned()
        }
        io::ErrorKind::PermissionDenied => "not permitted; ports below 1024 belong to root".to_owned(),
        _ => error.to_string(),
    }
}

/// What is listened on.
#[derive(Debug)]
pub(crate) struct Sockets {
    /// For plain HTTP and ws.
    pub(crate) plain: Vec<TcpListener>,
    /// For HTTPS and wss.
    pub(crate) tls: Vec<TcpListener>,
    /// Whether they are somebody else's, who goes on listening when this process ends.
    pub(crate) inherited: bool,
}

/// Those that were passed, of which the ones by the name of https are for TLS, or else those that the flags name.
///
/// # Errors
/// When one of them cannot be had.
pub(crate) fn sockets(config: &Config) -> Result<Sockets, ListenError> {
    let bind_all = |addrs: &[ListenAddr]| -> Result<Vec<TcpListener>, ListenError> {
        let mut listeners = Vec::new();
        for addr in addrs {
            listeners.extend(bind(addr)?);
        }
        Ok(listeners)
    };
    let passed = inherited()?;
    let were_passed = !passed.is_empty();
    let (mut plain, mut tls) = (Vec::new(), Vec::new());
    for Inherited { name, socket } in passed {
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

/// A listening socket that somebody else has bound, and keeps when this process ends.
#[derive(Debug)]
struct Inherited {
    /// As `FileDescriptorName=` of systemd says; empty where nobody said.
    name: String,
    /// It is listening already.
    socket: TcpListener,
}

/// The sockets that systemd, or whatever speaks as it does, has passed (`sd_listen_fds(3)`).
///
/// # Errors
/// When one of them is no listening TCP socket.
fn inherited() -> Result<Vec<Inherited>, ListenError> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':');
    let mut passed = ListenFd::from_env();
    let mut inherited = Vec::new();
    for index in 0..passed.len() {
        let name = names.next().unwrap_or_default().to_owned();
        let taken = passed.take_tcp_listener(index);
        let Some(socket) = taken.map_err(|source| ListenError::Inherited { index, source })? else {
            continue;
        };
        inherited.push(Inherited { name, socket });
    }
    Ok(inherited)
}

/// Binds every address of a name. Where the port is 0 they all get the same one.
///
/// # Errors
/// When the name cannot be resolved, or an address cannot be had. An address that this machine does not have is passed
/// over where the name has another one.
fn bind(addr: &ListenAddr) -> Result<Vec<TcpListener>, ListenError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match bind_once(addr) {
            // The port that was free on one address is taken on another: the system will choose a different one.
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
            // The name has an address that this machine lacks, as ::1 where IPv6 is off.
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
        // std has no kind for it.
        || Errno::from_io_error(error) == Some(Errno::AFNOSUPPORT)
}

fn resolve(addr: &ListenAddr) -> Result<Vec<IpAddr>, ListenError> {
    // RFC 6761 section 6.3: localhost is the loopback address of both families, whatever a resolver says; and a static
    // binary in an empty image has none to ask.
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
    // A restart must not wait for the last connections of the old process to leave TIME_WAIT.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        // So that 0.0.0.0 and [::] can be listened on side by side.
        socket.set_only_v6(true)?;
    }
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG.cast_signed())?;
    Ok(socket.into())
}
