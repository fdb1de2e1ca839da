//! Bytes that wait to be written, in one piece. A socket takes that in one call, and copying them here costs less than to make
//! the kernel gather pieces (BENCHMARKS.md has the figures).

use super::{
    copy_alignment,
    pool::{self, Use},
};
use crate::protocol::frame::MAX_HEADER;

/// What one connection has to write.
#[derive(Debug, Default)]
pub(super) struct WriteBuffer {
    bytes: Vec<u8>,
    written: usize,
}

impl WriteBuffer {
    /// Returns the storage, to append a frame to whose payload has about `len` bytes.
    pub(super) fn room(&mut self, len: usize) -> &mut Vec<u8> {
        if self.bytes.capacity() == 0 {
            self.bytes = pool::take(Use::Write);
        }
        self.bytes.reserve(copy_alignment::MAX_PADDING + MAX_HEADER + len);
        if self.bytes.is_empty() {
            self.written = copy_alignment::pad(&mut self.bytes, len);
        }
        &mut self.bytes
    }

    /// The bytes that wait.
    pub(super) fn unwritten(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// Marks `len` bytes as written.
    pub(super) fn advance(&mut self, len: usize) {
        self.written += len;
    }

    /// Gives back memory that the waiting bytes do not need. Is called when the connection writes no more for now.
    pub(super) fn shrink(&mut self) {
        let capacity = self.bytes.capacity();
        let unwritten = self.unwritten();
        if capacity == 0 || unwritten.len() > capacity / 2 {
            return;
        }
        let unwritten = unwritten.to_vec();
        let mut spare = std::mem::replace(&mut self.bytes, unwritten);
        self.written = 0;
        spare.clear();
        pool::give(Use::Write, spare);
    }
}
