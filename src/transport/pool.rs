//! Buffers that a thread lends to its connections for the length of one poll, so that an idle connection has none.

use std::cell::RefCell;

/// Number of buffers that a thread keeps. One poll uses three at most: one to read to, one to write from, one to compress to or
/// to decrypt from.
const MAX_SPARE: usize = 4;

/// Largest buffer in bytes that a thread keeps. Larger ones return to the allocator.
const MAX_SPARE_SIZE: usize = 512 * 1024;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Takes an empty buffer, of any capacity.
pub(super) fn take() -> Vec<u8> {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Gives a buffer back.
pub(super) fn give(mut buffer: Vec<u8>) {
    if (1..=MAX_SPARE_SIZE).contains(&buffer.capacity()) {
        SPARE.with_borrow_mut(|spare| {
            if spare.len() < MAX_SPARE {
                buffer.clear();
                spare.push(buffer);
            }
        });
    }
}
