//! A TCP connection beneath TLS: read in larger pieces than rustls asks for, which is 4 KiB or one record at a time.

use std::{
    cell::Cell,
    io::{self, IoSlice},
    ops::Range,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Bytes of one read at most: so much may wait of a connection whose messages are taken one by one.
const READ: usize = 32 * 1024;

thread_local! {
    /// One buffer serves all connections of a thread, so that one that is idle has none.
    static BUFFER: Cell<Vec<u8>> = Cell::default();
}

/// A TCP connection that is read ahead. What is written is written at once.
#[derive(Debug)]
pub struct Ahead {
    io: TcpStream,
    /// Empty where nothing is left of what was read.
    buffer: Vec<u8>,
    left: Range<usize>,
}

impl Ahead {
    /// Reads `io` ahead.
    pub fn new(io: TcpStream) -> Self {
        Self {
            io,
            buffer: Vec::new(),
            left: 0..0,
        }
    }

    /// The connection itself, for all but reading: some of what came may be here already.
    pub(super) fn tcp(&self) -> &TcpStream {
        &self.io
    }

    fn take(&mut self, out: &mut ReadBuf<'_>) {
        let len = self.left.len().min(out.remaining());
        out.put_slice(&self.buffer[self.left.start..self.left.start + len]);
        self.left.start += len;
        if self.left.is_empty() {
            BUFFER.set(std::mem::take(&mut self.buffer));
        }
    }
}

impl AsyncRead for Ahead {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.left.is_empty() {
            let mut buffer = BUFFER.take();
            buffer.resize(READ, 0);
            let mut room = ReadBuf::new(&mut buffer);
            let polled = Pin::new(&mut this.io).poll_read(cx, &mut room);
            this.left = 0..room.filled().len();
            this.buffer = buffer;
            // Where nothing came, this gives the buffer back.
            this.take(out);
            polled
        } else {
            this.take(out);
            Poll::Ready(Ok(()))
        }
    }
}

impl AsyncWrite for Ahead {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
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

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn what_is_taken_piece_by_piece_is_what_came_and_nothing_is_kept_of_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut ahead = Ahead::new(listener.accept().await.unwrap().0);
        let said: Vec<u8> = (0..100_000_u32).map(|number| number.to_le_bytes()[1]).collect();
        peer.write_all(&said).await.unwrap();
        drop(peer);
        let mut heard = Vec::new();
        for len in [1, 4096, READ, 7].into_iter().cycle() {
            let mut piece = vec![0; len];
            let read = ahead.read(&mut piece).await.unwrap();
            if read == 0 {
                break;
            }
            heard.extend_from_slice(&piece[..read]);
        }
        assert!(heard == said);
        assert_eq!(ahead.buffer.capacity(), 0);
    }
}
