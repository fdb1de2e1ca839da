//! A connection after its handshake, read and written without actix-http.
//!
//! HTTP's dispatcher would copy what comes into a channel and what goes into a buffer, wake itself for either, and keep
//! its own buffers and timers for as long as the connection lives. None of that is needed any more once the 101 is out.
//! So the response's body, when it is first asked for bytes, takes the connection instead, and ends.

use std::{
    cell::RefCell,
    io,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll},
};

use bytes::{Buf, BufMut as _, Bytes, BytesMut};
use futures_core::{Stream, ready};
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

use super::transport::Socket;

/// Most bytes of one read. One buffer of this size serves all connections of a thread, so that one that is idle has none.
const READ: usize = 64 * 1024;

/// What is shorter is copied out of that buffer, what is longer takes the buffer with it.
const COPIED: usize = 8 * 1024;

thread_local! {
    static BUFFER: RefCell<BytesMut> = RefCell::default();
}

/// What comes from the peer: first what HTTP has read already, then what the socket gives.
#[derive(Debug)]
pub struct Source<P> {
    /// None once HTTP has no more.
    read_by_http: Option<P>,
    /// None where the connection stays with HTTP.
    socket: Option<Rc<Socket>>,
}

impl<P> Source<P> {
    /// Reads `payload` to its end, and then `socket`.
    pub fn new(payload: P, socket: Option<Rc<Socket>>) -> Self {
        Self {
            read_by_http: Some(payload),
            socket,
        }
    }
}

impl<P, E> Stream for Source<P>
where
    P: Stream<Item = Result<Bytes, E>> + Unpin,
    E: From<io::Error>,
{
    type Item = Result<Bytes, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(payload) = &mut self.read_by_http {
            // Its end is an error where HTTP expected more; what that means is for the socket to say.
            if let Some(Ok(chunk)) = ready!(Pin::new(payload).poll_next(cx)) {
                return Poll::Ready(Some(Ok(chunk)));
            }
            self.read_by_http = None;
        }
        let Some(socket) = &self.socket else {
            return Poll::Ready(None);
        };
        BUFFER.with_borrow_mut(|buffer| {
            buffer.reserve(READ);
            let mut limited = buffer.limit(READ);
            let read = pin!(Reader(socket).read_buf(&mut limited)).poll(cx);
            Poll::Ready(match ready!(read) {
                Err(error) => Some(Err(error.into())),
                Ok(0) => None,
                Ok(..=COPIED) => {
                    let chunk = Bytes::copy_from_slice(buffer);
                    buffer.clear();
                    Some(Ok(chunk))
                }
                Ok(_) => Some(Ok(buffer.split().freeze())),
            })
        })
    }
}

/// For tokio's way of reading into memory that holds nothing yet.
struct Reader<'s>(&'s Socket);

impl AsyncRead for Reader<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.poll_read(cx, buffer)
    }
}

/// The body of a 101: the first time that it is asked for bytes, it gives the connection to a task that writes them
/// itself.
#[derive(Debug)]
pub struct Takeover<B> {
    /// None once the socket has it.
    writer: Option<Writer<B>>,
    socket: Rc<Socket>,
}

impl<B> Takeover<B> {
    /// Will write what `body` gives.
    pub fn new(body: B, socket: Rc<Socket>) -> Self {
        let writer = Writer {
            body: Box::pin(body),
            unsent: Bytes::new(),
            socket: Rc::clone(&socket),
            ending: false,
        };
        Self {
            writer: Some(writer),
            socket,
        }
    }
}

impl<B, E> Stream for Takeover<B>
where
    B: Stream<Item = Result<Bytes, E>> + 'static,
{
    type Item = Result<Bytes, E>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(writer) = self.writer.take() {
            // The head is in HTTP's buffer, and goes out before the socket changes hands.
            self.socket.give_to(Box::pin(writer));
        }
        if self.socket.is_given() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }
}

/// Writes a body to a socket, and closes it. The body is asked for more only when all that it gave before is written:
/// that is the backpressure.
#[derive(Debug)]
struct Writer<B> {
    /// Kept until the socket is closed: whoever waits for the last session to end must not end the process before.
    body: Pin<Box<B>>,
    unsent: Bytes,
    socket: Rc<Socket>,
    ending: bool,
}

impl<B, E> Writer<B>
where
    B: Stream<Item = Result<Bytes, E>>,
{
    /// Fails when the peer takes no more, or when the body asks for an end by error.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        while !self.ending {
            while !self.unsent.is_empty() {
                match ready!(self.socket.poll_write(cx, &self.unsent)) {
                    Ok(written @ 1..) => self.unsent.advance(written),
                    Ok(0) | Err(_) => return Poll::Ready(Err(())),
                }
            }
            // An idle connection keeps nothing of what it last said.
            self.unsent = Bytes::new();
            ready!(self.socket.poll_flush(cx)).map_err(drop)?;
            match ready!(self.body.as_mut().poll_next(cx)) {
                Some(Ok(bytes)) => self.unsent = bytes,
                Some(Err(_)) => return Poll::Ready(Err(())),
                None => self.ending = true,
            }
        }
        self.socket.poll_shutdown(cx).map_err(drop)
    }
}

impl<B, E> Future for Writer<B>
where
    B: Stream<Item = Result<Bytes, E>>,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_body(cx).map(drop)
    }
}

impl<B> Drop for Writer<B> {
    fn drop(&mut self) {
        self.socket.close();
    }
}
