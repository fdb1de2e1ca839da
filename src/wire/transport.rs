//! The socket of one connection, as actix-http reads and writes it.
//!
//! It adds two things that the layers above cannot see or do: the head of the first request as it stood on the wire,
//! for actix keeps headers without their order and case, and an end by reset.

use std::{
    cell::{Cell, RefCell},
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Longest head that is kept; one that is longer is known by its headers alone.
const MAX_HEAD: usize = 16 * 1024;

/// What a request's handler may know of, and ask of, the socket that it came over.
#[derive(Debug, Default)]
pub struct Socket {
    head: RefCell<Vec<u8>>,
    head_done: Cell<bool>,
    reset: Cell<bool>,
}

impl Socket {
    /// The first request's head, up to and with its empty line; told once. Empty where it was too long.
    pub fn take_head(&self) -> Vec<u8> {
        self.head_done.set(true);
        self.head.take()
    }

    /// Whether dropping the connection from now on resets it, without a FIN and without what is still unsent.
    pub fn reset_on_drop(&self) {
        self.reset.set(true);
    }

    fn keep_head(&self, fresh: &[u8]) {
        let mut head = self.head.borrow_mut();
        // The end may be cut: look from three bytes before what is new.
        let seen = head.len().saturating_sub(3);
        head.extend_from_slice(fresh);
        if let Some(end) = head[seen..].windows(4).position(|window| window == b"\r\n\r\n") {
            head.truncate(seen + end + 4);
            self.head_done.set(true);
        } else if head.len() > MAX_HEAD {
            *head = Vec::new();
            self.head_done.set(true);
        }
    }
}

/// A TCP connection and the [`Socket`] that its handlers see.
#[derive(Debug)]
pub struct Transport {
    io: TcpStream,
    socket: Rc<Socket>,
}

impl Transport {
    /// Wraps an accepted connection.
    pub fn new(io: TcpStream) -> Self {
        Self {
            io,
            socket: Rc::default(),
        }
    }

    /// What handlers see of it.
    pub fn socket(&self) -> Rc<Socket> {
        Rc::clone(&self.socket)
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        if self.socket.reset.get() {
            // Lingering for no time at all is how a socket is told to reset (RFC 9293 section 3.10.4, ABORT).
            let _ = SockRef::from(&self.io).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        if !self.socket.head_done.get() {
            self.socket.keep_head(&buffer.filled()[before..]);
        }
        polled
    }
}

impl AsyncWrite for Transport {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
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
    use super::*;

    #[test]
    fn the_head_is_kept_as_it_came_wherever_it_is_cut() {
        let request = b"GET / HTTP/1.1\r\nhOST: a\r\n\r\n";
        for cut in 0..=request.len() {
            let socket = Socket::default();
            socket.keep_head(&request[..cut]);
            if !socket.head_done.get() {
                let mut rest = request[cut..].to_vec();
                rest.extend_from_slice(b"body");
                socket.keep_head(&rest);
            }
            assert_eq!(socket.take_head(), request, "cut at {cut}");
        }
    }

    #[test]
    fn a_head_without_an_end_is_not_kept_for_ever() {
        let socket = Socket::default();
        socket.keep_head(&[b'a'; MAX_HEAD + 1]);
        assert!(socket.head_done.get());
        assert_eq!(socket.take_head(), b"");
    }
}
