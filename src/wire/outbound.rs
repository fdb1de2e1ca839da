//! From actix's codec to the socket, on connections that negotiated compression or asked for a wire of another shape.

use std::{
    cell::{Cell, RefCell},
    error::Error,
    num::{NonZeroU32, NonZeroUsize},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::{BufMut, Bytes, BytesMut};
use futures_core::Stream;
use thiserror::Error;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    deflate::Deflater,
    fault::Fault,
    frame::{BINARY, CONTINUATION, Header, MAX_HEADER, RSV1, TEXT},
    tap::{Direction, SHOWN, Seen, Tap},
};
use crate::metrics::{FrameKind, Worker};

/// How the frames are to look. By default they stay as they are.
#[derive(Debug, Default)]
pub struct Shape {
    /// Compresses data messages.
    pub deflater: Option<Deflater>,
    /// Most payload bytes of a data frame.
    pub fragment: Option<NonZeroUsize>,
    /// Bytes a second.
    pub rate: Option<NonZeroU32>,
    /// Sees every frame in its final form.
    pub tap: Option<Tap>,
    /// Counts what the codec does not know of: compression, and frames that it did not make.
    pub worker: Option<Worker>,
}

/// What the owner of an [`Outbound`] asks of it while something else reads the stream.
#[derive(Debug, Default)]
pub struct Outlet {
    fault: Cell<Option<(Fault, u64)>>,
    aborted: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Outlet {
    /// Puts a broken frame on the wire once the codec has given `frames` frames since the start.
    pub fn break_after(&self, fault: Fault, frames: u64) {
        self.fault.set(Some((fault, frames)));
        self.wake();
    }

    /// Ends the stream with an error, now: nothing that waits goes out.
    pub fn abort(&self) {
        self.aborted.set(true);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    fn due(&self, frames: u64) -> Option<Fault> {
        let (fault, after) = self.fault.get()?;
        (after <= frames).then(|| {
            self.fault.set(None);
            fault
        })
    }
}

/// [`Outlet::abort`] was called.
#[derive(Debug, Error)]
#[error("aborted on request")]
struct Aborted;

/// The codec's frames in the shape that was asked for.
#[derive(Debug)]
pub struct Outbound<B> {
    /// None once it has ended.
    body: Option<Pin<Box<B>>>,
    shaper: Shaper,
    trickle: Option<Trickle>,
    outlet: Rc<Outlet>,
}

impl<B> Outbound<B> {
    /// Shapes what `body` gives, which must be whole frames, each message in one: the codec makes no others.
    pub fn new(body: B, shape: Shape, outlet: Rc<Outlet>) -> Self {
        let Shape {
            deflater,
            fragment,
            rate,
            tap,
            worker,
        } = shape;
        Self {
            body: Some(Box::pin(body)),
            shaper: Shaper {
                deflater,
                fragment,
                tap,
                worker,
                frames: 0,
                compressed: Vec::new(),
            },
            trickle: rate.map(Trickle::new),
            outlet,
        }
    }
}

impl<B, E> Outbound<B>
where
    B: Stream<Item = Result<Bytes, E>>,
{
    /// The next shaped frames, regardless of the rate.
    fn poll_shaped(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, E>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        match body.as_mut().poll_next(cx) {
            Poll::Ready(Some(Ok(frames))) => Poll::Ready(Some(Ok(self.shaper.shape(frames, &self.outlet)))),
            Poll::Ready(None) => {
                self.body = None;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error))),
            // What was asked for while the body was polled may be due without another frame.
            Poll::Pending => match self.outlet.due(self.shaper.frames) {
                Some(fault) => Poll::Ready(Some(Ok(self.shaper.broken(fault)))),
                None => Poll::Pending,
            },
        }
    }
}

impl<B, E> Stream for Outbound<B>
where
    B: Stream<Item = Result<Bytes, E>>,
    E: Into<Box<dyn Error>>,
{
    type Item = Result<Bytes, Box<dyn Error>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        *this.outlet.waker.borrow_mut() = Some(cx.waker().clone());
        let room = this.trickle.as_ref().is_none_or(Trickle::has_room);
        let shaped = if room { this.poll_shaped(cx) } else { Poll::Pending };
        if this.outlet.aborted.get() {
            return Poll::Ready(Some(Err(Aborted.into())));
        }
        let Some(trickle) = &mut this.trickle else {
            return shaped.map(|shaped| shaped.map(|shaped| shaped.map_err(Into::into)));
        };
        match shaped {
            Poll::Ready(Some(Ok(frames))) => {
                trickle.waiting.put(frames);
                // It may have more, and has registered no waker for it.
                cx.waker().wake_by_ref();
            }
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) if trickle.waiting.is_empty() => return Poll::Ready(None),
            Poll::Ready(None) | Poll::Pending => {}
        }
        trickle.poll_next(cx).map(|piece| Some(Ok(piece)))
    }
}

