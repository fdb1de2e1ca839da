//! The unparsed input of a connection between two polls.

use super::pool::{self, Use};
use crate::protocol::ReadBuffer;

/// The bytes of one connection that were read and not parsed. For an idle connection, they need no memory.
#[derive(Debug, Default)]
pub(super) struct Unread(Vec<u8>);

impl Unread {
    /// Returns a buffer of the thread with the unparsed bytes.
    #[inline]
    pub(super) fn lend(&mut self) -> ReadBuffer {
        let unread = std::mem::take(&mut self.0);
        ReadBuffer::new(pool::take(Use::Read), &unread)
    }

    /// Copies the unparsed bytes, and returns the buffer to the thread.
    #[inline]
    pub(super) fn take_back(buffer: ReadBuffer) -> Self {
        let unread = Self(buffer.unparsed().to_vec());
        pool::put(Use::Read, buffer.into_storage());
        unread
    }
}
