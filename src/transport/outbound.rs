//! The outgoing direction of a session: it encodes messages and writes their bytes to a carrier.

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

/// Number of unwritten bytes from which on the session handles no further messages.
const HIGH_WATER_MARK: usize = 64 * 1024;

/// Number of unwritten bytes from which on a session with `?rate=` is not polled. Below it, the session continues during the
/// pauses of the rate.
const RATE_HIGH_WATER_MARK: usize = 16 * 1024;

/// The encoder and the unwritten frames of a session. The session appends frames, and its task writes them.
#[derive(Debug)]
pub struct Outbound<R: Role, O> {
    frames: RefCell<Frames<R, O>>,
    rate: Option<Box<RefCell<RateLimiter>>>,
    aborted: Cell<bool>,
    ends_by_fin: Cell<bool>,
    written: Cell<Written>,
    over_budget: Cell<bool>,
}

/// Whether the session awaits that all bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Written {
    #[default]
    Ignored,
    Awaited,
    Done,
}

#[derive(Debug)]
struct Frames<R: Role, O> {
    encoder: Encoder<R, O>,
    buffer: WriteBuffer,
}

impl<R: Role, O: Observer> Outbound<R, O> {
    /// Creates the direction with its encoder. It writes at most `rate` bytes a second. `None` is no limit.
    pub fn new(encoder: Encoder<R, O>, rate: Option<NonZeroU32>) -> Self {
        Self {
            frames: RefCell::new(Frames {
                encoder,
                buffer: WriteBuffer::default(),
            }),
            rate: rate.map(|rate| Box::new(RefCell::new(RateLimiter::new(rate)))),
            aborted: Cell::default(),
            ends_by_fin: Cell::default(),
            written: Cell::default(),
            over_budget: Cell::default(),
        }
    }

    /// Sends a data message. The payload is the concatenation of `parts`.
    pub fn message(&self, kind: DataKind, parts: &[&[u8]]) {
        let Frames { encoder, buffer } = &mut *self.frames.borrow_mut();
        let room = buffer.room(parts.iter().map(|part| part.len()).sum());
        if encoder.compresses() {
            let mut scratch = pool::take(Use::Compress);
            encoder.message(kind, parts, &mut scratch, room);
            scratch.clear();
            pool::put(Use::Compress, scratch);
        } else {
            encoder.message(kind, parts, &mut Vec::new(), room);
        }
    }

    /// Sends bytes that are no frame.
    pub fn raw(&self, bytes: &[u8]) {
        let buffer = &mut self.frames.borrow_mut().buffer;
        buffer.room(0).extend_from_slice(bytes);
    }

    /// Sends a Ping.
    pub fn ping(&self) {
        self.control(|encoder, room| encoder.ping(room));
    }

    /// Sends a Pong with the payload of the Ping, at most 125 bytes.
    pub fn pong(&self, payload: &[u8]) {
        self.control(|encoder, room| encoder.pong(payload, room));
    }

    /// Sends a Close frame with this code and reason, or without a body. A reason of more than 123 bytes is cut.
    pub fn close(&self, body: Option<(u16, &str)>) {
        self.control(|encoder, room| encoder.close(body, room));
    }

    /// Sends an invalid frame.
    pub fn send_invalid(&self, fault: Fault) {
        self.control(|encoder, room| encoder.invalid(fault, room));
    }

    /// Releases the compression context if no message was compressed since the last call.
    pub fn release_idle_context(&self) {
        self.frames.borrow_mut().encoder.release_idle_context();
    }

    /// Ends the connection at once and drops the unwritten bytes.
    pub fn abort(&self) {
        self.aborted.set(true);
    }

    /// Makes the end of the session a FIN that follows no Close frame. The connection then stays open until the peer ends it, for
    /// at most 2 s.
    pub fn end_by_fin(&self) {
        self.ends_by_fin.set(true);
    }

    /// Returns whether [`Self::end_by_fin`] was called.
    pub(super) fn is_ended_by_fin(&self) -> bool {
        self.ends_by_fin.get()
    }

    /// Polls the session once all bytes that are unwritten now are written. [`Self::take_written`] is then true.
    pub fn await_written(&self) {
        self.written.set(Written::Awaited);
    }

    /// Returns whether all bytes are written after [`Self::await_written`], once.
    #[inline]
    pub fn take_written(&self) -> bool {
        let is_done = self.written.get() == Written::Done;
        if is_done {
            self.written.set(Written::Ignored);
        }
        is_done
    }

    /// Records that all bytes are written. Returns whether the session awaits it.
    #[inline]
    pub(super) fn record_written(&self) -> bool {
        let is_awaited = self.written.get() == Written::Awaited;
        if is_awaited {
            self.written.set(Written::Done);
        }
        is_awaited
    }

    /// Records that the session has exceeded its memory budget. Its next poll closes the connection.
    pub fn exceed_budget(&self) {
        self.over_budget.set(true);
    }

    /// Returns whether [`Self::exceed_budget`] was called.
    pub fn is_over_budget(&self) -> bool {
        self.over_budget.get()
    }

    /// Returns whether [`Self::abort`] was called.
    pub(super) fn is_aborted(&self) -> bool {
        self.aborted.get()
    }

    /// Returns the number of unwritten bytes.
    pub fn unwritten(&self) -> usize {
        self.frames.borrow().buffer.unwritten().len()
    }

    /// Returns whether the session must stop handling messages, because 64 KiB or more are unwritten.
    pub fn is_full(&self) -> bool {
        self.unwritten() >= HIGH_WATER_MARK
    }

    /// Returns whether the session may be polled. Without a rate, every byte must be written first. A session that is not polled
    /// does not read, so that a client that does not read its replies cannot send more messages (backpressure).
    pub(super) fn has_room(&self) -> bool {
        match &self.rate {
            None => self.unwritten() == 0,
            Some(_) => self.unwritten() < RATE_HIGH_WATER_MARK,
        }
    }

    /// Writes the unwritten bytes that the rate and the carrier allow, and releases their memory.
    pub fn poll_write(&self, cx: &mut Context<'_>, carrier: &Carrier) -> Poll<io::Result<()>> {
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

    /// Returns whether bytes are unwritten because of the rate, and not because of the peer.
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
