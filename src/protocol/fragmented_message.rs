//! An incomplete message: one that arrives in several frames, in several reads, or compressed.

use super::{message::DataKind, utf8::Utf8, violation::Violation};

/// Maximum ratio of the message's capacity to the bytes that have arrived. A high ratio saves copies when the message grows.
/// The unused capacity costs no memory, because the kernel allocates a page at its first write.
const GROWTH: usize = 32;

/// A data message whose first header has arrived.
#[derive(Debug)]
pub(super) struct FragmentedMessage {
    pub(super) kind: DataKind,
    /// The payload that has arrived, decompressed.
    pub(super) bytes: Vec<u8>,
    /// Sum of the lengths in the headers that have arrived.
    pub(super) size: usize,
    /// Number of headers that have arrived.
    pub(super) frames: usize,
    /// `None` for binary.
    utf8: Option<Utf8>,
    pub(super) compressed: bool,
}

impl FragmentedMessage {
    /// Starts a message with its first frame, whose payload has `size` bytes.
    pub(super) fn new(kind: DataKind, size: usize, compressed: bool) -> Self {
        Self {
            kind,
            bytes: Vec::new(),
            size,
            frames: 1,
            utf8: (kind == DataKind::Text).then(Utf8::default),
            compressed,
        }
    }

    /// Reserves capacity for the next `len` bytes, and for more of the `left` bytes that the frame lacks.
    pub(super) fn reserve(&mut self, len: usize, left: usize) {
        if self.bytes.capacity() - self.bytes.len() < len {
            let arrived = self.bytes.len() + len;
            self.bytes
                .reserve(len.max(left.min(arrived.saturating_mul(GROWTH))));
        }
    }

    /// Validates the new part of a text.
    pub(super) fn check_text(&mut self) -> Result<(), Violation> {
        match &mut self.utf8 {
            Some(utf8) => utf8.check(&self.bytes).map_err(|_| Violation::Utf8),
            None => Ok(()),
        }
    }

    /// Checks that the complete text does not end within a character.
    pub(super) fn finish_text(&self) -> Result<(), Violation> {
        match self.utf8 {
            Some(utf8) => utf8.finish(&self.bytes).map_err(|_| Violation::Utf8),
            None => Ok(()),
        }
    }
}
