//! A session and its connection: runs the one and writes to the other.
//!
//! HTTP's dispatcher would copy what comes to a channel and what goes to a buffer, wake itself for either, and keep its own buffers
//! and timers for as long as the connection lives. None of that is needed once the 101 is out. So the response's body takes
//! the connection when it is first asked for bytes, and ends.

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

/// The body of a 101: gives the connection to `session` when it is first asked for bytes.
pub struct Upgraded {
    /// None once the socket has it.
    session: Option<LocalBoxFuture<'static, ()>>,
    socket: Rc<Socket>,
}

impl Upgraded {
    /// Will run `session` on `socket`.
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
            // The head is in HTTP's buffer, and is written before the connection changes hands.
            self.socket.hand_over(session);
        }
        if self.socket.is_handed_over() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }
}

/// Runs a session, writes what it sends, and closes its carrier.
#[derive(Debug)]
pub struct SessionTask<S, R: Role, O, U> {
    /// Is kept until the carrier is closed, because the process may end once the last session is dropped.
    session: S,
    outbound: Rc<Outbound<R, O>>,
    carrier: Carrier,
    stall: StallDeadline,
    ended: bool,
    /// Whether bytes may wait between the outbound and the kernel.
    unflushed: bool,
    /// Is told the number of bytes that could not be written, when it changes. Returns whether they are within the budget.
    on_unwritten: U,
    over_budget: bool,
    unwritten: usize,
}

impl<S, R, O, U> SessionTask<S, R, O, U>
where
    S: Future<Output = ()> + Unpin,
    R: Role,
    O: Observer,
    U: Fn(usize) -> bool,
{
    /// Will run `session`, which sends by `outbound`. A peer that reads nothing for `stall_timeout` is cut off. `on_unwritten` is
    /// called with the number of bytes that could not be written, when it changes, and returns whether they are within the budget.
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
            over_budget: false,
            unwritten: 0,
        }
    }

    /// Fails if the peer takes no more.
    fn poll_session(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut written = self.poll_written(cx)?;
        if !self.ended && (written.is_ready() || self.over_budget || self.outbound.has_room()) {
            self.ended = Pin::new(&mut self.session).poll(cx).is_ready();
            if self.outbound.is_aborted() {
                return Poll::Ready(Ok(()));
            }
            written = self.poll_written(cx)?;
        }
        if self.over_budget && self.ended && written.is_pending() {
            // Its memory is wanted, and the peer has had its time to read.
            self.carrier.reset_on_close();
            return Poll::Ready(Ok(()));
        }
        ready!(written);
        // The session was pending, and so will be woken: what it sent in the meantime is out.
        if self.ended {
            self.carrier.poll_shutdown(cx)
        } else {
            Poll::Pending
        }
    }

    /// Writes what waits. Most polls of a session start with nothing to write.
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
            // The session closes the connection.
            cx.waker().wake_by_ref();
        }
        ready!(self.stall.poll(cx, self.carrier.writes()));
        // What the peer did not read is of no use to it, and takes the kernel's memory.
        self.carrier.reset_on_close();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Returns whether the budget is exceeded since this call.
    #[cold]
    fn note_unwritten(&mut self) -> bool {
        let unwritten = self.outbound.unwritten();
        if unwritten == self.unwritten {
            return false;
        }
        self.unwritten = unwritten;
        let was_over_budget = self.over_budget;
        self.over_budget |= !(self.on_unwritten)(unwritten);
        self.over_budget && !was_over_budget
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
