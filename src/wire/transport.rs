//! The socket of one connection, as actix-http reads and writes it.
//!
//! It adds what the layers above cannot see or do: the head of the first request as it stood on the wire, for actix
//! keeps headers without their order and case; what TLS agreed on; an end by reset; and a way to have the connection
//! without actix-http, once there is no more HTTP on it. With TLS or without it is one type, so that actix's dispatcher
//! is compiled once.

use std::{
    cell::{Cell, RefCell},
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use futures_core::{future::LocalBoxFuture, ready};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

use super::{
    ahead::Ahead,
    stream::{Stream, TlsFacts},
};

/// Longest head that is kept; one that is longer is known by its headers alone.
const MAX_HEAD: usize = 16 * 1024;

/// A connection as its request's handler has it: what may be known of it and asked of it.
#[derive(Debug)]
pub struct Socket {
    /// None once it is closed.
    stream: RefCell<Option<Stream>>,
    head: RefCell<Vec<u8>>,
    head_done: Cell<bool>,
    reset: Cell<bool>,
    tls: Option<Box<TlsFacts>>,
    owner: RefCell<Owner>,
}

/// Who reads and writes a connection.
#[derive(Default)]
enum Owner {
    #[default]
    Http,
    /// HTTP, until what it has written is out; then this.
    HttpBefore(LocalBoxFuture<'static, ()>),
    Other,
}

impl std::fmt::Debug for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Http => "Http",
            Self::HttpBefore(_) => "HttpBefore",
            Self::Other => "Other",
        })
    }
}

impl Socket {
    fn new(stream: Stream, tls: Option<TlsFacts>) -> Self {
        Self {
            stream: RefCell::new(Some(stream)),
            head: RefCell::default(),
            head_done: Cell::default(),
            reset: Cell::default(),
            tls: tls.map(Box::new),
            owner: RefCell::default(),
        }
    }

    /// Gives the connection to `other` as soon as what HTTP has written is out; HTTP then sees its end, and goes.
    pub(super) fn give_to(&self, other: LocalBoxFuture<'static, ()>) {
        *self.owner.borrow_mut() = Owner::HttpBefore(other);
    }

    /// Whether HTTP no longer has it.
    pub(super) fn is_given(&self) -> bool {
        matches!(*self.owner.borrow(), Owner::Other)
    }

    pub(super) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut *self.stream.borrow_mut() {
            Some(stream) => stream.poll_read(cx, buffer),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Whether reading may find something: cheaper than to try.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &*self.stream.borrow() {
            Some(stream) => stream.poll_readable(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    pub(super) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self.stream.borrow_mut() {
            Some(stream) => stream.poll_write(cx, bytes),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A TCP stream holds nothing back.
        if self.tls.is_none() {
            return Poll::Ready(Ok(()));
        }
        match &mut *self.stream.borrow_mut() {
            Some(stream) => stream.poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    pub(super) fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self.stream.borrow_mut() {
            Some(stream) => stream.poll_shutdown(cx, self.reset.get()),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Closes it, whoever else still knows it.
    pub(super) fn close(&self) {
        if let Some(stream) = self.stream.borrow_mut().take() {
            stream.close(self.reset.get());
        }
    }

    /// What TLS agreed on; none on a plain connection.
    pub fn tls(&self) -> Option<&TlsFacts> {
        self.tls.as_deref()
    }

    /// The first request's head, up to and with its empty line; told once. Empty where it was too long.
    pub fn take_head(&self) -> Vec<u8> {
        self.head_done.set(true);
        self.head.take()
    }

    /// Closing the connection from now on resets it, without a FIN and without what is still unsent.
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

/// A connection as actix-http has it, for as long as there is HTTP on it.
#[derive(Debug)]
pub struct Transport(Rc<Socket>);

impl Transport {
    /// Wraps an accepted connection.
    pub fn new(io: TcpStream) -> Self {
        Self(Rc::new(Socket::new(Stream::Plain(io), None)))
    }

    /// Wraps an accepted connection whose TLS handshake is done.
    pub fn tls(stream: TlsStream<Ahead>) -> Self {
        let facts = TlsFacts::of(stream.get_ref().1);
        Self(Rc::new(Socket::new(Stream::tls(stream), Some(facts))))
    }

    /// What handlers see of it.
    pub fn socket(&self) -> Rc<Socket> {
        Rc::clone(&self.0)
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        if !self.0.is_given() {
            // Whoever waits for the connection has it too: neither would ever be dropped.
            self.0.owner.take();
            self.0.close();
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let socket = &self.0;
        if socket.is_given() {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let polled = socket.poll_read(cx, buffer);
        if !socket.head_done.get() {
            socket.keep_head(&buffer.filled()[before..]);
        }
        polled
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.0.is_given() {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        }
        self.0.poll_write(cx, bytes)
    }

    /// actix-http calls this once all that it had to write is written.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket = &self.0;
        if socket.is_given() {
            return Poll::Ready(Ok(()));
        }
        ready!(socket.poll_flush(cx))?;
        let mut owner = socket.owner.borrow_mut();
        *owner = match std::mem::take(&mut *owner) {
            Owner::HttpBefore(other) => {
                tokio::task::spawn_local(other);
                // So that it looks, and sees the end.
                cx.waker().wake_by_ref();
                Owner::Other
            }
            other => other,
        };
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.0.is_given() {
            return Poll::Ready(Ok(()));
        }
        self.0.poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket() -> Socket {
        Socket {
            stream: RefCell::default(),
            head: RefCell::default(),
            head_done: Cell::default(),
            reset: Cell::default(),
            tls: None,
            owner: RefCell::default(),
        }
    }

    #[test]
    fn the_head_is_kept_as_it_came_wherever_it_is_cut() {
        let request = b"GET / HTTP/1.1\r\nhOST: a\r\n\r\n";
        for cut in 0..=request.len() {
            let socket = socket();
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
        let socket = socket();
        socket.keep_head(&[b'a'; MAX_HEAD + 1]);
        assert!(socket.head_done.get());
        assert_eq!(socket.take_head(), b"");
    }
}
