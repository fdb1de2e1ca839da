//! From what the session says to the socket: frames, in the shape and at the rate that were agreed on or asked for.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    io,
    num::{NonZeroU32, NonZeroUsize},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    buffer::Buffer,
    deflate::Deflater,
    fault::Fault,
    frame::{BINARY, CLOSE, CONTINUATION, Header, MAX_CONTROL_PAYLOAD, PING, PONG, RSV1, TEXT},
    tap::{Direction, SHOWN, Seen, Tap},
    transport::Socket,
};
use crate::metrics::{DataKind, FrameKind, Worker};

/// While more bytes than this wait, no more should be said.
const FULL: usize = 64 * 1024;

/// How the frames are to look. By default each message is one plain frame.
#[derive(Debug, Default)]
pub struct Shape {
    /// Compresses data messages.
    pub deflater: Option<Deflater>,
    /// Most payload bytes of a data frame.
    pub fragment: Option<NonZeroUsize>,
    /// Bytes a second.
    pub rate: Option<NonZeroU32>,
    /// Sees every frame.
    pub tap: Option<Tap>,
}

/// What a session says, and what of it waits to be written. The session has it, and whoever writes.
#[derive(Debug)]
pub struct Outbound {
    waiting: RefCell<Buffer>,
    /// None where every message is one plain frame and nobody looks.
    shaper: Option<Box<RefCell<Shaper>>>,
    trickle: Option<Box<RefCell<Trickle>>>,
    worker: Option<Worker>,
    aborted: Cell<bool>,
}

impl Outbound {
    /// Makes frames of `shape`, and counts them.
    pub fn new(shape: Shape, worker: Option<Worker>) -> Self {
        let Shape {
            deflater,
            fragment,
            rate,
            tap,
        } = shape;
        let plain = deflater.is_none() && fragment.is_none() && tap.is_none();
        Self {
            waiting: RefCell::default(),
            shaper: (!plain).then(|| {
                Box::new(RefCell::new(Shaper {
                    deflater,
                    fragment,
                    tap,
                    used: false,
                }))
            }),
            trickle: rate.map(|rate| Box::new(RefCell::new(Trickle::new(rate)))),
            worker,
            aborted: Cell::default(),
        }
    }

    /// Says a data message, whose payload is `parts`, one after the other.
    pub fn message(&self, kind: DataKind, parts: &[&[u8]]) {
        let bytes = parts.iter().map(|part| part.len()).sum();
        self.count(|worker| {
            worker.count(|counters| &counters.sent.frames[FrameKind::from(kind).index()]);
            worker.count(|counters| &counters.sent.messages[kind.index()]);
            worker.add(|counters| &counters.sent.bytes[kind.index()], bytes as u64);
        });
        let waiting = &mut *self.waiting.borrow_mut();
        match &self.shaper {
            None => waiting.frame(&header(opcode(kind), bytes), parts),
            Some(shaper) => {
                let mut filled = parts.iter().filter(|part| !part.is_empty());
                let payload = match (filled.next(), filled.next()) {
                    (payload, None) => Cow::Borrowed(payload.copied().unwrap_or_default()),
                    _ => Cow::Owned(parts.concat()),
                };
                shaper
                    .borrow_mut()
                    .message(kind, &payload, waiting, self.worker.as_ref());
            }
        }
    }

    /// Asks for a Pong.
    pub fn ping(&self) {
        self.control(PING, &[]);
    }

    /// Answers a Ping.
    pub fn pong(&self, payload: &[u8]) {
        self.control(PONG, payload);
    }

    /// Sends a Close frame, with the code and the reason that are to be in it. A reason that does not fit is cut.
    pub fn close(&self, said: Option<(u16, &str)>) {
        let mut body = [0; MAX_CONTROL_PAYLOAD];
        let mut len = 0;
        if let Some((code, reason)) = said {
            let reason = &reason[..reason.floor_char_boundary(MAX_CONTROL_PAYLOAD - 2)];
            len = 2 + reason.len();
            body[..2].copy_from_slice(&code.to_be_bytes());
            body[2..len].copy_from_slice(reason.as_bytes());
        }
        self.control(CLOSE, &body[..len]);
    }

    /// Sends a frame that must not be.
    pub fn broken(&self, fault: Fault) {
        let frame = fault.frame();
        if let Some((header, len)) = Header::read(&frame) {
            self.count(|worker| {
                worker.count(|counters| &counters.sent.frames[FrameKind::of(header.opcode).index()]);
            });
            self.show(header, &frame[len..]);
        }
        self.waiting.borrow_mut().push(&frame);
    }

