//! From the socket to what the peer said.

use std::{
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::Bytes;
use futures_core::Stream;
use tokio::task::coop::has_budget_remaining;

use super::{
    chunk::{Chunk, Kept},
    decoder::{Decoder, Limits},
    deflate::Inflater,
    message::Incoming,
    source::Source,
    tail::Tail,
    tap::Observer,
    violation::Violation,
};

/// Why nothing more is heard.
#[derive(Debug)]
pub enum End<P> {
    /// The peer closed the TCP connection, or it broke, without a Close frame before it.
    Eof,
    /// The peer broke the protocol. What comes after it can only be discarded.
    Violation(Violation, Tail<P>),
    /// [`Inbound::drain`] was called, and everything that had come by then was heard.
    Drained(Tail<P>),
}

/// A peer's frames, judged, and put together to messages.
#[derive(Debug)]
pub struct Inbound<P> {
    /// None once it has ended.
    source: Option<Source<P>>,
    kept: Kept,
    decoder: Decoder,
    heard: Instant,
    draining: bool,
    held: bool,
    /// Who waits for [`Self::hold`] to be called again.
    waker: Option<Waker>,
}

impl<P, E> Inbound<P>
where
    P: Stream<Item = Result<Bytes, E>> + Unpin,
{
    /// Reads frames from `source`; `now` counts as the moment of the first bytes.
    pub fn new(
        source: Source<P>,
        limits: Limits,
        inflater: Option<Inflater>,
        observer: Observer,
        now: Instant,
    ) -> Self {
        Self {
            source: Some(source),
            kept: Kept::default(),
            decoder: Decoder::new(limits, inflater, observer),
            heard: now,
            draining: false,
            held: false,
            waker: None,
        }
    }

    /// What was read and not looked at, for whoever was woken to read on. It goes back by [`Self::rest`].
    pub fn chunk(&mut self) -> Chunk {
        if let Some(source) = &mut self.source {
            source.woken();
        }
        Chunk::lend(&mut self.kept)
    }

    /// Keeps what was not looked at.
    pub fn rest(&mut self, chunk: Chunk) {
        self.kept = chunk.rest();
    }

    /// What the peer said next, or why it will say no more. It ends once; after that it is for ever pending.
    pub fn poll_next<'c>(
        &mut self,
        cx: &mut Context<'_>,
        chunk: &'c mut Chunk,
    ) -> Poll<Result<Incoming<'c>, End<P>>> {
        loop {
            let Some(source) = &mut self.source else {
                return Poll::Pending;
            };
            if self.held && !self.draining {
                self.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            match self.decoder.next(chunk) {
                Ok(Some(decoded)) => return Poll::Ready(Ok(decoded.within(chunk))),
                Ok(None) if self.held => return self.end(chunk, End::Drained),
                Ok(None) => {}
                Err(violation) => return self.end(chunk, |tail| End::Violation(violation, tail)),
            }
            match source.poll_read(cx, chunk, self.decoder.left()) {
                Poll::Ready(Ok(1..)) => self.heard = Instant::now(),
                Poll::Ready(Ok(0) | Err(_)) => return self.end(chunk, |_| End::Eof),
                Poll::Pending if self.draining => {
                    if has_budget_remaining() {
                        return self.end(chunk, End::Drained);
                    }
                    // The task has had its share of this turn: more may be there.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// When the last bytes came from the peer, or when it was last listened to again.
    pub fn last_heard(&self) -> Instant {
        self.heard
    }

    /// Ends as soon as what has come so far is heard.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether [`Self::drain`] was called.
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// Whether hearing waits: held, nothing more is looked at or taken from the socket, and the peer feels that its writes
    /// stall. Draining goes before: what has been read by then is heard.
    pub fn hold(&mut self, held: bool) {
        if self.held && !held {
            // What came in the meantime was not seen to come.
            self.heard = Instant::now();
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
        self.held = held;
    }

    /// Whether [`Self::hold`] says that hearing waits.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Bytes of a message that is not whole.
    #[cfg(test)]
    pub(super) fn holds(&self) -> usize {
        self.decoder.holds()
    }

    fn end<'c>(
        &mut self,
        chunk: &mut Chunk,
        end: impl FnOnce(Tail<P>) -> End<P>,
    ) -> Poll<Result<Incoming<'c>, End<P>>> {
        let Some(source) = self.source.take() else {
            return Poll::Pending;
        };
        let kept = std::mem::take(chunk).rest();
        Poll::Ready(Err(end(Tail::new(source, kept, self.decoder.left()))))
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Arc, task::Wake};

    use futures_util::{StreamExt as _, stream};

    use super::{super::message::Message, *};

    #[derive(Default)]
    struct Woken(std::sync::atomic::AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }

    #[test]
    fn what_is_held_is_not_even_looked_at() {
        let frames = Bytes::from_static(b"\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b");
        let source = stream::iter([Ok::<_, Infallible>(frames)]).chain(stream::pending());
        let limits = Limits {
            message_size: 10,
            fragments: 10,
        };
        let mut inbound = Inbound::new(
            Source::new(source, None),
            limits,
            None,
            Observer::default(),
            Instant::now(),
        );
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let next = |inbound: &mut Inbound<_>| {
            let mut chunk = inbound.chunk();
            let said = match inbound.poll_next(&mut Context::from_waker(&waker), &mut chunk) {
                Poll::Ready(Ok(Incoming::Message(Message { payload, .. }, _))) => payload.to_vec(),
                _ => Vec::new(),
            };
            inbound.rest(chunk);
            said
        };
        assert_eq!(next(&mut inbound), b"a");
        inbound.hold(true);
        assert_eq!(next(&mut inbound), b"", "it has been read, and waits");
        inbound.hold(false);
        assert!(woken.0.load(std::sync::atomic::Ordering::Relaxed));
        assert_eq!(next(&mut inbound), b"b");
    }
}
