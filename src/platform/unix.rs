//! Linux, macOS and the other systems of the Unix family.

use std::{env, io, net::TcpListener};

use listenfd::ListenFd;
use rustix::{
    io::Errno,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};
use socket2::Socket;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::request::Request;

/// What to do if a port cannot be bound because of a permission.
pub(crate) const PERMISSION_HINT: &str = if cfg!(target_os = "linux") {
    "ports below 1024 need root or CAP_NET_BIND_SERVICE"
} else {
    "ports below 1024 need root"
};

/// `OPEN_MAX` of macOS. Its kernel accepts no soft limit above `kern.maxfilesperproc`, which is at least this, although the hard
/// limit is usually unlimited (setrlimit(2) of macOS, COMPATIBILITY).
const APPLE_OPEN_MAX: u64 = 10_240;

/// The signals that the process handles: SIGTERM, SIGINT and SIGHUP.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Installs the handlers. SIGHUP has one also without TLS, because it otherwise ends the process.
    ///
    /// # Errors
    /// If the system refuses a handler.
    pub fn install() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> Request {
        tokio::select! {
            _ = self.terminate.recv() => Request::Shutdown,
            _ = self.interrupt.recv() => Request::Shutdown,
            _ = self.hangup.recv() => Request::Reload,
        }
    }
}

/// Makes a restart independent of the last connections of the old process, which are in TIME_WAIT.
pub(crate) fn allow_rebind(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_address(true)
}

/// Returns whether the system does not support the address family of a socket. std has no kind for this error.
pub(crate) fn is_family_unsupported(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::AFNOSUPPORT)
}

/// Returns the sockets that systemd, or a program with the same protocol, has passed (`sd_listen_fds(3)`): each with its name,
/// which is empty without a `FileDescriptorName=`.
pub(crate) fn inherited_sockets() -> Vec<(String, io::Result<TcpListener>)> {
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':');
    let mut passed = ListenFd::from_env();
    (0..passed.len())
        .filter_map(|index| {
            let name = names.next().unwrap_or_default().to_owned();
            let socket = passed.take_tcp_listener(index).transpose()?;
            Some((name, socket))
        })
        .collect()
}

/// Raises the soft limit of open file descriptors to the hard limit: the soft one is a default of the system, the hard one is set
/// by the operator. Returns the soft limit, `None` if there is none, and the error if it cannot be raised.
pub(crate) fn raise_open_file_limit() -> (Option<u64>, io::Result<()>) {
    let Rlimit {
        current: soft,
        maximum: hard,
    } = getrlimit(Resource::Nofile);
    if soft == hard {
        return (soft, Ok(()));
    }
    let raise = |wanted: Option<u64>| {
        setrlimit(
            Resource::Nofile,
            Rlimit {
                current: wanted,
                maximum: hard,
            },
        )
        .map(|()| wanted)
    };
    let raised = match raise(hard) {
        Err(_) if cfg!(target_vendor = "apple") && soft.is_some_and(|soft| soft < APPLE_OPEN_MAX) => {
            raise(Some(APPLE_OPEN_MAX))
        }
        raised => raised,
    };
    match raised {
        Ok(limit) => (limit, Ok(())),
        Err(error) => (soft, Err(error.into())),
    }
}
