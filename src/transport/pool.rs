//! Buffers that a thread lends to a connection during one poll, so that an idle connection has no buffer.

use std::cell::Cell;

/// Capacity in bytes of the largest buffer that a thread keeps. It frees larger ones.
const MAX_SIZE: usize = 512 * 1024;

thread_local! {
    static SPARE: [Cell<Vec<u8>>; 4] = const { [const { Cell::new(Vec::new()) }; 4] };
}

/// The purpose of a buffer. A thread keeps one buffer for each purpose, because a poll needs no second one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Use {
    /// Input, decrypted.
    Read,
    /// Input of a connection with TLS, encrypted.
    Decrypt,
    /// Output, before encryption.
    Write,
    /// The compressed payload of one message.
    Compress,
}

/// Returns the thread's buffer with its old contents, or a new one if the buffer is lent already.
#[inline]
pub(super) fn take(purpose: Use) -> Vec<u8> {
    SPARE.with(|spare| spare[purpose as usize].take())
}

/// Stores a buffer for the next [`take`].
#[inline]
pub(super) fn put(purpose: Use, buffer: Vec<u8>) {
    if (1..=MAX_SIZE).contains(&buffer.capacity()) {
        SPARE.with(|spare| spare[purpose as usize].set(buffer));
    }
}
