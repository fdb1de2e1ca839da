//! A message that arrives in parts: in several frames, in several reads, or compressed.

use super::{message::DataKind, utf8::Utf8, violation::Violation};

/// Factor between the bytes that have arrived and the capacity of the message. To grow copies the bytes. Capacity that is not
/// written to costs no memory.
const GROWTH: usize = 32;

/// A data message of which at least one header has arrived.
#[derive(Debug)]
pub(super) struct FragmentedMessage {
    pub(super) kind: DataKind,
    /// The payload so far, decompressed.
    pub(super) bytes: Vec<u8>,
    /// Payload bytes on the wire, including those of the frame that have not arrived.
    pub(super) size: usize,
    pub(super) frames: usize,
    /// None for binary.
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

    /// Reserves room for `len` more bytes, of the `left` bytes that the frame lacks.
    pub(super) fn make_room(&mut self, len: usize, left: usize) {
        if self.bytes.capacity() - self.bytes.len() < len {
            let arrived = self.bytes.len() + len;
            self.bytes
                .reserve(len.max(left.min(arrived.saturating_mul(GROWTH))));
        }
    }

    /// Checks the new part of a text.
    pub(super) fn check_text(&mut self) -> Result<(), Violation> {
        match &mut self.utf8 {
            Some(utf8) => utf8.check(&self.bytes).map_err(|_| Violation::Utf8),
            None => Ok(()),
        }
    }

    /// Checks that a text does not end within a character.
    pub(super) fn finish_text(&self) -> Result<(), Violation> {
        match self.utf8 {
            Some(utf8) => utf8.finish(&self.bytes).map_err(|_| Violation::Utf8),
            None => Ok(()),
        }
    }
}
