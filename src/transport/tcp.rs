//! A TCP connection: the one place that reads from and writes to the kernel.

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

/// A TCP connection.
#[derive(Debug)]
pub(super) struct Tcp {
    io: TcpStream,
    /// Whether a read tries the kernel when tokio reports no bytes.
    asks_kernel: bool,
    /// Number of writes that the kernel has accepted. Wraps.
    writes: Cell<u32>,
}

impl Tcp {
    pub(super) fn new(io: TcpStream) -> Self {
        Self {
            io,
            asks_kernel: false,
            writes: Cell::default(),
        }
    }

    /// Makes each later read that would be pending read from the kernel. Without this, a pending read means only that tokio's driver
    /// found no bytes at its last poll, and on a busy machine it polls seldom.
    pub(super) fn ask_kernel(&mut self) {
        self.asks_kernel = true;
    }

    /// Returns a number that changes whenever the kernel accepts bytes.
    pub(super) fn writes(&self) -> u32 {
        self.writes.get()
    }

    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.asks_kernel {
            return Poll::Ready(Ok(()));
        }
        self.io.poll_read_ready(cx)
    }

    /// Writes as much as the kernel accepts, without waiting.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.io.try_write(bytes)
    }

    /// Makes the next close a reset (RFC 9293 section 3.10.5, ABORT), with a linger time of zero.
    pub(super) fn reset_on_close(&self) {
        let _ = SockRef::from(&self.io).set_linger(Some(Duration::ZERO));
    }

    fn wrote(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(polled, Poll::Ready(Ok(1..))) {
            self.writes.set(self.writes.get().wrapping_add(1));
        }
        polled
    }

    /// Reads from the kernel without tokio.
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
            Poll::Pending if self.asks_kernel => self.read_kernel(buffer),
            polled => polled,
        }
    }
}

impl AsyncWrite for Tcp {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.wrote(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.wrote(polled)
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
