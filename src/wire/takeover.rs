//! A session and its connection: who runs the one and writes to the other.
//!
//! HTTP's dispatcher would copy what comes into a channel and what goes into a buffer, wake itself for either, and keep
//! its own buffers and timers for as long as the connection lives. None of that is needed any more once the 101 is out.
//! So the response's body, when it is first asked for bytes, takes the connection instead, and ends. On a socket that is
//! not ours the session is the body.

use std::{
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use thiserror::Error;

use super::{outbound::Outbound, transport::Socket};

/// The body of a 101: the first time that it is asked for bytes, it gives the connection to a task that runs the session
/// and writes what it says.
#[derive(Debug)]
pub struct Takeover<S> {
    /// None once the socket has it.
    task: Option<Task<S>>,
    socket: Rc<Socket>,
}

impl<S> Takeover<S> {
    /// Will run `session`, which says what it has to say to `outbound`.
    pub fn new(session: S, outbound: Rc<Outbound>, socket: Rc<Socket>) -> Self {
        let task = Task {
            session,
            outbound,
            socket: Rc::clone(&socket),
            ended: false,
        };
        Self {
            task: Some(task),
            socket,
        }
    }
}

impl<S> Stream for Takeover<S>
where
    S: Future<Output = ()> + Unpin + 'static,
{
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(task) = self.task.take() {
            // The head is in HTTP's buffer, and goes out before the socket changes hands.
            self.socket.give_to(Box::pin(task));
        }
        if self.socket.is_given() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }
}

/// Runs a session, writes what it says, and closes the socket.
#[derive(Debug)]
struct Task<S> {
    /// Kept until the socket is closed: whoever waits for the last session to end must not end the process before.
    session: S,
    outbound: Rc<Outbound>,
    socket: Rc<Socket>,
    ended: bool,
}

impl<S> Task<S>
where
    S: Future<Output = ()> + Unpin,
{
    /// Fails when the peer takes no more.
    fn poll_session(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut written = self.poll_written(cx)?;
        if !self.ended && (written.is_ready() || self.outbound.has_room()) {
            self.ended = Pin::new(&mut self.session).poll(cx).is_ready();
            if self.outbound.is_aborted() {
                return Poll::Ready(Ok(()));
            }
            written = self.poll_written(cx)?;
        }
        ready!(written);
        // The session was pending, and so will be woken: what it said in the meantime is out.
        if self.ended {
            self.socket.poll_shutdown(cx)
        } else {
            Poll::Pending
        }
    }

    fn poll_written(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.outbound.poll_write(cx, &self.socket))?;
        self.socket.poll_flush(cx)
    }
}

impl<S> Future for Task<S>
where
    S: Future<Output = ()> + Unpin,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_session(cx).map(drop)
    }
}

impl<S> Drop for Task<S> {
    fn drop(&mut self) {
        self.socket.close();
    }
}

/// A session as the body of its 101.
#[derive(Debug)]
pub struct SessionBody<S> {
    session: S,
    outbound: Rc<Outbound>,
    ended: bool,
}

impl<S> SessionBody<S> {
    /// Runs `session`, which says what it has to say to `outbound`.
    pub fn new(session: S, outbound: Rc<Outbound>) -> Self {
        Self {
            session,
            outbound,
            ended: false,
        }
    }
}

/// [`Outbound::abort`] was called.
#[derive(Debug, Error)]
#[error("aborted on request")]
pub struct Aborted;

impl<S> Stream for SessionBody<S>
where
    S: Future<Output = ()> + Unpin,
{
    type Item = Result<Bytes, Aborted>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        match this.outbound.poll_take(cx) {
            Poll::Ready(bytes) if !bytes.is_empty() => return Poll::Ready(Some(Ok(bytes))),
            Poll::Pending if !this.outbound.has_room() => return Poll::Pending,
            _ => {}
        }
        if !this.ended {
            this.ended = Pin::new(&mut this.session).poll(cx).is_ready();
            if this.outbound.is_aborted() {
                return Poll::Ready(Some(Err(Aborted)));
            }
        }
        match ready!(this.outbound.poll_take(cx)) {
            bytes if !bytes.is_empty() => Poll::Ready(Some(Ok(bytes))),
            _ if this.ended => Poll::Ready(None),
            _ => Poll::Pending,
        }
    }
}
