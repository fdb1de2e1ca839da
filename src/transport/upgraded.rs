//! The task of a session after the upgrade: it runs the session and writes its frames.
//!
//! actix-http's dispatcher would copy the input to a channel and the output to a buffer, with a wake-up for each, and keep its buffers
//! and timers for the life of the connection. A session needs none of that. So the body of the 101 takes over the connection at
//! its first poll, and ends.

use std::{
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_core::{Stream, future::LocalBoxFuture};

use super::{carrier::Carrier, outbound::Outbound, socket::Socket, stall::StallDeadline};
use crate::protocol::{Observer, Role};

/// The body of a 101. Its first poll hands the connection over to the session.
pub struct Upgraded {
    /// None after the first poll.
    session: Option<LocalBoxFuture<'static, ()>>,
    socket: Rc<Socket>,
}

impl Upgraded {
    /// Creates the body that starts `session` on `socket`.
    pub fn new(session: impl Future<Output = ()> + 'static, socket: Rc<Socket>) -> Self {
        Self {
            session: Some(Box::pin(session)),
            socket,
        }
    }
}

impl Stream for Upgraded {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(session) = self.session.take() {
            // The response's head is in HTTP's buffer, which is flushed before the hand-over.
            self.socket.hand_over(session);
        }
        if self.socket.is_handed_over() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }
}

/// Runs a session, writes its frames, and closes its carrier.
#[derive(Debug)]
pub struct SessionTask<S, R: Role, O, U> {
    /// Dropped after the carrier is closed, because the process may end once the last session is dropped.
    session: S,
    outbound: Rc<Outbound<R, O>>,
    carrier: Carrier,
    stall: StallDeadline,
    ended: bool,
    /// Whether bytes may be buffered between `outbound` and the kernel.
    unflushed: bool,
    /// Receives the number of unwritten bytes when it changes. Returns whether it is within the budget.
    on_unwritten: U,
    unwritten: usize,
}

impl<S, R, O, U> SessionTask<S, R, O, U>
where
    S: Future<Output = ()> + Unpin,
    R: Role,
    O: Observer,
    U: Fn(usize) -> bool,
{
    /// Creates the task of `session`, which sends through `outbound`. The task resets the connection of a peer that reads nothing for
    /// `stall_timeout`. It calls `on_unwritten` with the number of unwritten bytes when that changes. The result is whether the
    /// number is within the budget.
    pub fn new(
        session: S,
        outbound: Rc<Outbound<R, O>>,
        carrier: Carrier,
        stall_timeout: Option<Duration>,
        on_unwritten: U,
    ) -> Self {
        Self {
            session,
            outbound,
            carrier,
            stall: StallDeadline::new(stall_timeout),
            ended: false,
            unflushed: false,
            on_unwritten,
            unwritten: 0,
        }
    }

    /// Polls the session and writes its frames. Fails if the connection fails or the peer stalls.
    fn poll_session(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut written = self.poll_written(cx)?;
        if !self.ended && (written.is_ready() || self.outbound.is_over_budget() || self.outbound.has_room()) {
            self.ended = Pin::new(&mut self.session).poll(cx).is_ready();
            if self.outbound.is_aborted() {
                return Poll::Ready(Ok(()));
            }
            written = self.poll_written(cx)?;
        }
        if self.ended && written.is_pending() && self.outbound.is_over_budget() {
            // The budget is exceeded, and the peer had the close timeout to read.
            self.carrier.reset_on_close();
            return Poll::Ready(Ok(()));
        }
        ready!(written);
        // All frames are written. If the session has not ended, its own wake-ups continue it.
        if self.ended {
            self.carrier.poll_shutdown(cx)
        } else {
            Poll::Pending
        }
    }

    /// Writes the unwritten bytes. Most polls start without any.
    #[inline]
    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.unflushed && self.outbound.unwritten() == 0 {
            return Poll::Ready(Ok(()));
        }
        self.poll_write(cx)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.unflushed = true;
        let polled = match self.outbound.poll_write(cx, &self.carrier) {
            Poll::Ready(Ok(())) => self.carrier.poll_flush(cx),
            polled => polled,
        };
        if polled.is_ready() {
            self.unflushed = false;
            self.stall.clear();
            if self.unwritten > 0 {
                self.note_unwritten();
            }
            return polled;
        }
        if self.note_unwritten() {
            // The next poll of the session closes the connection.
            cx.waker().wake_by_ref();
        }
        if self.outbound.is_paused() {
            // The server waits, not the peer.
            self.stall.clear();
            return Poll::Pending;
        }
        ready!(self.stall.poll(cx, self.carrier.writes()));
        // A reset frees the kernel's memory: the peer does not read the unsent bytes.
        self.carrier.reset_on_close();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Reports the number of unwritten bytes. Returns whether this call exceeded the budget.
    #[cold]
    fn note_unwritten(&mut self) -> bool {
        let unwritten = self.outbound.unwritten();
        if unwritten == self.unwritten {
            return false;
        }
        self.unwritten = unwritten;
        if (self.on_unwritten)(unwritten) || self.outbound.is_over_budget() {
            return false;
        }
        self.outbound.exceed_budget();
        true
    }
}

impl<S, R, O, U> Future for SessionTask<S, R, O, U>
where
    S: Future<Output = ()> + Unpin,
    R: Role,
    O: Observer,
    U: Fn(usize) -> bool + Unpin,
    Self: Unpin,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_session(cx).map(drop)
    }
}

impl<S, R: Role, O, U> Drop for SessionTask<S, R, O, U> {
    fn drop(&mut self) {
        self.carrier.close();
    }
}
