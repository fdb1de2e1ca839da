//! The input after the last message: read and discarded.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use super::{byte_source::ByteSource, unread::Unread};
use crate::protocol::{
    ReadBuffer,
    frame::{CLOSE, Header},
};

/// The input after the last message, read and discarded to the end of the peer's Close frame or of the stream. If a socket is closed
/// with unread bytes, the kernel sends a reset, and the peer may then lose the server's Close frame (RFC 6455 section 7.1.1).
#[derive(Debug)]
pub struct Discard {
    source: ByteSource,
    /// After the first poll, at most an incomplete header.
    unread: Unread,
    /// Payload bytes of the current frame that are still to be skipped.
    skip: u64,
    /// Whether the current frame is the peer's Close frame.
    closed: bool,
}

impl Discard {
    /// Continues with `unread`. The current frame lacks `skip` payload bytes, arrived or not.
    pub(super) fn new(source: ByteSource, unread: Unread, skip: u64) -> Self {
        Self {
            source,
            unread,
            skip,
            closed: false,
        }
    }

    /// Discards the bytes in `buffer`. Returns true at the end of a Close frame.
    fn discard(&mut self, buffer: &mut ReadBuffer) -> bool {
        loop {
            let skipped = buffer.advance(usize::try_from(self.skip).unwrap_or(usize::MAX));
            self.skip -= skipped.len() as u64;
            if self.closed && self.skip == 0 {
                return true;
            }
            if self.skip > 0 {
                return false;
            }
            let Some((header, len)) = Header::read(buffer.unparsed()) else {
                return false;
            };
            self.closed = header.opcode == CLOSE;
            buffer.advance(len);
            self.skip = header.len;
        }
    }
}

impl Future for Discard {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let mut buffer = this.unread.lend();
        let ended = loop {
            if this.discard(&mut buffer) {
                break Poll::Ready(());
            }
            match this.source.poll_read(cx, &mut buffer, 0) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0) | Err(_)) => break Poll::Ready(()),
                Poll::Pending => break Poll::Pending,
            }
        };
        this.unread = Unread::take_back(buffer);
        ended
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use actix_web::{dev::Payload, error::PayloadError};
    use bytes::Bytes;
    use futures_util::{FutureExt, stream};

    use super::*;
    use crate::transport::{BodyPipe, Carrier};

    #[test]
    fn it_ends_with_the_last_byte_of_the_peers_close() {
        let frames = b"\x81\x83\0\0\0\0abc\x88\x85\0\0\0\0\x03\xE8bye";
        for cut in 0..=frames.len() {
            let (first, second) = frames.split_at(cut);
            let reads = Rc::new(Cell::new(0));
            let mut chunks = [first, second, b"what is not read"].into_iter();
            let counted = Rc::clone(&reads);
            let chunks = stream::poll_fn(move |_| {
                counted.set(counted.get() + 1);
                Poll::Ready(
                    chunks
                        .next()
                        .map(|chunk| Ok::<_, PayloadError>(Bytes::from(chunk))),
                )
            });
            let payload: Payload = Payload::Stream {
                payload: Box::pin(chunks),
            };
            let source = ByteSource::new(payload, Carrier::Body(BodyPipe::new().0));
            let mut discard = Discard::new(source, Unread::default(), 0);
            assert_eq!((&mut discard).now_or_never(), Some(()));
            let expected = if cut == frames.len() { 1 } else { 2 };
            assert_eq!(reads.get(), expected, "cut at {cut}");
        }
    }
}