    /// Gives back what compressing needs where it was not needed since this was last called. For now and then.
    pub fn rest(&self) {
        if let Some(shaper) = &self.shaper {
            let shaper = &mut *shaper.borrow_mut();
            if let (false, Some(deflater)) = (std::mem::take(&mut shaper.used), &mut shaper.deflater) {
                deflater.forget();
            }
        }
    }

    /// Ends it all, now: nothing that waits goes out.
    pub fn abort(&self) {
        self.aborted.set(true);
    }

    /// Whether [`Self::abort`] was called.
    pub(super) fn is_aborted(&self) -> bool {
        self.aborted.get()
    }

    /// Whether so much waits that no more should be said before some of it is written.
    pub fn is_full(&self) -> bool {
        self.waiting.borrow().bytes().len() >= FULL
    }

    /// Whether the session may go on. Without a rate all that it has said must be written first: that is the backpressure.
    pub(super) fn has_room(&self) -> bool {
        let waiting = self.waiting.borrow().bytes().len();
        match &self.trickle {
            None => waiting == 0,
            Some(_) => waiting < Trickle::MOST_WAITING,
        }
    }

    /// Writes what waits, as far as the rate allows, and keeps no memory for it any longer.
    pub(super) fn poll_write(&self, cx: &mut Context<'_>, socket: &Socket) -> Poll<io::Result<()>> {
        let waiting = &mut *self.waiting.borrow_mut();
        if waiting.bytes().is_empty() {
            return Poll::Ready(Ok(()));
        }
        let written = loop {
            match self.poll_write_some(cx, socket, waiting.bytes()) {
                Poll::Ready(Ok(written @ 1..)) => {
                    waiting.advance(written);
                    if waiting.bytes().is_empty() {
                        break Poll::Ready(Ok(()));
                    }
                }
                Poll::Ready(Ok(0)) => break Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Err(error)) => break Poll::Ready(Err(error)),
                Poll::Pending => break Poll::Pending,
            }
        };
        waiting.rest();
        written
    }

    fn poll_write_some(
        &self,
        cx: &mut Context<'_>,
        socket: &Socket,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Some(trickle) = &self.trickle else {
            return socket.poll_write(cx, bytes);
        };
        let trickle = &mut *trickle.borrow_mut();
        let step = ready!(trickle.poll_step(cx)).min(bytes.len());
        let written = ready!(socket.poll_write(cx, &bytes[..step]))?;
        trickle.pause(written);
        Poll::Ready(Ok(written))
    }

    /// What waits, as far as the rate allows; empty where nothing does.
    pub fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Bytes> {
        let waiting = &mut *self.waiting.borrow_mut();
        let mut most = waiting.bytes().len();
        if let (Some(trickle), 1..) = (&self.trickle, most) {
            let trickle = &mut *trickle.borrow_mut();
            most = most.min(ready!(trickle.poll_step(cx)));
            trickle.pause(most);
        }
        let bytes = Bytes::copy_from_slice(&waiting.bytes()[..most]);
        waiting.advance(most);
        waiting.rest();
        Poll::Ready(bytes)
    }

    fn control(&self, opcode: u8, payload: &[u8]) {
        self.count(|worker| {
            worker.count(|counters| &counters.sent.frames[FrameKind::of(opcode).index()]);
        });
        let header = header(opcode, payload.len());
        self.show(header, payload);
        self.waiting.borrow_mut().frame(&header, &[payload]);
    }

    fn count(&self, count: impl FnOnce(&Worker)) {
        if let Some(worker) = &self.worker {
            count(worker);
        }
    }

    fn show(&self, header: Header, payload: &[u8]) {
        if let Some(shaper) = &self.shaper {
            shaper.borrow().show(header, payload.len(), payload);
        }
    }
}

fn opcode(kind: DataKind) -> u8 {
    match kind {
        DataKind::Text => TEXT,
        DataKind::Binary => BINARY,
    }
}

/// The header of a whole message or of a control frame.
fn header(opcode: u8, len: usize) -> Header {
    Header {
        fin: true,
        rsv: 0,
        opcode,
        mask: None,
        len: len as u64,
        minimal: true,
    }
}

/// Frames of one message that are shown: what is told of a frame costs far more than a frame of one byte, and a message
/// may be cut into millions of those.
const MOST_SHOWN: usize = 512;

/// Largest scratch buffer in bytes that a thread keeps between two messages.
const KEPT: usize = 64 * 1024;

thread_local! {
    /// Where messages are compressed to, for their frames' headers say how long they have become.
    static SCRATCH: Cell<Vec<u8>> = Cell::default();
}

/// Messages to frames that are not plainly one each: without a clock and without waiting.
#[derive(Debug)]
struct Shaper {
    deflater: Option<Deflater>,
    fragment: Option<NonZeroUsize>,
    tap: Option<Tap>,
    /// Something was compressed since [`Outbound::rest`] was last called.
    used: bool,
}

