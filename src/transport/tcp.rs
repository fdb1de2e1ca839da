//! A TCP connection. Only this file reads from the kernel and writes to it.

use std::{
    cell::Cell,
    io::{self, IoSlice, Read as _},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Receive buffer in bytes of a connection that is read slowly. The kernel would increase the buffer up to several MiB. It is not
/// smaller, because the kernel drops bytes that were sent within a window that it has advertised and do not fit.
const SMALL_RECEIVE_BUFFER: usize = 32 * 1024;

/// A TCP connection.
#[derive(Debug)]
pub(super) struct Tcp {
    io: TcpStream,
    /// Whether a read tries the kernel if tokio reports no bytes.
    bypasses_readiness: bool,
    /// Number of writes that the kernel has accepted. It wraps.
    writes: Cell<u32>,
}

impl Tcp {
    pub(super) fn new(io: TcpStream) -> Self {
        Self {
            io,
            bypasses_readiness: false,
            writes: Cell::default(),
        }
    }

    /// Makes each later read that would be pending try the kernel. Without this, a pending read shows only that tokio's driver
    /// found no bytes at its last poll, and on a busy machine it polls seldom.
    pub(super) fn bypass_readiness(&mut self) {
        self.bypasses_readiness = true;
    }

    /// Returns a number that changes whenever the kernel accepts bytes.
    pub(super) fn writes(&self) -> u32 {
        self.writes.get()
    }

    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.bypasses_readiness {
            return Poll::Ready(Ok(()));
        }
        self.io.poll_read_ready(cx)
    }

    /// Writes as much as the kernel accepts, without waiting.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.io.try_write(bytes)
    }

    /// Makes the next close a reset (RFC 9293 section 3.10.5, ABORT) by a linger time of zero.
    pub(super) fn reset_on_close(&self) {
        let _ = SockRef::from(&self.io).set_linger(Some(Duration::ZERO));
    }

    /// Makes the kernel store fewer unread bytes.
    pub(super) fn limit_receive_buffer(&self) {
        let _ = SockRef::from(&self.io).set_recv_buffer_size(SMALL_RECEIVE_BUFFER);
    }

    /// Counts the write if the kernel has accepted bytes.
    fn count_write(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(polled, Poll::Ready(Ok(1..))) {
            self.writes.set(self.writes.get().wrapping_add(1));
        }
        polled
    }

    /// Reads from the kernel and bypasses tokio's readiness.
    #[cold]
    fn read_kernel(&self, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match (&*SockRef::from(&self.io)).read(buffer.initialize_unfilled()) {
            Ok(len) => {
                buffer.advance(len);
                Poll::Ready(Ok(()))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl AsyncRead for Tcp {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.io).poll_read(cx, buffer) {
            Poll::Pending if self.bypasses_readiness => self.read_kernel(buffer),
            polled => polled,
        }
    }
}

impl AsyncWrite for Tcp {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.count_write(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.count_write(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
