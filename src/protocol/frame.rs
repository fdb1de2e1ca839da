//! The header and the masking of a WebSocket frame (RFC 6455 sections 5.2 and 5.3).

/// Longest header: 2 bytes, 8 of extended length, 4 of masking key.
pub const MAX_HEADER: usize = 14;

/// Longest payload of a control frame (RFC 6455 section 5.5).
pub const MAX_CONTROL_PAYLOAD: usize = 125;

/// Longest close reason in bytes: the payload of a Close frame without its code (RFC 6455 section 5.5.1).
pub const MAX_CLOSE_REASON: usize = MAX_CONTROL_PAYLOAD - 2;

/// Opcode of a continuation frame.
pub const CONTINUATION: u8 = 0x0;
/// Opcode of a text frame.
pub const TEXT: u8 = 0x1;
/// Opcode of a binary frame.
pub const BINARY: u8 = 0x2;
/// Opcode of a Close frame.
pub const CLOSE: u8 = 0x8;
/// Opcode of a Ping frame.
pub const PING: u8 = 0x9;
/// Opcode of a Pong frame.
pub const PONG: u8 = 0xA;

/// The bit of RSV1 in [`Header::rsv`], which permessage-deflate uses (RFC 7692 section 6).
pub const RSV1: u8 = 0b100;

/// A frame's header as received, valid or not. [`super::Decoder`] validates it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Whether this is the message's last frame.
    pub fin: bool,
    /// RSV1, RSV2, RSV3 as the bits 4, 2 and 1.
    pub rsv: u8,
    /// The opcode, 0 to 15.
    pub opcode: u8,
    /// The masking key of a masked frame.
    pub mask: Option<[u8; 4]>,
    /// Length of the payload in bytes, as the header declares it.
    pub len: u64,
    /// Whether the length has the shortest of its three forms, and a most significant bit of 0.
    pub minimal: bool,
}

impl Header {
    /// Returns the unmasked header of an unfragmented message or of a control frame.
    pub fn unfragmented(opcode: u8, len: usize) -> Self {
        Self {
            fin: true,
            rsv: 0,
            opcode,
            mask: None,
            len: len as u64,
            minimal: true,
        }
    }

    /// Reads the header at the start of `bytes`. Returns it with its own length in bytes, or `None` if it is incomplete.
    pub fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let (&[first, second], tail) = bytes.split_first_chunk::<2>()?;
        let short = second & 0x7F;
        let (len, tail, minimal) = match short {
            126 => {
                let (extended, tail) = tail.split_first_chunk::<2>()?;
                let len = u64::from(u16::from_be_bytes(*extended));
                (len, tail, len >= 126)
            }
            127 => {
                let (extended, tail) = tail.split_first_chunk::<8>()?;
                let len = u64::from_be_bytes(*extended);
                (len, tail, len > u64::from(u16::MAX) && len >> 63 == 0)
            }
            _ => (u64::from(short), tail, true),
        };
        let (mask, tail) = if second & 0x80 == 0 {
            (None, tail)
        } else {
            let (mask, tail) = tail.split_first_chunk::<4>()?;
            (Some(*mask), tail)
        };
        let header = Self {
            fin: first & 0x80 != 0,
            rsv: first >> 4 & 0b111,
            opcode: first & 0x0F,
            mask,
            len,
            minimal,
        };
        Some((header, bytes.len() - tail.len()))
    }

    /// Writes the header to `buffer`, with the length in its shortest form. Returns the written bytes.
    pub fn write<'b>(&self, buffer: &'b mut [u8; MAX_HEADER]) -> &'b [u8] {
        buffer[0] = u8::from(self.fin) << 7 | (self.rsv & 0b111) << 4 | self.opcode & 0x0F;
        let masked = if self.mask.is_some() { 0x80 } else { 0 };
        let mut end = match (u8::try_from(self.len), u16::try_from(self.len)) {
            (Ok(len @ ..=125), _) => {
                buffer[1] = masked | len;
                2
            }
            (_, Ok(len)) => {
                buffer[1] = masked | 126;
                buffer[2..4].copy_from_slice(&len.to_be_bytes());
                4
            }
            _ => {
                buffer[1] = masked | 127;
                buffer[2..10].copy_from_slice(&self.len.to_be_bytes());
                10
            }
        };
        if let Some(mask) = self.mask {
            buffer[end..end + 4].copy_from_slice(&mask);
            end += 4;
        }
        &buffer[..end]
    }

    /// Returns whether the opcode is Close, Ping or Pong, or is reserved for further control frames (RFC 6455 section 5.5).
    pub fn is_control(&self) -> bool {
        self.opcode & 0x8 != 0
    }
}

