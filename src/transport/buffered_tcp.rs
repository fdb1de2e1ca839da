//! A TCP connection beneath TLS, with larger reads: rustls reads 4 KiB or one record at a time.

use std::{
    io::{self, IoSlice},
    ops::Range,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    pool::{self, Use},
    tcp::Tcp,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Largest read in bytes. Up to this many unread bytes may stay in a connection between two polls.
const READ: usize = 32 * 1024;

/// A TCP connection with a read buffer. Writes are not buffered.
#[derive(Debug)]
pub struct BufferedTcp {
    tcp: Tcp,
    /// Lent by the thread. Empty once rustls has read all of it.
    buffer: Vec<u8>,
    /// Range of the bytes that rustls has not read.
    left: Range<usize>,
}

impl BufferedTcp {
    /// Wraps a connection before its first read.
    pub fn new(io: TcpStream) -> Self {
        Self {
            tcp: Tcp::new(io),
            buffer: Vec::new(),
            left: 0..0,
        }
    }

    /// Returns the connection without the buffer. It must not be read, because earlier bytes may be in the buffer.
    pub(super) fn tcp(&self) -> &Tcp {
        &self.tcp
    }

    pub(super) fn tcp_mut(&mut self) -> &mut Tcp {
        &mut self.tcp
    }

    fn take(&mut self, out: &mut ReadBuf<'_>) {
        let len = self.left.len().min(out.remaining());
        out.put_slice(&self.buffer[self.left.start..self.left.start + len]);
        self.left.start += len;
        if self.left.is_empty() {
            pool::put(Use::Decrypt, std::mem::take(&mut self.buffer));
        }
    }
}

impl AsyncRead for BufferedTcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let mut polled = Poll::Ready(Ok(()));
        if this.left.is_empty() {
            this.buffer = pool::take(Use::Decrypt);
            this.buffer.resize(READ, 0);
            let mut room = ReadBuf::new(&mut this.buffer);
            polled = Pin::new(&mut this.tcp).poll_read(cx, &mut room);
            this.left = 0..room.filled().len();
        }
        // If nothing was read, this returns the buffer to the pool.
        this.take(out);
        polled
    }
}

impl AsyncWrite for BufferedTcp {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn reads_of_any_size_return_the_bytes_in_order_and_leave_no_buffer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut buffered = BufferedTcp::new(listener.accept().await.unwrap().0);
        let sent: Vec<u8> = (0..100_000_u32).map(|number| number.to_le_bytes()[1]).collect();
        peer.write_all(&sent).await.unwrap();
        drop(peer);
        let mut received = Vec::new();
        for len in [1, 4096, READ, 7].into_iter().cycle() {
            let mut block = vec![0; len];
            let read = buffered.read(&mut block).await.unwrap();
            if read == 0 {
                break;
            }
            received.extend_from_slice(&block[..read]);
        }
        assert!(received == sent);
        assert_eq!(buffered.buffer.capacity(), 0);
    }
}
