//! Reads and discards the input after the last message.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use super::{byte_source::ByteSource, unread::Unread};
use crate::protocol::{
    ReadBuffer,
    frame::{CLOSE, Header},
};

/// Discards input up to the end of the peer's Close frame or of the stream. If a socket with unread bytes is closed, the kernel
/// sends a reset, and the peer may then lose the server's Close frame (RFC 6455 section 7.1.1).
#[derive(Debug)]
pub struct Discard {
    source: ByteSource,
    /// The unparsed bytes. After the first poll, they are at most an incomplete header.
    unread: Unread,
    /// Number of payload bytes of the current frame that are not discarded yet.
    skip: u64,
    /// Whether the current frame is the peer's Close frame.
    closed: bool,
}

impl Discard {
    /// Starts with the bytes `unread`, followed by those of `source`. Their first `skip` bytes are payload of the current frame.
    pub(super) fn new(mut source: ByteSource, unread: Unread, skip: u64) -> Self {
        source.remove_limit();
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
    fn discarding_ends_with_the_last_byte_of_the_peers_close_frame() {
        let frames = b"\x81\x83\0\0\0\0abc\x88\x85\0\0\0\0\x03\xE8bye";
        for cut in 0..=frames.len() {
            let (first, second) = frames.split_at(cut);
            let reads = Rc::new(Cell::new(0));
            let mut blocks = [first, second, b"never read"].into_iter();
            let counted = Rc::clone(&reads);
            let blocks = stream::poll_fn(move |_| {
                counted.set(counted.get() + 1);
                Poll::Ready(
                    blocks
                        .next()
                        .map(|block| Ok::<_, PayloadError>(Bytes::from(block))),
                )
            });
            let payload: Payload = Payload::Stream {
                payload: Box::pin(blocks),
            };
            let source = ByteSource::new(payload, Carrier::Body(BodyPipe::new().0), None);
            let mut discard = Discard::new(source, Unread::default(), 0);
            assert_eq!((&mut discard).now_or_never(), Some(()));
            let expected = if cut == frames.len() { 1 } else { 2 };
            assert_eq!(reads.get(), expected, "cut at {cut}");
        }
    }
}