impl Shaper {
    /// A message: compressed, cut up, or as it is.
    fn message(&mut self, kind: DataKind, payload: &[u8], waiting: &mut Buffer, worker: Option<&Worker>) {
        let mut scratch = SCRATCH.take();
        let compressed = self.deflater.as_mut().is_some_and(|deflater| {
            self.used = true;
            deflater.compress(payload, &mut scratch)
        });
        self.frames(kind, payload, compressed.then_some(&scratch[..]), waiting, worker);
        scratch.clear();
        if scratch.capacity() <= KEPT {
            SCRATCH.set(scratch);
        }
    }

    /// The frames of a message, compressed or not.
    fn frames(
        &self,
        kind: DataKind,
        payload: &[u8],
        compressed: Option<&[u8]>,
        waiting: &mut Buffer,
        worker: Option<&Worker>,
    ) {
        let wire = compressed.unwrap_or(payload);
        let compressed = compressed.is_some();
        let most = self.fragment.map_or(usize::MAX, NonZeroUsize::get);
        if !compressed && wire.len() <= most {
            let header = header(opcode(kind), payload.len());
            self.show(header, payload.len(), payload);
            waiting.frame(&header, &[payload]);
            return;
        }
        let pieces = wire.len().div_ceil(most).max(1);
        if let Some(worker) = worker {
            if compressed {
                worker.add(|counters| &counters.sent.deflate_plain, payload.len() as u64);
                worker.add(|counters| &counters.sent.deflate_compressed, wire.len() as u64);
            }
            let more = FrameKind::Continuation.index();
            worker.add(|counters| &counters.sent.frames[more], pieces as u64 - 1);
        }
        for index in 0..pieces {
            let start = index * most;
            let piece = &wire[start..start.saturating_add(most).min(wire.len())];
            let first = index == 0;
            let header = Header {
                fin: index + 1 == pieces,
                // RFC 7692 section 6.1: on the first frame alone.
                rsv: if compressed && first { RSV1 } else { 0 },
                ..header(if first { opcode(kind) } else { CONTINUATION }, piece.len())
            };
            // Of a compressed message in pieces, nobody can say which piece holds what.
            let plain = if !compressed {
                piece
            } else if first {
                payload
            } else {
                &[]
            };
            if index < MOST_SHOWN {
                self.show(header, plain.len(), plain);
            }
            waiting.frame(&header, &[piece]);
        }
        if let (Some(tap), unseen @ 1..) = (&self.tap, pieces.saturating_sub(MOST_SHOWN)) {
            tap.pass(unseen as u64);
        }
    }

    fn show(&self, header: Header, plain_len: usize, plain: &[u8]) {
        if let Some(tap) = &self.tap {
            let start = &plain[..plain.len().min(SHOWN)];
            tap.show(Seen {
                direction: Direction::Sent,
                header,
                plain_len: plain_len as u64,
                start,
            });
        }
    }
}

/// How much may go out, and when.
#[derive(Debug)]
struct Trickle {
    /// Bytes of one step, and the time that they take.
    step: u32,
    pause: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl Trickle {
    /// Steps a second, where the rate allows as many.
    const STEPS: u32 = 20;
    /// While more than this waits, the actor is not asked for more, and so its input is held back.
    const MOST_WAITING: usize = 16 * 1024;

    fn new(rate: NonZeroU32) -> Self {
        let step = (rate.get() / Self::STEPS).max(1);
        Self {
            step,
            pause: Duration::from_secs(step.into()) / rate.get(),
            sleep: Box::pin(sleep_until(Instant::now())),
        }
    }

    /// How many bytes may go out, once any may.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        let step = usize::try_from(self.step).unwrap_or(usize::MAX);
        self.sleep.as_mut().poll(cx).map(|()| step)
    }

    /// So many bytes went out, of one step at most.
    fn pause(&mut self, written: usize) {
        let time = self.time_of(written);
        self.sleep.as_mut().reset(Instant::now() + time);
    }

    /// The time that so many bytes take.
    fn time_of(&self, bytes: usize) -> Duration {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.step);
        self.pause * bytes / self.step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_take_the_time_that_the_rate_gives_them() {
        let trickle = |rate| Trickle::new(NonZeroU32::new(rate).unwrap());
        let ms = Duration::from_millis;
        assert_eq!(trickle(1000).time_of(50), ms(50));
        assert_eq!(trickle(1000).time_of(3), ms(3));
        assert_eq!(trickle(1).time_of(1), ms(1000));
        assert_eq!(trickle(u32::MAX).time_of(0), ms(0));
    }
}