/// Largest scratch buffer in bytes that a connection keeps between two messages.
const KEPT: usize = 64 * 1024;

/// Frames to frames: without a clock and without waiting.
#[derive(Debug)]
struct Shaper {
    deflater: Option<Deflater>,
    fragment: Option<NonZeroUsize>,
    tap: Option<Tap>,
    worker: Option<Worker>,
    /// Frames that the codec has given.
    frames: u64,
    /// Kept for its allocation.
    compressed: Vec<u8>,
}

impl Shaper {
    fn shape(&mut self, frames: Bytes, outlet: &Outlet) -> Bytes {
        let mut out: Option<BytesMut> = None;
        let mut rest = &frames[..];
        while let Some((header, len)) = Header::read(rest) {
            let payload = usize::try_from(header.len).unwrap_or(usize::MAX);
            let (frame, after) = rest.split_at(len.saturating_add(payload).min(rest.len()));
            let begun = frames.len() - rest.len();
            // What comes before the first frame that changes stays as it is, and so does all of it where none does.
            let changed = || {
                let mut out = BytesMut::with_capacity(frames.len() + MAX_HEADER);
                out.extend_from_slice(&frames[..begun]);
                out
            };
            if let Some(fault) = outlet.due(self.frames) {
                out.get_or_insert_with(changed).put(self.broken(fault));
            }
            self.frames += 1;
            self.message(header, &frame[len..], frame, &mut out, changed);
            rest = after;
        }
        if let Some(fault) = outlet.due(self.frames) {
            out.get_or_insert_with(|| BytesMut::from(&frames[..]))
                .put(self.broken(fault));
        }
        out.map_or(frames, BytesMut::freeze)
    }

    /// One frame of the codec's: compressed, cut up, or left as it is.
    fn message(
        &mut self,
        header: Header,
        payload: &[u8],
        frame: &[u8],
        out: &mut Option<BytesMut>,
        changed: impl FnOnce() -> BytesMut,
    ) {
        let data = matches!(header.opcode, TEXT | BINARY);
        // Kept from message to message, but not for the life of the connection because one was large.
        if self.compressed.capacity() > KEPT {
            self.compressed = Vec::new();
        }
        self.compressed.clear();
        let compressed = data
            && self
                .deflater
                .as_mut()
                .is_some_and(|deflater| deflater.compress(payload, &mut self.compressed));
        let wire = if compressed { &self.compressed[..] } else { payload };
        let most = self.fragment.map_or(usize::MAX, NonZeroUsize::get);
        if !compressed && (!data || wire.len() <= most) {
            show(self.tap.as_ref(), header, payload.len(), payload);
            if let Some(out) = out {
                out.put(frame);
            }
            return;
        }
        let out = out.get_or_insert_with(changed);
        let pieces = wire.len().div_ceil(most).max(1);
        if let Some(worker) = &self.worker {
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
                opcode: if first { header.opcode } else { CONTINUATION },
                len: piece.len() as u64,
                ..header
            };
            // Of a compressed message in pieces, nobody can say which piece holds what.
            let plain = if !compressed {
                piece
            } else if first {
                payload
            } else {
                &[]
            };
            show(self.tap.as_ref(), header, plain.len(), plain);
            out.put(header.write(&mut [0; MAX_HEADER]));
            out.put(piece);
        }
    }

    fn broken(&self, fault: Fault) -> Bytes {
        let frame = fault.frame();
        if let Some((header, len)) = Header::read(&frame) {
            if let Some(worker) = &self.worker {
                worker.count(|counters| &counters.sent.frames[FrameKind::of(header.opcode).index()]);
            }
            show(self.tap.as_ref(), header, frame.len() - len, &frame[len..]);
        }
        frame
    }
}

fn show(tap: Option<&Tap>, header: Header, plain_len: usize, plain: &[u8]) {
    if let Some(tap) = tap {
        let start = &plain[..plain.len().min(SHOWN)];
        tap.show(&Seen {
            direction: Direction::Sent,
            header,
            plain_len: plain_len as u64,
            start,
        });
    }
}

/// Bytes that go out slowly.
#[derive(Debug)]
struct Trickle {
    waiting: BytesMut,
    /// Bytes of one step, and the time that they take.
    step: usize,
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
            waiting: BytesMut::new(),
            step: usize::try_from(step).unwrap_or(usize::MAX),
            pause: Duration::from_secs(step.into()) / rate.get(),
            sleep: Box::pin(sleep_until(Instant::now())),
        }
    }

    fn has_room(&self) -> bool {
        self.waiting.len() < Self::MOST_WAITING
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        if self.waiting.is_empty() {
            return Poll::Pending;
        }
        ready!(self.sleep.as_mut().poll(cx));
        self.sleep.as_mut().reset(Instant::now() + self.pause);
        Poll::Ready(self.waiting.split_to(self.step.min(self.waiting.len())).freeze())
    }
}
