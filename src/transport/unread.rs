//! The unparsed bytes of a connection between two polls.

use super::pool::{self, Use};
use crate::protocol::ReadBuffer;

/// Bytes of one connection that were read and not parsed.
#[derive(Debug, Default)]
pub(super) struct Unread(Vec<u8>);

impl Unread {
    /// Returns a buffer of the pool with the unparsed bytes.
    #[inline]
    pub(super) fn lend(&mut self) -> ReadBuffer {
        let unread = std::mem::take(&mut self.0);
        ReadBuffer::new(pool::take(Use::Read), &unread)
    }

    /// Copies the unparsed bytes and returns the buffer to the pool. An idle connection keeps no buffer.
    #[inline]
    pub(super) fn take_back(buffer: ReadBuffer) -> Self {
        let unread = Self(buffer.unparsed().to_vec());
        pool::give(Use::Read, buffer.into_storage());
        unread
    }
}
