//! The seam between a session and what carries its bytes.

use std::{
    io,
    rc::Rc,
    task::{Context, Poll},
};

use tokio::io::ReadBuf;

use super::{body_pipe::BodyPipe, socket::Socket, tls_stream::TlsInfo};

/// What carries a session's bytes. An enum and no trait object: the usual case pays one branch.
#[derive(Debug, Clone)]
pub enum Carrier {
    /// The TCP connection, which HTTP/1.1 has handed over.
    Socket(Rc<Socket>),
    /// The body of a response, on a connection that stays with HTTP: that of actix's test server.
    Body(Rc<BodyPipe>),
}

impl Carrier {
    /// What TLS negotiated. None on a plain connection.
    pub fn tls(&self) -> Option<&TlsInfo> {
        match self {
            Self::Socket(socket) => socket.tls(),
            Self::Body(_) => None,
        }
    }

    /// The carrier ends abruptly, without what is still unsent.
    pub fn reset_on_close(&self) {
        match self {
            Self::Socket(socket) => socket.reset_on_close(),
            Self::Body(pipe) => pipe.reset_on_close(),
        }
    }

    /// From now on a read that is pending means that nothing has arrived.
    pub(super) fn ask_kernel(&self) {
        if let Self::Socket(socket) = self {
            socket.ask_kernel();
        }
    }

    /// Reads to `buffer`. No byte is the end.
    #[inline]
    pub(super) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Socket(socket) => socket.poll_read(cx, buffer),
            // The request's payload was all.
            Self::Body(_) => Poll::Ready(Ok(())),
        }
    }

    /// Whether a read may find bytes. Costs less than to try.
    #[inline]
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Socket(socket) => socket.poll_readable(cx),
            Self::Body(_) => Poll::Ready(Ok(())),
        }
    }

    #[inline]
    pub(super) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Socket(socket) => socket.poll_write(cx, bytes),
            Self::Body(pipe) => pipe.poll_write(cx, bytes),
        }
    }

    #[inline]
    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Socket(socket) => socket.poll_flush(cx),
            Self::Body(pipe) => pipe.poll_flush(cx),
        }
    }

    /// Ends the outgoing direction.
    pub(super) fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Socket(socket) => socket.poll_shutdown(cx),
            Self::Body(pipe) => pipe.poll_shutdown(cx),
        }
    }

    /// Ends both directions.
    pub(super) fn close(&self) {
        match self {
            Self::Socket(socket) => socket.close(),
            Self::Body(pipe) => pipe.close(),
        }
    }

    /// A number that changes whenever bytes are accepted below.
    pub(super) fn writes(&self) -> u32 {
        match self {
            Self::Socket(socket) => socket.writes(),
            Self::Body(pipe) => pipe.reads(),
        }
    }
}
