//! Windows. It has neither SIGHUP nor inherited sockets nor a limit of open sockets.

use std::{io, net::TcpListener};

use socket2::Socket;
use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown,
};

use super::request::Request;

/// What to do if a port cannot be bound because of a permission.
pub(crate) const PERMISSION_HINT: &str = "another program or Windows reserves the port; choose another one, or see: \
     netsh interface ipv4 show excludedportrange protocol=tcp";

/// `WSAEAFNOSUPPORT` of winsock2.h.
const WSAEAFNOSUPPORT: i32 = 10_047;

/// The events of the console: Ctrl-C, Ctrl-Break, the closing of its window, and the shutdown of the system. Windows ends the
/// process 5 s after the last two.
#[derive(Debug)]
pub struct Signals {
    interrupt: CtrlC,
    break_key: CtrlBreak,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl Signals {
    /// Installs the handlers.
    ///
    /// # Errors
    /// If the system refuses a handler.
    pub fn install() -> io::Result<Self> {
        Ok(Self {
            interrupt: ctrl_c()?,
            break_key: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    /// Waits for the next event.
    pub async fn next(&mut self) -> Request {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.break_key.recv() => {}
            _ = self.close.recv() => {}
            _ = self.shutdown.recv() => {}
        }
        Request::Shutdown
    }
}

/// Does nothing. Connections in TIME_WAIT do not keep a port on Windows, and SO_REUSEADDR there allows two servers on one port.
#[expect(clippy::unnecessary_wraps, reason = "the signature of the Unix family")]
pub(crate) fn allow_rebind(_: &Socket) -> io::Result<()> {
    Ok(())
}

/// Returns whether the system does not support the address family of a socket. std has no kind for this error.
pub(crate) fn is_family_unsupported(error: &io::Error) -> bool {
    error.raw_os_error() == Some(WSAEAFNOSUPPORT)
}

/// Returns no socket.
pub(crate) fn inherited_sockets() -> Vec<(String, io::Result<TcpListener>)> {
    Vec::new()
}

/// Returns that there is no limit.
pub(crate) fn raise_open_file_limit() -> (Option<u64>, io::Result<()>) {
    (None, Ok(()))
}
