//! Bytes that wait to be written, in one piece: a socket takes that in one call, and copying them there costs less than
//! to make it gather pieces (BENCHMARKS.md has the figures).

use std::cell::Cell;

use super::frame::{Header, MAX_HEADER};

/// Largest buffer that a thread keeps for the next who writes.
const SPARE_SIZE: usize = 256 * 1024;

/// Bytes of a page of memory.
const PAGE: usize = 4096;

thread_local! {
    /// One buffer serves all connections of a thread, so that one that has nothing to say has none.
    static SPARE: Cell<Vec<u8>> = Cell::default();
}

/// What one connection has to write.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    written: usize,
}

impl Buffer {
    /// A frame, whose payload is `parts`, one after the other.
    pub(super) fn frame(&mut self, header: &Header, parts: &[&[u8]]) {
        self.make_room();
        let len = usize::try_from(header.len).unwrap_or_default();
        self.bytes.reserve(PAGE + MAX_HEADER + len);
        if self.bytes.is_empty() && len >= PAGE {
            self.skip_to_middle_of_page();
        }
        self.bytes.extend_from_slice(header.write(&mut [0; MAX_HEADER]));
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
    }

    /// A frame that is made already.
    pub(super) fn push(&mut self, frame: &[u8]) {
        self.make_room();
        self.bytes.extend_from_slice(frame);
    }

    /// What waits.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// So much was written.
    pub(super) fn advance(&mut self, len: usize) {
        self.written += len;
    }

    /// Keeps no more memory than what waits needs. For whoever writes no more for now.
    pub(super) fn rest(&mut self) {
        let capacity = self.bytes.capacity();
        let waiting = self.bytes();
        if capacity == 0 || waiting.len() > capacity / 2 {
            return;
        }
        let waiting = waiting.to_vec();
        let mut spare = std::mem::replace(&mut self.bytes, waiting);
        self.written = 0;
        if spare.capacity() <= SPARE_SIZE {
            spare.clear();
            SPARE.set(spare);
        }
    }

    /// The kernel copies what is written to pages of its own, from their start. Where the place in its page that is copied
    /// to lies up to 15 bytes after that which is copied from, `rep movsb` comes to a fourteenth of its speed on AMD's Zen:
    /// a frame at the start of a page would meet that whenever the frame before it has left its header's length there.
    fn skip_to_middle_of_page(&mut self) {
        let start = self.bytes.as_ptr().addr();
        self.written = (PAGE / 2).wrapping_sub(start) % PAGE;
        self.bytes.resize(self.written, 0);
    }

    fn make_room(&mut self) {
        if self.bytes.capacity() == 0 {
            self.bytes = SPARE.take();
        }
    }
}
