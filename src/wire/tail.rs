//! What still comes once nobody wants to hear it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;

use super::{
    chunk::{Chunk, Kept},
    frame::{CLOSE, Header},
    source::Source,
};

/// What is left of a stream once frames are no longer wanted: read and discarded to the end of the peer's Close frame or
/// of the stream, so that closing the socket does not answer unread bytes with a reset, which would take our Close frame with it.
#[derive(Debug)]
pub struct Tail<P> {
    source: Source<P>,
    /// At most a header that is not whole, once it was looked at.
    kept: Kept,
    /// Payload of the frame in which the stream was left, or of one since.
    skip: u64,
    /// The peer's Close frame is among what was discarded, up to what `skip` says is left of it.
    closed: bool,
}

impl<P> Tail<P> {
    /// Goes on with `kept`, which begins with what is left of a payload: `skip` bytes, those that have not come included.
    pub(super) fn new(source: Source<P>, kept: Kept, skip: u64) -> Self {
        Self {
            source,
            kept,
            skip,
            closed: false,
        }
    }

    /// Discards what is there; true when that was the end of a Close frame.
    fn discard(&mut self, chunk: &mut Chunk) -> bool {
        loop {
            let skipped = chunk.advance(usize::try_from(self.skip).unwrap_or(usize::MAX));
            self.skip -= skipped.len() as u64;
            if self.closed && self.skip == 0 {
                return true;
            }
            if self.skip > 0 {
                return false;
            }
            let Some((header, taken)) = Header::read(chunk.fresh()) else {
                return false;
            };
            self.closed = header.opcode == CLOSE;
            chunk.advance(taken);
            self.skip = header.len;
        }
    }
}

impl<P, E> Future for Tail<P>
where
    P: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let mut chunk = Chunk::lend(&mut this.kept);
        let ended = loop {
            if this.discard(&mut chunk) {
                break Poll::Ready(());
            }
            match this.source.poll_read(cx, &mut chunk, 0) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0) | Err(_)) => break Poll::Ready(()),
                Poll::Pending => break Poll::Pending,
            }
        };
        this.kept = chunk.rest();
        ended
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{FutureExt, stream};

    use super::*;

    #[test]
    fn it_ends_with_the_last_byte_of_the_peers_close() {
        let frames = b"\x81\x83\0\0\0\0abc\x88\x85\0\0\0\0\x03\xE8bye";
        for cut in 0..=frames.len() {
            let (first, second) = frames.split_at(cut);
            let mut unread = 3;
            let mut chunks = [first, second, b"what is not read"].into_iter();
            let chunks = stream::poll_fn(|_| {
                unread -= 1;
                Poll::Ready(chunks.next().map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk))))
            });
            let mut tail = Tail::new(Source::new(chunks, None), Kept::default(), 0);
            assert_eq!((&mut tail).now_or_never(), Some(()));
            drop(tail);
            let expected = if cut == frames.len() { 2 } else { 1 };
            assert_eq!(unread, expected, "cut at {cut}");
        }
    }
}
