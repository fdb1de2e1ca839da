//! The outgoing direction: from a session's messages to a carrier's bytes.

use std::{
    cell::{Cell, RefCell},
    io,
    num::NonZeroU32,
    task::{Context, Poll, ready},
};

use super::{
    carrier::Carrier,
    pool::{self, Use},
    rate_limiter::RateLimiter,
    write_buffer::WriteBuffer,
};
use crate::protocol::{DataKind, Encoder, Fault, Observer, Role};

/// Number of unwritten bytes from which on the session handles no more messages.
const HIGH_WATER_MARK: usize = 64 * 1024;

/// The same with `?rate=`: the session then continues while bytes wait.
const RATE_HIGH_WATER_MARK: usize = 16 * 1024;

/// The unwritten frames of a session. The session and the task that writes them share it.
#[derive(Debug)]
pub struct Outbound<R: Role, O> {
    frames: RefCell<Frames<R, O>>,
    rate: Option<Box<RefCell<RateLimiter>>>,
    aborted: Cell<bool>,
    over_budget: Cell<bool>,
}

#[derive(Debug)]
struct Frames<R: Role, O> {
    encoder: Encoder<R, O>,
    buffer: WriteBuffer,
}

impl<R: Role, O: Observer> Outbound<R, O> {
    /// Creates the direction with its encoder. It writes at most `rate` bytes a second.
    pub fn new(encoder: Encoder<R, O>, rate: Option<NonZeroU32>) -> Self {
        Self {
            frames: RefCell::new(Frames {
                encoder,
                buffer: WriteBuffer::default(),
            }),
            rate: rate.map(|rate| Box::new(RefCell::new(RateLimiter::new(rate)))),
            aborted: Cell::default(),
            over_budget: Cell::default(),
        }
    }

    /// Sends a data message. Its payload is `parts`, one after the other.
    pub fn message(&self, kind: DataKind, parts: &[&[u8]]) {
        let Frames { encoder, buffer } = &mut *self.frames.borrow_mut();
        let room = buffer.room(parts.iter().map(|part| part.len()).sum());
        if encoder.compresses() {
            let mut scratch = pool::take(Use::Compress);
            encoder.message(kind, parts, &mut scratch, room);
            scratch.clear();
            pool::give(Use::Compress, scratch);
        } else {
            encoder.message(kind, parts, &mut Vec::new(), room);
        }
    }

    /// Sends a Ping.
    pub fn ping(&self) {
        self.control(|encoder, room| encoder.ping(room));
    }

    /// Sends a Pong.
    pub fn pong(&self, payload: &[u8]) {
        self.control(|encoder, room| encoder.pong(payload, room));
    }

    /// Sends a Close frame with this code and reason, or an empty one. A reason that does not fit is cut.
    pub fn close(&self, body: Option<(u16, &str)>) {
        self.control(|encoder, room| encoder.close(body, room));
    }

    /// Sends an invalid frame.
    pub fn send_invalid(&self, fault: Fault) {
        self.control(|encoder, room| encoder.invalid(fault, room));
    }

    /// Releases the compression context if nothing was compressed since the last call.
    pub fn release_idle_context(&self) {
        self.frames.borrow_mut().encoder.release_idle_context();
    }

    /// Ends the connection at once, without the unwritten bytes.
    pub fn abort(&self) {
        self.aborted.set(true);
    }

    /// Records that the session has asked for more memory than it may have. It is to close the connection.
    pub fn exceed_budget(&self) {
        self.over_budget.set(true);
    }

    /// Whether [`Self::exceed_budget`] was called.
    pub fn is_over_budget(&self) -> bool {
        self.over_budget.get()
    }

    /// Whether [`Self::abort`] was called.
    pub(super) fn is_aborted(&self) -> bool {
        self.aborted.get()
    }

    /// Returns the number of unwritten bytes.
    pub fn unwritten(&self) -> usize {
        self.frames.borrow().buffer.unwritten().len()
    }

    /// Whether the session must stop handling messages, because too many bytes are unwritten.
    pub fn is_full(&self) -> bool {
        self.unwritten() >= HIGH_WATER_MARK
    }

    /// Whether the session may be polled. Without a rate, it may only if no byte is unwritten: this is the backpressure.
    pub(super) fn has_room(&self) -> bool {
        match &self.rate {
            None => self.unwritten() == 0,
            Some(_) => self.unwritten() < RATE_HIGH_WATER_MARK,
        }
    }

    /// Writes the unwritten bytes, as far as the rate allows, and releases their memory.
    pub(super) fn poll_write(&self, cx: &mut Context<'_>, carrier: &Carrier) -> Poll<io::Result<()>> {
        let buffer = &mut self.frames.borrow_mut().buffer;
        if buffer.unwritten().is_empty() {
            return Poll::Ready(Ok(()));
        }
        let written = loop {
            match self.poll_write_some(cx, carrier, buffer.unwritten()) {
                Poll::Ready(Ok(written @ 1..)) => {
                    buffer.advance(written);
                    if buffer.unwritten().is_empty() {
                        break Poll::Ready(Ok(()));
                    }
                }
                Poll::Ready(Ok(0)) => break Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Err(error)) => break Poll::Ready(Err(error)),
                Poll::Pending => break Poll::Pending,
            }
        };
        buffer.shrink();
        written
    }

    /// Whether bytes wait because of the rate, and not because of the peer.
    pub(super) fn is_paused(&self) -> bool {
        self.rate.as_ref().is_some_and(|rate| rate.borrow().is_paused())
    }

    fn poll_write_some(
        &self,
        cx: &mut Context<'_>,
        carrier: &Carrier,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Some(rate) = &self.rate else {
            return carrier.poll_write(cx, bytes);
        };
        let rate = &mut *rate.borrow_mut();
        let step = ready!(rate.poll_step(cx)).min(bytes.len());
        let written = ready!(carrier.poll_write(cx, &bytes[..step]))?;
        rate.pause(written);
        Poll::Ready(Ok(written))
    }

    fn control(&self, append: impl FnOnce(&mut Encoder<R, O>, &mut Vec<u8>)) {
        let Frames { encoder, buffer } = &mut *self.frames.borrow_mut();
        append(encoder, buffer.room(0));
    }
}
