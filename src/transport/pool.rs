//! Buffers that a thread lends to its connections for the length of one poll, so that an idle connection has none.

use std::cell::Cell;

/// Largest buffer in bytes that a thread keeps. Larger ones return to the allocator.
const MAX_SIZE: usize = 512 * 1024;

thread_local! {
    static SPARE: [Cell<Vec<u8>>; 4] = const { [const { Cell::new(Vec::new()) }; 4] };
}

/// What a buffer is lent for. A thread keeps one buffer for each use: a poll needs no second one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Use {
    /// To read a connection's bytes to.
    Read,
    /// To read the bytes beneath TLS to.
    Decrypt,
    /// To write from.
    Write,
    /// To compress to.
    Compress,
}

/// Takes the buffer, with the contents that it was given back with; an empty one if it is lent already.
#[inline]
pub(super) fn take(purpose: Use) -> Vec<u8> {
    SPARE.with(|spare| spare[purpose as usize].take())
}

/// Gives a buffer back.
#[inline]
pub(super) fn give(purpose: Use, buffer: Vec<u8>) {
    if (1..=MAX_SIZE).contains(&buffer.capacity()) {
        SPARE.with(|spare| spare[purpose as usize].set(buffer));
    }
}
