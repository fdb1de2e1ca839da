//! Buffers that a thread lends to its connections for the length of one poll, so that an idle connection has none.

use std::cell::Cell;

/// Largest buffer in bytes that a thread keeps. It frees larger ones.
const MAX_SIZE: usize = 512 * 1024;

thread_local! {
    static SPARE: [Cell<Vec<u8>>; 4] = const { [const { Cell::new(Vec::new()) }; 4] };
}

/// The use of a buffer. A thread keeps one buffer for each use, because a poll needs no second one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Use {
    /// The bytes of a connection that are read.
    Read,
    /// The encrypted bytes that are read.
    Decrypt,
    /// The bytes that are written.
    Write,
    /// The output of the compression.
    Compress,
}

/// Returns the buffer with its old contents, or an empty one if it is lent already.
#[inline]
pub(super) fn take(purpose: Use) -> Vec<u8> {
    SPARE.with(|spare| spare[purpose as usize].take())
}

/// Returns a buffer to the pool.
#[inline]
pub(super) fn give(purpose: Use, buffer: Vec<u8>) {
    if (1..=MAX_SIZE).contains(&buffer.capacity()) {
        SPARE.with(|spare| spare[purpose as usize].set(buffer));
    }
}
