//! From the socket to actix's codec.

use std::{
    cell::{Cell, RefCell},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::{Buf, Bytes};
use futures_core::Stream;

use super::{
    deflate::Inflater,
    frame::{CLOSE, Header, MAX_HEADER},
    inspector::{Inspector, Limits, Rest},
    tap::Observer,
    violation::Violation,
};

/// Why the frames have ended.
#[derive(Debug)]
pub enum End<S> {
    /// The peer closed the TCP connection, or it broke, without a Close frame before it.
    Eof,
    /// The peer broke the protocol. What comes after it can only be discarded.
    Violation(Violation, Tail<S>),
    /// [`Link::drain`] was called, and everything that had come by then was passed on.
    Drained(Tail<S>),
}

/// What the owner of an [`Inbound`] keeps of it while something else reads the stream.
#[derive(Debug)]
pub struct Link<S> {
    heard: Cell<Instant>,
    draining: Cell<bool>,
    held: Cell<bool>,
    /// Frames that were passed on, whole, and not taken yet.
    ahead: Cell<usize>,
    waker: RefCell<Option<Waker>>,
    end: RefCell<Option<End<S>>>,
}

impl<S> Link<S> {
    /// When the last bytes came from the peer.
    pub fn last_heard(&self) -> Instant {
        self.heard.get()
    }

    /// Ends the stream as soon as what has come so far is passed on.
    pub fn drain(&self) {
        self.draining.set(true);
        self.wake();
    }

    /// Whether [`Self::drain`] was called.
    pub fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Whether reading waits: held, nothing more is taken from the socket, and the peer feels that its writes stall.
    pub fn hold(&self, held: bool) {
        if self.held.replace(held) && !held {
            self.wake();
        }
    }

    /// Says that one more frame was taken. While frames wait to be taken, nothing is read: the codec, which decodes one
    /// frame at a time, asks for more bytes before each of them, and would keep all that a fast peer can send.
    pub fn taken(&self) {
        self.ahead.set(self.ahead.get().saturating_sub(1));
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Why the stream has ended; told once, after its end.
    pub fn take_end(&self) -> Option<End<S>> {
        self.end.borrow_mut().take()
    }
}

/// The chunks of a socket, judged: what comes out is a legal stream of uncompressed frames within the limits.
///
/// It never fails. It ends, and [`Link::take_end`] says why: the codec then still decodes what was passed on before,
/// so that replies that were due go out before the Close frame.
#[derive(Debug)]
pub struct Inbound<S> {
    /// None once it has ended.
    source: Option<S>,
    chunk: Bytes,
    inspector: Inspector,
    link: Rc<Link<S>>,
}

impl<S, E> Inbound<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    /// Reads frames from `source`; `now` counts as the moment of the first bytes.
    pub fn new(
        source: S,
        limits: Limits,
        inflater: Option<Inflater>,
        observer: Observer,
        now: Instant,
    ) -> (Self, Rc<Link<S>>) {
        let link = Rc::new(Link {
            heard: Cell::new(now),
            draining: Cell::new(false),
            held: Cell::new(false),
            ahead: Cell::new(0),
            waker: RefCell::new(None),
            end: RefCell::new(None),
        });
        let inbound = Self {
            source: Some(source),
            chunk: Bytes::new(),
            inspector: Inspector::new(limits, inflater, observer),
            link: Rc::clone(&link),
        };
        (inbound, link)
    }

    /// Bytes that have come and were not passed on, apart from the chunk that is being read.
    #[cfg(test)]
    pub(super) fn holds(&self) -> usize {
        self.inspector.holds()
    }

    fn end(&mut self, end: impl FnOnce(Tail<S>) -> End<S>) -> Poll<Option<Result<Bytes, E>>> {
        if let Some(source) = self.source.take() {
            let chunk = std::mem::take(&mut self.chunk);
            let inspector = std::mem::replace(
                &mut self.inspector,
                Inspector::new(Limits::NONE, None, Observer::default()),
            );
            *self.link.end.borrow_mut() = Some(end(Tail::new(source, chunk, inspector.into_rest())));
        }
        Poll::Ready(None)
    }
}

impl<S, E> Stream for Inbound<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Item = Result<Bytes, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.link.ahead.get() > 0 {
            // Whoever asks has a frame to take, and asks again: there is nobody to be woken.
            return Poll::Pending;
        }
        loop {
            match this.inspector.next(&mut this.chunk) {
                Ok(Some(piece)) => {
                    this.link.ahead.set(this.inspector.take_passed());
                    return Poll::Ready(Some(Ok(piece)));
                }
                Ok(None) => {}
                Err(violation) => return this.end(|tail| End::Violation(violation, tail)),
            }
            let Some(source) = &mut this.source else {
                return Poll::Ready(None);
            };
            let polled = if this.link.held.get() {
                Poll::Pending
            } else {
                Pin::new(source).poll_next(cx)
            };
            match polled {
                Poll::Ready(Some(Ok(chunk))) => {
                    this.link.heard.set(Instant::now());
                    this.chunk = chunk;
                }
                Poll::Ready(Some(Err(_)) | None) => return this.end(|_| End::Eof),
                Poll::Pending if this.link.draining.get() => return this.end(End::Drained),
                Poll::Pending => {
                    let mut waker = this.link.waker.borrow_mut();
                    // One connection is one task, so this clones once.
                    if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                        *waker = Some(cx.waker().clone());
                    }
                    return Poll::Pending;
                }
            }
        }
    }
}

