//! The fast path of the decoder: a complete message in one frame. It runs for almost every message.

use super::{
    frame::{BINARY, TEXT},
    message::DataKind,
    role::Role,
};

/// A valid, complete, uncompressed message in one frame.
pub(super) struct SingleFrameMessage {
    pub(super) kind: DataKind,
    /// Length of the header in bytes.
    pub(super) header: usize,
    pub(super) mask: Option<[u8; 4]>,
    /// Length of the payload in bytes.
    pub(super) len: usize,
}

impl SingleFrameMessage {
    /// Reads such a message at the start of `bytes`, with a payload of at most `limit` bytes. Returns `None` for anything else,
    /// valid or not: the general path of the decoder then parses it.
    #[inline]
    pub(super) fn read<R: Role>(bytes: &[u8], limit: usize) -> Option<Self> {
        const FIN_TEXT: u8 = 0x80 | TEXT;
        const FIN_BINARY: u8 = 0x80 | BINARY;
        let (first, header, mask, len) = if R::SENDS_MASKED {
            match *bytes {
                [first, short @ 0..=125, ..] => (first, 2, None, usize::from(short)),
                [first, 126, high, low, ..] => match u16::from_be_bytes([high, low]) {
                    len @ 126.. => (first, 4, None, usize::from(len)),
                    _ => return None,
                },
                _ => return None,
            }
        } else {
            match *bytes {
                [first, short @ 0x80..=0xFD, a, b, c, d, ..] => {
                    (first, 6, Some([a, b, c, d]), usize::from(short & 0x7F))
                }
                [first, 0xFE, high, low, a, b, c, d, ..] => match u16::from_be_bytes([high, low]) {
                    len @ 126.. => (first, 8, Some([a, b, c, d]), usize::from(len)),
                    _ => return None,
                },
                _ => return None,
            }
        };
        let kind = match first {
            FIN_TEXT => DataKind::Text,
            FIN_BINARY => DataKind::Binary,
            _ => return None,
        };
        (len <= limit && header + len <= bytes.len()).then_some(Self {
            kind,
            header,
            mask,
            len,
        })
    }
}
