//! The upgrade: the hand-over of a connection to its session, and the task that runs the session.
//!
//! actix-http's dispatcher would copy the input to a channel and the output to a buffer, each with a wake-up. It would also keep
//! its own buffers and timers for the life of the connection. A session does not need them. The body of the 101 therefore hands
//! the connection over at its first poll, and ends.

use std::{
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_core::{Stream, future::LocalBoxFuture};

use super::{carrier::Carrier, linger::Linger, outbound::Outbound, socket::Socket, stall::StallDeadline};
use crate::protocol::{Observer, Role};

/// The body of a 101. Its first poll hands the connection over to the session.
pub struct Upgraded {
    /// `None` after the first poll.
    session: Option<LocalBoxFuture<'static, ()>>,
    socket: Rc<Socket>,
}

impl Upgraded {
    /// Creates the body that hands `socket` over to `session`.
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
            // The 101 itself is in HTTP's buffer, which is flushed before the hand-over.
            self.socket.hand_over(session);
        }
        if self.socket.is_handed_over() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }
}

/// A task that runs a session, writes its frames, and closes its carrier.
#[derive(Debug)]
pub struct SessionTask<S, R: Role, O, U> {
    /// Dropped after the carrier is closed, because the process may exit once the last session is dropped.
    session: S,
    outbound: Rc<Outbound<R, O>>,
    carrier: Carrier,
    stall: StallDeadline,
    ended: bool,
    /// `None` until the server has sent a FIN that follows no Close frame.
    linger: Option<Linger>,
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
    /// Creates the task of `session`, which sends through `outbound`. The task resets the connection if the peer reads nothing for
    /// `stall_timeout`. It calls `on_unwritten` when the number of unwritten bytes changes. `on_unwritten` returns whether the
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
            linger: None,
            unflushed: false,
            on_unwritten,
            unwritten: 0,
        }
    }

    /// Polls the session and writes its frames. Returns an error if the connection fails or the peer stalls.
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
            // The budget is exceeded, and the peer has not read the replies within the close timeout.
            self.carrier.reset_on_close();
            return Poll::Ready(Ok(()));
        }
        ready!(written);
        if self.outbound.record_written() {
            cx.waker().wake_by_ref();
        }
        // All frames are written. If the session has not ended, it has registered its own wake-ups.
        if self.ended {
            self.poll_end(cx)
        } else {
            Poll::Pending
        }
    }

    /// Ends the outgoing direction, and waits for the peer if it could not expect this end.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            ready!(self.carrier.poll_shutdown(cx))?;
            if !self.outbound.is_ended_by_fin() {
                return Poll::Ready(Ok(()));
            }
        }
        let linger = self.linger.get_or_insert_with(Linger::new);
        linger.poll(cx, &self.carrier).map(Ok)
    }

    /// Writes the unwritten bytes. Inlined, because most polls start without any.
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
                self.report_unwritten();
            }
            return polled;
        }
        if self.report_unwritten() {
            // The next poll of the session closes the connection.
            cx.waker().wake_by_ref();
        }
        if self.outbound.is_paused() {
            // The rate delays the write, not the peer.
            self.stall.clear();
            return Poll::Pending;
        }
        ready!(self.stall.poll(cx, self.carrier.writes()));
        // The peer does not read the unsent bytes. A reset frees their memory in the kernel.
        self.carrier.reset_on_close();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Reports the number of unwritten bytes if it has changed. Returns whether the budget is exceeded for the first time.
    #[cold]
    fn report_unwritten(&mut self) -> bool {
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
