//! A frame of any contents, valid or not.

use crate::protocol::frame::{self, Header, MAX_HEADER};

/// The masking of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Masking {
    /// With a random key, as RFC 6455 section 5.1 requires of a client.
    Random,
    /// With this key.
    Key([u8; 4]),
    /// No masking, which a server must reject.
    None,
}

/// A frame that is sent as it is. The encoder of the connection does not know of it: a caller that sends parts of a message must
/// send the other parts, too.
#[derive(Debug, Clone, Copy)]
pub struct RawFrame<'f> {
    /// Whether it is the last frame of its message.
    pub fin: bool,
    /// RSV1, RSV2 and RSV3 as the bits 4, 2 and 1.
    pub rsv: u8,
    /// The opcode, 0 to 15.
    pub opcode: u8,
    /// The masking.
    pub masking: Masking,
    /// The payload, before masking.
    pub payload: &'f [u8],
}

impl<'f> RawFrame<'f> {
    /// Returns a valid frame with FIN and a random masking key.
    pub fn new(opcode: u8, payload: &'f [u8]) -> Self {
        Self {
            fin: true,
            rsv: 0,
            opcode,
            masking: Masking::Random,
            payload,
        }
    }

    /// Returns the bytes. `key` is the masking key for [`Masking::Random`].
    pub fn to_bytes(self, key: [u8; 4]) -> Vec<u8> {
        let header = Header {
            fin: self.fin,
            rsv: self.rsv,
            mask: match self.masking {
                Masking::Random => Some(key),
                Masking::Key(key) => Some(key),
                Masking::None => None,
            },
            ..Header::unfragmented(self.opcode, self.payload.len())
        };
        let mut bytes = header.write(&mut [0; MAX_HEADER]).to_vec();
        let start = bytes.len();
        bytes.extend_from_slice(self.payload);
        if let Some(key) = header.mask {
            frame::mask(&mut bytes[start..], key, 0);
        }
        bytes
    }
}
