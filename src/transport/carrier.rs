//! The interface between a session and the connection that transports its bytes.

use std::{
    io,
    rc::Rc,
    task::{Context, Poll},
};

use tokio::io::ReadBuf;

use super::{body_pipe::BodyPipe, socket::Socket, tls_stream::TlsInfo};

/// The connection that transports a session's bytes. It is an enum, because a branch costs less than a call through a trait
/// object.
#[derive(Debug, Clone)]
pub enum Carrier {
    /// A TCP connection that HTTP/1.1 has handed over.
    Socket(Rc<Socket>),
    /// The body of a response, on a connection that HTTP does not hand over, as with actix's test server.
    Body(Rc<BodyPipe>),
}

impl Carrier {
    /// Returns the parameters of TLS, or `None` for a connection without TLS.
    pub fn tls(&self) -> Option<&TlsInfo> {
        match self {
            Self::Socket(socket) => socket.tls(),
            Self::Body(_) => None,
        }
    }

    /// Makes the next close a reset (TCP RST), which drops unsent bytes.
    pub fn reset_on_close(&self) {
        match self {
            Self::Socket(socket) => socket.reset_on_close(),
            Self::Body(pipe) => pipe.reset_on_close(),
        }
    }

    /// Makes the kernel store fewer unread bytes, so that the peer soon notices that this end reads slowly.
    pub fn limit_receive_buffer(&self) {
        if let Self::Socket(socket) = self {
            socket.limit_receive_buffer();
        }
    }

    /// Makes later reads bypass tokio's readiness: each read that would be pending tries the kernel. A read is then pending only
    /// if no bytes have arrived.
    pub(super) fn bypass_readiness(&self) {
        if let Self::Socket(socket) = self {
            socket.bypass_readiness();
        }
    }

    /// Reads to `buffer`. A read of 0 bytes is the end of the stream.
    #[inline]
    pub fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Socket(socket) => socket.poll_read(cx, buffer),
            // All input is in the request's payload.
            Self::Body(_) => Poll::Ready(Ok(())),
        }
    }

    /// Returns `Ready` if a read may return bytes. This costs less than a read.
    #[inline]
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Socket(socket) => socket.poll_readable(cx),
            Self::Body(_) => Poll::Ready(Ok(())),
        }
    }

    /// Writes as many of the bytes as the connection accepts.
    #[inline]
    pub fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Socket(socket) => socket.poll_write(cx, bytes),
            Self::Body(pipe) => pipe.poll_write(cx, bytes),
        }
    }

    /// Writes the bytes that are buffered between the caller and the kernel.
    #[inline]
    pub fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Socket(socket) => socket.poll_flush(cx),
            Self::Body(pipe) => pipe.poll_flush(cx),
        }
    }

    /// Ends the outgoing direction, after all written bytes.
    pub fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Socket(socket) => socket.poll_shutdown(cx),
            Self::Body(pipe) => pipe.poll_shutdown(cx),
        }
    }

    /// Ends both directions at once.
    pub fn close(&self) {
        match self {
            Self::Socket(socket) => socket.close(),
            Self::Body(pipe) => pipe.close(),
        }
    }

    /// Returns a number that changes whenever the kernel, or HTTP, accepts bytes.
    pub fn writes(&self) -> u32 {
        match self {
            Self::Socket(socket) => socket.writes(),
            Self::Body(pipe) => pipe.reads(),
        }
    }
}
