//! WebSocket frames as bytes.

use std::io;

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
/// RSV1, the bit of a compressed message.
pub const COMPRESSED: u8 = 0x40;
const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;
/// Not zero, so that no server can skip the unmasking.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Returns the frame of a client with a whole message. `first` is the opcode, with [`COMPRESSED`] if it is compressed.
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    [
        header(first, payload.len(), MASKED),
        KEY.to_vec(),
        mask(KEY, payload),
    ]
    .concat()
}

/// Returns the frame of a server with a whole message.
pub fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    [&header(first, payload.len(), 0), payload].concat()
}

/// Masks or unmasks a payload.
pub fn mask(key: [u8; 4], payload: &[u8]) -> Vec<u8> {
    payload
        .iter()
        .zip(key.iter().cycle())
        .map(|(byte, key)| byte ^ key)
        .collect()
}

fn header(first: u8, length: usize, mask: u8) -> Vec<u8> {
    let start = |length: u8| [FIN | first, mask | length];
    match length {
        0..=125 => start(length as u8).to_vec(),
        126..=0xffff => [&start(126)[..], &(length as u16).to_be_bytes()].concat(),
        _ => [&start(127)[..], &(length as u64).to_be_bytes()].concat(),
    }
}

/// The fields of a frame header.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub fin: bool,
    pub compressed: bool,
    pub opcode: u8,
    pub masked: bool,
    pub payload: usize,
    /// Bytes of the header without the masking key.
    pub length: usize,
}

impl Header {
    /// Reads the header at the start of `bytes`. Returns nothing if it is incomplete.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let &[first, second, ..] = bytes else { return None };
        let (payload, length) = match second & 0x7f {
            126 => (
                u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
                4,
            ),
            127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
            small => (u64::from(small), 2),
        };
        Some(Self {
            fin: first & FIN != 0,
            compressed: first & COMPRESSED != 0,
            opcode: first & 0x0f,
            masked: second & MASKED != 0,
            payload: payload as usize,
            length,
        })
    }
}

/// Counts the messages in the frames of a server. It reads only their headers: a client cannot do less.
#[derive(Debug, Default)]
pub struct Counter {
    /// The start of an incomplete header.
    header: Vec<u8>,
    /// Bytes of the payload that are still to come, and whether the message ends with them.
    left: usize,
    ends: bool,
}

impl Counter {
    /// Returns how many messages end in these bytes.
    pub fn feed(&mut self, mut bytes: &[u8]) -> io::Result<usize> {
        let mut messages = 0;
        while !bytes.is_empty() {
            if self.left == 0 {
                let (header, taken) = match Header::read(bytes) {
                    Some(header) if self.header.is_empty() => (header, header.length),
                    _ => {
                        self.header.push(bytes[0]);
                        let Some(header) = Header::read(&self.header) else {
                            bytes = &bytes[1..];
                            continue;
                        };
                        self.header.clear();
                        (header, 1)
                    }
                };
                if header.opcode == CLOSE || header.masked {
                    return Err(io::Error::other(
                        "the server sent a Close frame or a masked frame",
                    ));
                }
                bytes = &bytes[taken..];
                (self.left, self.ends) = (header.payload, header.fin && header.opcode < CLOSE);
            }
            let now = self.left.min(bytes.len());
            bytes = &bytes[now..];
            self.left -= now;
            messages += usize::from(self.left == 0 && self.ends);
        }
        Ok(messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_counts_messages_in_pieces_of_any_size() {
        let lengths = [0, 1, 125, 126, 127, 65_535, 65_536];
        let ping = [0x89, 1, b'x'];
        let frames = lengths.map(|length| [&unmasked(BINARY, &vec![7; length])[..], &ping].concat());
        // The last message has two frames.
        let stream = [&frames.concat()[..], &[0x01, 2, b'a', b'b', 0x80, 1, b'c']].concat();
        for size in [1, 2, 3, 5, 7, 1000, stream.len()] {
            let mut counter = Counter::default();
            let messages: usize = stream
                .chunks(size)
                .map(|chunk| counter.feed(chunk).unwrap())
                .sum();
            assert_eq!(messages, lengths.len() + 1, "in pieces of {size}");
        }
        assert!(Counter::default().feed(&[0x88, 0]).is_err());
    }

    #[test]
    fn a_masked_frame_can_be_read_back() {
        for length in [0, 5, 126, 70_000] {
            let payload: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let frame = masked(TEXT | COMPRESSED, &payload);
            let header = Header::read(&frame).unwrap();
            assert!(header.fin && header.masked && header.compressed && header.opcode == TEXT);
            let (key, body) = frame[header.length..].split_first_chunk().unwrap();
            assert_eq!(mask(*key, body), payload);
        }
    }
}