/// Masks or unmasks a part of a payload in place (RFC 6455 section 5.3). `offset` is the position of its first byte in the
/// payload.
pub fn mask(part: &mut [u8], mut key: [u8; 4], offset: u64) {
    key.rotate_left((offset % 4) as usize);
    let wide = u64::from_ne_bytes([key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]]);
    let (words, tail) = part.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(opcode: u8, len: u64, mask: Option<[u8; 4]>) -> Header {
        Header {
            fin: true,
            rsv: 0,
            opcode,
            mask,
            len,
            minimal: true,
        }
    }

    #[test]
    fn the_examples_of_rfc_6455_section_5_7_decode_as_stated_there() {
        assert_eq!(Header::read(&[0x81, 0x05]), Some((header(TEXT, 5, None), 2)));
        assert_eq!(
            Header::read(&[0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D]),
            Some((header(TEXT, 5, Some([0x37, 0xFA, 0x21, 0x3D])), 6))
        );
        assert_eq!(
            Header::read(&[0x82, 0x7E, 0x01, 0x00]),
            Some((header(BINARY, 256, None), 4))
        );
        assert_eq!(
            Header::read(&[0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]),
            Some((header(BINARY, 65536, None), 10))
        );
    }

    #[test]
    fn a_length_that_is_not_in_its_shortest_form_is_detected() {
        for bytes in [
            &[0x82, 126, 0, 125][..],
            &[0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF],
            &[0x82, 127, 0x80, 0, 0, 0, 0, 1, 0, 0],
        ] {
            assert!(!Header::read(bytes).unwrap().0.minimal, "{bytes:?}");
        }
        assert!(Header::read(&[0x82, 126, 0, 126]).unwrap().0.minimal);
    }

    proptest! {
        #[test]
        fn a_written_header_reads_back_equal_and_a_part_of_it_is_incomplete(
            fin: bool, rsv in 0..8u8, opcode in 0..16u8, mask: Option<[u8; 4]>,
            len in prop_oneof![0..130u64, 65_530..65_540u64, 0..=i64::MAX as u64],
        ) {
            let header = Header { fin, rsv, opcode, mask, len, minimal: true };
            let mut buffer = [0; MAX_HEADER];
            let written = header.write(&mut buffer);
            prop_assert_eq!(Header::read(written), Some((header, written.len())));
            for end in 0..written.len() {
                prop_assert_eq!(Header::read(&written[..end]), None);
            }
        }

        #[test]
        fn unmasking_in_two_parts_equals_unmasking_at_once(
            payload in proptest::collection::vec(any::<u8>(), 0..70), mask: [u8; 4], cut in 0..70usize,
        ) {
            let expected: Vec<u8> = payload.iter().enumerate().map(|(i, byte)| byte ^ mask[i % 4]).collect();
            let (mut unmasked, cut) = (payload.clone(), cut.min(payload.len()));
            super::mask(&mut unmasked[..cut], mask, 0);
            super::mask(&mut unmasked[cut..], mask, cut as u64);
            prop_assert_eq!(unmasked, expected);
        }
    }
}
