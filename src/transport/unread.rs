//! Bytes that wait between two polls of a connection.

use super::pool::{self, Use};
use crate::protocol::ReadBuffer;

/// Bytes of one connection that were read and not parsed, between two polls.
#[derive(Debug, Default)]
pub(super) struct Unread(Vec<u8>);

impl Unread {
    /// Puts them into a buffer that the thread lends.
    #[inline]
    pub(super) fn lend(&mut self) -> ReadBuffer {
        let unread = std::mem::take(&mut self.0);
        ReadBuffer::new(pool::take(Use::Read), &unread)
    }

    /// Takes what was not parsed, and gives the buffer back. An idle connection keeps nothing.
    #[inline]
    pub(super) fn take_back(buffer: ReadBuffer) -> Self {
        let unread = Self(buffer.unparsed().to_vec());
        pool::give(Use::Read, buffer.into_storage());
        unread
    }
}
