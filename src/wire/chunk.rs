//! Bytes that were read, and how far they were looked at.

use std::{cell::Cell, ops::Range};

/// Bytes of one read at most: so much may wait of a connection whose messages are taken one by one.
const READ: usize = 64 * 1024;

/// The same where more of one payload is awaited: a large message takes fewer reads.
const LARGE_READ: usize = 256 * 1024;

thread_local! {
    /// One buffer serves all connections of a thread, so that one that is idle has none.
    static BUFFER: Cell<Vec<u8>> = Cell::default();
}

/// What one connection has read, in the thread's buffer for as long as it is looked at.
#[derive(Debug, Default)]
pub struct Chunk {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// What was read and not looked at, while nobody looks.
#[derive(Debug, Default)]
pub(super) struct Kept(Vec<u8>);

impl Chunk {
    /// Goes on with `kept`.
    pub(super) fn lend(kept: &mut Kept) -> Self {
        let mut chunk = Self {
            buffer: BUFFER.take(),
            start: 0,
            end: 0,
        };
        if !kept.0.is_empty() {
            chunk.push(&std::mem::take(&mut kept.0));
        }
        chunk
    }

    /// Gives the buffer back. An idle connection keeps nothing.
    pub(super) fn rest(self) -> Kept {
        let kept = Kept(self.fresh().to_vec());
        // One that was taken from it has nothing to give.
        if !self.buffer.is_empty() {
            BUFFER.set(self.buffer);
        }
        kept
    }

    /// What was not looked at.
    pub(super) fn fresh(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The same, to be unmasked where it is.
    pub(super) fn fresh_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..self.end]
    }

    /// So much was looked at. Where it was, until more is read.
    pub(super) fn advance(&mut self, len: usize) -> Range<usize> {
        let from = self.start;
        self.start = self.end.min(from + len);
        from..self.start
    }

    /// What [`Self::advance`] has passed, while nothing more is read.
    pub(super) fn passed(&self, place: Range<usize>) -> &[u8] {
        &self.buffer[place]
    }

    /// Room for a read, behind what was not looked at, where `awaited` bytes of a payload are to come.
    pub(super) fn room(&mut self, awaited: u64) -> &mut [u8] {
        let len = usize::try_from(awaited)
            .unwrap_or(LARGE_READ)
            .clamp(READ, LARGE_READ);
        self.make_room(len);
        &mut self.buffer[self.end..self.end + len]
    }

    /// So much of the room was filled.
    pub(super) fn filled(&mut self, len: usize) {
        self.end = self.buffer.len().min(self.end + len);
    }

    /// Bytes that somebody else has read.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        self.buffer[self.end..self.end + bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    fn make_room(&mut self, len: usize) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < len {
            self.buffer.resize(self.end + len, 0);
        }
    }
}
