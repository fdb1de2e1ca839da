//! Frames as bytes: made before a run, counted by their headers in it.

use std::io;

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
/// RSV1, which says that a message is compressed.
pub const COMPRESSED: u8 = 0x40;
const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;
/// Not zero, so that no server can leave out the unmasking.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// One whole message of a client in one masked frame. `first` is its opcode, with [`COMPRESSED`] where it is.
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, payload.len(), MASKED);
    frame.extend(KEY);
    frame.extend(
        payload
            .iter()
            .zip(KEY.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}

/// One whole message of a server in one frame.
pub fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, payload.len(), 0);
    frame.extend(payload);
    frame
}

/// The payload of a masked frame that is whole.
pub fn unmask(key: [u8; 4], payload: &[u8]) -> Vec<u8> {
    payload
        .iter()
        .zip(key.iter().cycle())
        .map(|(byte, key)| byte ^ key)
        .collect()
}

fn header(first: u8, length: usize, mask: u8) -> Vec<u8> {
    let mut header = vec![FIN | first];
    match length {
        0..=125 => header.push(mask | length as u8),
        126..=0xffff => {
            header.push(mask | 126);
            header.extend((length as u16).to_be_bytes());
        }
        _ => {
            header.push(mask | 127);
            header.extend((length as u64).to_be_bytes());
        }
    }
    header
}

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Header {
    pub fin: bool,
    pub compressed: bool,
    pub opcode: u8,
    pub masked: bool,
    pub payload: u64,
    /// Bytes of the header itself, without a masking key.
    pub length: usize,
}

/// The header at the beginning of `bytes`, or nothing where more of it must come.
pub fn read_header(bytes: &[u8]) -> Option<Header> {
    let &[first, second, ..] = bytes else { return None };
    let (payload, length) = match second & 0x7f {
        126 => (
            u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
            4,
        ),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
        small => (u64::from(small), 2),
    };
    Some(Header {
        fin: first & FIN != 0,
        compressed: first & COMPRESSED != 0,
        opcode: first & 0x0f,
        masked: second & MASKED != 0,
        payload,
        length,
    })
}

/// Counts the messages in a stream of a server's frames and looks at nothing but their headers: as little as a client
/// can do.
#[derive(Debug, Default)]
pub struct Counter {
    /// A header whose end is not there yet.
    begun: Vec<u8>,
    /// Bytes of the payload that are still to come, and whether its end is the end of a message.
    left: u64,
    ends: bool,
}

impl Counter {
    /// How many messages ended in these bytes.
    pub fn feed(&mut self, mut bytes: &[u8]) -> io::Result<usize> {
        let mut messages = 0;
        while !bytes.is_empty() {
            if self.left == 0 {
                bytes = self.header(bytes)?;
            }
            let now = self.left.min(bytes.len() as u64);
            bytes = &bytes[now as usize..];
            self.left -= now;
            if self.left == 0 && self.ends {
                self.ends = false;
                messages += 1;
            }
        }
        Ok(messages)
    }

    /// Takes the header, or what is there of it, off these bytes.
    fn header<'a>(&mut self, bytes: &'a [u8]) -> io::Result<&'a [u8]> {
        let (header, taken) = if self.begun.is_empty() {
            match read_header(bytes) {
                Some(header) => (header, header.length),
                None => {
                    self.begun.extend(bytes);
                    return Ok(&[]);
                }
            }
        } else {
            let before = self.begun.len();
            self.begun.extend(bytes.iter().take(10 - before));
            let Some(header) = read_header(&self.begun) else {
                return Ok(&[]);
            };
            self.begun.clear();
            (header, header.length - before)
        };
        match header.opcode {
            CLOSE => return Err(io::Error::other("the server closed a connection")),
            _ if header.masked => return Err(io::Error::other("the server masks its frames")),
            opcode => self.ends = header.fin && opcode < CLOSE,
        }
        self.left = header.payload;
        Ok(&bytes[taken..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_messages_however_they_are_cut() {
        let ping = [0x89, 1, b'x'];
        let lengths = [0, 1, 125, 126, 127, 65_535, 65_536];
        let mut stream = Vec::new();
        for length in lengths {
            stream.extend(unmasked(BINARY, &vec![7; length]));
            stream.extend(ping);
        }
        // One message in two frames.
        stream.extend([0x01, 2, b'a', b'b', 0x80, 1, b'c']);
        for cut in [1, 2, 3, 5, 7, 1000, stream.len()] {
            let mut counter = Counter::default();
            let messages: usize = stream.chunks(cut).map(|chunk| counter.feed(chunk).unwrap()).sum();
            assert_eq!(messages, lengths.len() + 1, "in pieces of {cut}");
        }
    }

    #[test]
    fn a_masked_frame_can_be_read_back() {
        for length in [0, 5, 126, 70_000] {
            let payload: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let frame = masked(TEXT | COMPRESSED, &payload);
            let header = read_header(&frame).unwrap();
            assert!(header.fin && header.masked && header.compressed && header.opcode == TEXT);
            let (key, body) = frame[header.length..].split_first_chunk().unwrap();
            assert_eq!(unmask(*key, body), payload);
        }
    }

    #[test]
    fn a_close_is_an_error() {
        assert!(Counter::default().feed(&[0x88, 0]).is_err());
    }
}
