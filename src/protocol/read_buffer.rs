//! The buffer between the reads of a connection and the decoder.

use std::ops::Range;

/// The bytes of one connection that the decoder parses. Parsed bytes stay until [`Self::room`] or [`Self::append`] is called,
/// so that a message can borrow them.
#[derive(Debug, Default)]
pub struct ReadBuffer {
    /// Initialised memory. It is longer than the unparsed bytes, because a read needs initialised memory to write to.
    storage: Vec<u8>,
    /// The bounds of the unparsed bytes.
    start: usize,
    end: usize,
}

impl ReadBuffer {
    /// Creates a buffer with the bytes `unparsed`. It reuses the memory of `storage` and ignores its contents.
    pub fn new(storage: Vec<u8>, unparsed: &[u8]) -> Self {
        let mut buffer = Self {
            storage,
            start: 0,
            end: 0,
        };
        if !unparsed.is_empty() {
            buffer.append(unparsed);
        }
        buffer
    }

    /// Returns the memory for reuse.
    pub fn into_storage(self) -> Vec<u8> {
        self.storage
    }

    /// Returns the unparsed bytes.
    pub fn unparsed(&self) -> &[u8] {
        &self.storage[self.start..self.end]
    }

    /// Returns the unparsed bytes, to unmask them in place.
    pub(super) fn unparsed_mut(&mut self) -> &mut [u8] {
        &mut self.storage[self.start..self.end]
    }

    /// Marks at most `len` bytes as parsed and returns their range. It is valid until [`Self::room`] or [`Self::append`] is called.
    pub fn advance(&mut self, len: usize) -> Range<usize> {
        let from = self.start;
        self.start = self.end.min(from.saturating_add(len));
        from..self.start
    }

    /// Returns the bytes of a range that [`Self::advance`] has returned.
    pub(super) fn parsed(&self, range: Range<usize>) -> &[u8] {
        &self.storage[range]
    }

    /// Returns `len` bytes of memory after the unparsed bytes, for a read. [`Self::commit`] adds the bytes that were read.
    #[inline]
    pub fn room(&mut self, len: usize) -> &mut [u8] {
        if self.start > 0 {
            self.storage.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let end = self.end + len;
        if self.storage.len() < end {
            self.storage.resize(end, 0);
        }
        &mut self.storage[self.end..end]
    }

    /// Adds the first `len` bytes of the room to the unparsed bytes.
    pub fn commit(&mut self, len: usize) {
        self.end = self.storage.len().min(self.end + len);
    }

    /// Appends bytes that were read elsewhere.
    pub fn append(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).copy_from_slice(bytes);
        self.commit(bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsed_bytes_stay_until_the_next_read_and_unparsed_ones_move_to_the_front() {
        let mut buffer = ReadBuffer::new(b"stale".to_vec(), b"head");
        buffer.append(b"body");
        let head = buffer.advance(4);
        assert_eq!(buffer.parsed(head), b"head");
        assert_eq!(buffer.unparsed(), b"body");
        buffer.append(b"more");
        assert_eq!(buffer.unparsed(), b"bodymore");
        assert_eq!(buffer.advance(100).len(), 8);
        assert_eq!(buffer.unparsed(), b"");
    }
}
