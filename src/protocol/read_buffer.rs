//! Bytes that were read, and how far they were parsed.

use std::ops::Range;

/// The bytes of one connection that are being parsed. Parsed bytes stay until more room is asked for, so that a message can
/// borrow them.
#[derive(Debug, Default)]
pub struct ReadBuffer {
    bytes: Vec<u8>,
    /// Where the unparsed bytes start.
    start: usize,
}

impl ReadBuffer {
    /// Starts with `unparsed`, in `storage`, whose contents are discarded.
    pub fn new(mut storage: Vec<u8>, unparsed: &[u8]) -> Self {
        storage.clear();
        storage.extend_from_slice(unparsed);
        Self {
            bytes: storage,
            start: 0,
        }
    }

    /// Returns the storage, whose contents are of no use.
    pub fn into_storage(self) -> Vec<u8> {
        self.bytes
    }

    /// The bytes that were not parsed.
    pub fn unparsed(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// The same bytes, to be unmasked in place.
    pub(super) fn unparsed_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..]
    }

    /// Marks at most `len` bytes as parsed and returns their place, which [`Self::parsed`] takes until [`Self::room`] or
    /// [`Self::append`] is called.
    pub fn advance(&mut self, len: usize) -> Range<usize> {
        let from = self.start;
        self.start = self.bytes.len().min(from.saturating_add(len));
        from..self.start
    }

    /// The bytes that [`Self::advance`] has marked.
    pub(super) fn parsed(&self, place: Range<usize>) -> &[u8] {
        &self.bytes[place]
    }

    /// Returns the storage with room for `len` bytes behind those that were not parsed: a read appends to it.
    pub fn room(&mut self, len: usize) -> &mut Vec<u8> {
        if self.start > 0 {
            let unparsed = self.bytes.len() - self.start;
            self.bytes.copy_within(self.start.., 0);
            self.bytes.truncate(unparsed);
            self.start = 0;
        }
        self.bytes.reserve(len);
        &mut self.bytes
    }

    /// Appends bytes that were read elsewhere.
    pub fn append(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsed_bytes_stay_until_more_are_read_and_unparsed_ones_move_to_the_front() {
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
