//! The incoming direction of a session: it reads bytes from a carrier and returns messages.

use std::{
    io,
    task::{Context, Poll, Waker},
    time::Instant,
};

use super::{byte_source::ByteSource, discard::Discard, unread::Unread};
use crate::protocol::{Decoder, Incoming, Limits, Observer, ReadBuffer, Role, Violation, deflate::Inflater};

/// The reason for the end of the input.
#[derive(Debug)]
pub enum InputEnd {
    /// The connection ended, or failed with this error.
    Eof(Option<io::Error>),
    /// The peer violated the protocol or a limit. [`Discard`] discards the input after the violation.
    Violation(Violation, Discard),
    /// [`Inbound::drain`] was called, and all messages that had arrived were returned.
    Drained(Discard),
}

/// The messages and control frames of a peer.
#[derive(Debug)]
pub struct Inbound<R, O> {
    /// `None` once the input has ended.
    source: Option<ByteSource>,
    unread: Unread,
    decoder: Decoder<R, O>,
    last_received: Instant,
    draining: bool,
    paused: bool,
    /// Woken when [`Self::pause`] ends a pause.
    waker: Option<Waker>,
}

impl<R: Role, O: Observer> Inbound<R, O> {
    /// Creates the direction with its `source`. `now` is the result of [`Self::last_received`] until bytes arrive.
    pub fn new(
        source: ByteSource,
        limits: Limits,
        inflater: Option<Inflater>,
        observer: O,
        now: Instant,
    ) -> Self {
        Self {
            source: Some(source),
            unread: Unread::default(),
            decoder: Decoder::new(limits, inflater, observer),
            last_received: now,
            draining: false,
            paused: false,
            waker: None,
        }
    }

    /// Returns a buffer of the thread with the unparsed bytes. To be called on each wake-up of the task. The caller returns the
    /// buffer with [`Self::take_back`].
    pub fn lend(&mut self) -> ReadBuffer {
        if let Some(source) = &mut self.source {
            source.on_wake();
        }
        self.unread.lend()
    }

    /// Stores the unparsed bytes, and returns the buffer to the thread.
    pub fn take_back(&mut self, buffer: ReadBuffer) {
        self.unread = Unread::take_back(buffer);
    }

    /// Returns the next message or control frame, or the reason for the end. After the end it always returns `Pending`.
    pub fn poll_next<'b>(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &'b mut ReadBuffer,
    ) -> Poll<Result<Incoming<'b>, InputEnd>> {
        loop {
            let Some(source) = &mut self.source else {
                return Poll::Pending;
            };
            if self.paused && !self.draining {
                self.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            match self.decoder.decode(buffer) {
                Ok(Some(decoded)) => return Poll::Ready(Ok(decoded.within(buffer))),
                Ok(None) => {}
                Err(violation) => return self.end(buffer, |discard| InputEnd::Violation(violation, discard)),
            }
            match source.poll_read(cx, buffer, self.decoder.left()) {
                Poll::Ready(Ok(1..)) => self.last_received = Instant::now(),
                Poll::Ready(end) => return self.end(buffer, |_| InputEnd::Eof(end.err())),
                Poll::Pending if self.draining && source.pending_is_empty() => {
                    return self.end(buffer, InputEnd::Drained);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Returns the time of the last received bytes, or of the end of the last pause if that is later.
    pub fn last_received(&self) -> Instant {
        self.last_received
    }

    /// Makes the input end once all messages that have arrived are returned.
    pub fn drain(&mut self) {
        self.draining = true;
        if let Some(source) = &mut self.source {
            source.bypass_readiness();
        }
    }

    /// Returns whether [`Self::drain`] was called.
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// Pauses or resumes. A paused input parses and reads nothing, so that TCP slows the peer's writes. Draining ends a pause.
    pub fn pause(&mut self, paused: bool) {
        if self.paused && !paused {
            // The time at which bytes arrived during the pause is unknown. The end of the pause counts as this time.
            self.last_received = Instant::now();
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
        self.paused = paused;
    }

    /// Returns whether the input is paused.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Returns the number of bytes of the incomplete message that are in memory.
    pub fn buffered(&self) -> usize {
        self.decoder.buffered()
    }

    /// Ends the input. Returns the future that discards the remaining bytes, or `None` if the input has ended before.
    pub fn discard(&mut self) -> Option<Discard> {
        let source = self.source.take()?;
        let unread = std::mem::take(&mut self.unread);
        Some(Discard::new(source, unread, self.decoder.left()))
    }

    fn end<'b>(
        &mut self,
        buffer: &mut ReadBuffer,
        end: impl FnOnce(Discard) -> InputEnd,
    ) -> Poll<Result<Incoming<'b>, InputEnd>> {
        let Some(source) = self.source.take() else {
            return Poll::Pending;
        };
        let unread = Unread::take_back(std::mem::take(buffer));
        Poll::Ready(Err(end(Discard::new(source, unread, self.decoder.left()))))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        task::Wake,
    };

    use actix_web::{dev::Payload, error::PayloadError};
    use bytes::Bytes;
    use futures_util::{StreamExt as _, stream};

    use super::*;
    use crate::{
        protocol::{Message, NoObserver, Server},
        transport::{BodyPipe, Carrier},
    };

    /// A waker that records a wake-up.
    #[derive(Default)]
    struct WakeFlag(AtomicBool);

    impl Wake for WakeFlag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_paused_input_parses_nothing_and_the_end_of_the_pause_wakes_the_task() {
        let frames = Bytes::from_static(b"\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b");
        let payload = stream::iter([Ok::<_, PayloadError>(frames)]).chain(stream::pending());
        let payload: Payload = Payload::Stream {
            payload: Box::pin(payload),
        };
        let limits = Limits {
            message_size: 10,
            fragments: 10,
        };
        let mut inbound = Inbound::<Server, _>::new(
            ByteSource::new(payload, Carrier::Body(BodyPipe::new().0), None),
            limits,
            None,
            NoObserver,
            Instant::now(),
        );
        let wake_flag = Arc::new(WakeFlag::default());
        let waker = Waker::from(Arc::clone(&wake_flag));
        let next = |inbound: &mut Inbound<_, _>| {
            let mut buffer = inbound.lend();
            let payload = match inbound.poll_next(&mut Context::from_waker(&waker), &mut buffer) {
                Poll::Ready(Ok(Incoming::Message(Message { payload, .. }, _))) => payload.to_vec(),
                _ => Vec::new(),
            };
            inbound.take_back(buffer);
            payload
        };
        assert_eq!(next(&mut inbound), b"a");
        inbound.pause(true);
        assert_eq!(next(&mut inbound), b"", "paused");
        inbound.pause(false);
        assert!(wake_flag.0.load(Ordering::Relaxed));
        assert_eq!(next(&mut inbound), b"b");
    }
}
