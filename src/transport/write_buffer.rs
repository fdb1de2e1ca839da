//! The unwritten bytes of a connection in one contiguous buffer, so that one write sends all of them. The copy to this buffer costs
//! less than a vectored write (docs/development.md has the figures).

use super::{
    copy_alignment,
    pool::{self, Use},
};
use crate::protocol::frame::MAX_HEADER;

/// The unwritten bytes of one connection.
#[derive(Debug, Default)]
pub(super) struct WriteBuffer {
    bytes: Vec<u8>,
    /// Number of bytes at the start that are padding or already written.
    written: usize,
}

impl WriteBuffer {
    /// Returns the buffer, to append a frame whose payload has about `len` bytes.
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

    /// Returns the unwritten bytes.
    pub(super) fn unwritten(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// Marks `len` bytes as written.
    pub(super) fn advance(&mut self, len: usize) {
        self.written += len;
    }

    /// Releases the memory that the unwritten bytes do not need. To be called after the last write of a poll.
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
        pool::put(Use::Write, spare);
    }
}