/// What is left of a stream once frames are no longer wanted: read and discarded to the end of the peer's Close frame or
/// of the stream, so that closing the socket does not answer unread bytes with a reset, which would take our Close frame with it.
#[derive(Debug)]
pub struct Tail<S> {
    source: S,
    chunk: Bytes,
    /// Payload of the frame in which the stream was left, or of one since.
    skip: u64,
    held: Vec<u8>,
    /// The peer's Close frame is among what was discarded, up to what `skip` says is left of it.
    closed: bool,
}

impl<S> Tail<S> {
    fn new(source: S, chunk: Bytes, rest: Rest) -> Self {
        Self {
            source,
            chunk,
            skip: rest.left,
            held: rest.held,
            closed: false,
        }
    }

    /// Discards what is there; true when that was the end of a Close frame.
    fn discard(&mut self) -> bool {
        loop {
            let skipped =
                usize::try_from(self.skip).map_or(self.chunk.len(), |skip| skip.min(self.chunk.len()));
            self.chunk.advance(skipped);
            self.skip -= skipped as u64;
            if self.closed && self.skip == 0 {
                return true;
            }
            if self.chunk.is_empty() {
                return false;
            }
            let before = self.held.len();
            let more = self.chunk.len().min(MAX_HEADER.saturating_sub(before));
            self.held.extend_from_slice(&self.chunk[..more]);
            let Some((header, taken)) = Header::read(&self.held) else {
                self.chunk.advance(more);
                continue;
            };
            self.closed = header.opcode == CLOSE;
            // What was held may be more than the header: a Close frame is held whole.
            self.chunk.advance(taken.saturating_sub(before));
            self.skip = header.len.saturating_sub(before.saturating_sub(taken) as u64);
            self.held.clear();
        }
    }
}

impl<S, E> Future for Tail<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        loop {
            if this.discard() {
                return Poll::Ready(());
            }
            match std::task::ready!(Pin::new(&mut this.source).poll_next(cx)) {
                Some(Ok(chunk)) => this.chunk = chunk,
                Some(Err(_)) | None => return Poll::Ready(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{FutureExt, StreamExt, stream};

    use super::*;

    #[test]
    fn the_tail_ends_with_the_last_byte_of_the_peers_close() {
        let frames = b"\x81\x83\0\0\0\0abc\x88\x85\0\0\0\0\x03\xE8bye";
        for cut in 0..=frames.len() {
            let (first, second) = frames.split_at(cut);
            let chunks =
                [first, second, b"what is not read"].map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
            let nothing = Rest {
                held: Vec::new(),
                left: 0,
            };
            let mut tail = Tail::new(stream::iter(chunks), Bytes::new(), nothing);
            assert_eq!((&mut tail).now_or_never(), Some(()));
            let unread: Vec<_> = tail.source.collect().now_or_never().unwrap();
            let expected = if cut == frames.len() { 2 } else { 1 };
            assert_eq!(unread.len(), expected, "cut at {cut}");
        }
    }
}
