//! What is sent, and what must come back: made before a run.

use std::io;

use flate2::{Compress, Compression, FlushCompress};

use crate::{
    client::{Client, Message},
    frame::{self, BINARY, COMPRESSED, TEXT},
};

/// What every stamped reply begins with.
pub const PREFIX: &str = "客户端发送的信息：";
/// Different texts of a compressed run: one text alone would cost a server that remembers the last one next to nothing.
const VARIANTS: usize = 64;

/// How a server is asked to answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reply {
    /// The bytes that came.
    Verbatim,
    /// The text with a prefix and the time, as the classic tutorial's server answers.
    Stamped,
    /// The bytes that came, compressed both ways.
    Compressed,
}

impl Reply {
    /// The path that asks ws-echo for it; the peers that can do more than one thing understand it too.
    pub fn path(self) -> &'static str {
        match self {
            Self::Stamped => "/",
            Self::Verbatim | Self::Compressed => "/?reply=verbatim",
        }
    }

    pub fn compressed(self) -> bool {
        self == Self::Compressed
    }
}

/// Connections, messages in flight on each, and bytes of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub connections: usize,
    pub in_flight: usize,
    pub bytes: usize,
}

impl std::fmt::Display for Point {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{}:{}:{}",
            self.connections, self.in_flight, self.bytes
        )
    }
}

impl std::str::FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<Vec<usize>, _> = text.split(':').map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[connections, in_flight, bytes]) if connections > 0 && in_flight > 0 => Ok(Self {
                connections,
                in_flight,
                bytes,
            }),
            _ => Err("a point is CONNECTIONS:IN_FLIGHT:BYTES, as 64:16:32".to_owned()),
        }
    }
}

/// Messages and their frames.
#[derive(Debug)]
pub struct Workload {
    pub reply: Reply,
    opcode: u8,
    messages: Vec<Vec<u8>>,
    frames: Vec<Vec<u8>>,
    /// What one connection sends at once: each message as often as are in flight.
    pub batches: Vec<Batch>,
}

/// Bytes that begin in the middle of a page of memory. On AMD's Zen the kernel copies what begins at its start at a
/// fourteenth of the speed whenever it copies it to 1 to 15 bytes after the start of another: the load would be slow and
/// fast by chance.
#[derive(Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    start: usize,
}

impl Batch {
    const PAGE: usize = 4096;

    fn new(bytes: &[u8]) -> Self {
        let mut padded: Vec<u8> = Vec::with_capacity(Self::PAGE + bytes.len());
        let start = (Self::PAGE / 2).wrapping_sub(padded.as_ptr().addr()) % Self::PAGE;
        padded.resize(start, 0);
        padded.extend_from_slice(bytes);
        Self { bytes: padded, start }
    }
}

impl std::ops::Deref for Batch {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

impl Workload {
    pub fn new(reply: Reply, point: Point) -> Self {
        let Point { bytes, in_flight, .. } = point;
        let (opcode, messages) = match reply {
            Reply::Verbatim => (
                BINARY,
                vec![(0..bytes).map(|at| (at * 31 + at / 251) as u8).collect()],
            ),
            Reply::Stamped => (TEXT, vec![(0..bytes).map(|at| b'0' + (at % 10) as u8).collect()]),
            Reply::Compressed => (TEXT, (0..VARIANTS).map(|number| json(number, bytes)).collect()),
        };
        let frames: Vec<Vec<u8>> = messages
            .iter()
            .map(|message: &Vec<u8>| match reply {
                Reply::Compressed => frame::masked(opcode | COMPRESSED, &deflate(message)),
                _ => frame::masked(opcode, message),
            })
            .collect();
        let batches = frames
            .iter()
            .map(|frame| Batch::new(&frame.repeat(in_flight)))
            .collect();
        Self {
            reply,
            opcode,
            messages,
            frames,
            batches,
        }
    }

    /// The frame of the first message.
    pub fn first(&self) -> &[u8] {
        &self.frames[0]
    }

    /// Opens a connection, and one message goes to the server and back, and is looked at byte by byte.
    pub fn open(&self, addr: std::net::SocketAddr, index: usize) -> io::Result<Client> {
        let mut client = Client::open(addr, index, self.reply.path(), self.reply.compressed())?;
        self.check(&mut client)?;
        Ok(client)
    }

    /// One message to the server and back, compared.
    pub fn check(&self, client: &mut Client) -> io::Result<()> {
        client.send(self.first())?;
        let got = client.receive()?;
        if self.expects(&got) {
            return Ok(());
        }
        let begin = String::from_utf8_lossy(&got.payload[..got.payload.len().min(80)]).into_owned();
        Err(io::Error::other(format!(
            "does not echo: opcode {}, compressed {}, {} bytes: {begin:?}",
            got.opcode,
            got.compressed,
            got.payload.len()
        )))
    }

    fn expects(&self, got: &Message) -> bool {
        let sent = &self.messages[0];
        let content = match self.reply {
            Reply::Stamped => got
                .payload
                .strip_prefix(PREFIX.as_bytes())
                .and_then(|rest| rest.strip_prefix(sent.as_slice()))
                .and_then(|rest| rest.strip_prefix(b","))
                .is_some_and(|time| time.len() == 13 && time.iter().all(u8::is_ascii_digit)),
            Reply::Verbatim | Reply::Compressed => &got.payload == sent,
        };
        content && got.opcode == self.opcode && got.compressed == self.reply.compressed()
    }
}

/// Text as an interface would send it: keys that come again, values that do not.
fn json(number: usize, bytes: usize) -> Vec<u8> {
    let mut random = 0x2545_f491_4f6c_dd1d_u64.wrapping_mul(number as u64 + 1);
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut text = String::from("[");
    while text.len() < bytes {
        let (id, price, place) = (next() % 100_000, next() % 10_000, next() % 1000);
        let open = next() % 2 == 0;
        text += &format!(
            r#"{{"id":{id},"name":"sensor-{place}","price":{}.{:02},"open":{open},"tags":["a","b"]}},"#,
            price / 100,
            price % 100
        );
    }
    text.truncate(bytes);
    text.into_bytes()
}

/// A message alone: a client may begin anew with each, and so its frames can be made beforehand and sent in any order.
fn deflate(message: &[u8]) -> Vec<u8> {
    let mut context = Compress::new(Compression::default(), false);
    let mut out = Vec::with_capacity(message.len() + 64);
    // Into room for more than it can become: one call does it.
    let _ = context.compress_vec(message, &mut out, FlushCompress::Sync);
    out.truncate(out.len().saturating_sub(4));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read() {
        let point: Point = "64:16:32".parse().unwrap();
        assert_eq!(
            point,
            Point {
                connections: 64,
                in_flight: 16,
                bytes: 32
            }
        );
        assert_eq!(point.to_string(), "64:16:32");
        assert!("64:16".parse::<Point>().is_err());
        assert!("0:1:1".parse::<Point>().is_err());
    }

    #[test]
    fn a_stamped_reply_is_told_from_others() {
        let load = Workload::new(
            Reply::Stamped,
            Point {
                connections: 1,
                in_flight: 1,
                bytes: 3,
            },
        );
        let reply = |text: &str| Message {
            opcode: TEXT,
            compressed: false,
            payload: text.into(),
        };
        assert!(load.expects(&reply("客户端发送的信息：012,1795384226507")));
        assert!(!load.expects(&reply("012")));
        assert!(!load.expects(&reply("客户端发送的信息：012,now")));
    }

    #[test]
    fn compressed_texts_differ_and_shrink() {
        let load = Workload::new(
            Reply::Compressed,
            Point {
                connections: 1,
                in_flight: 1,
                bytes: 1024,
            },
        );
        assert_eq!(load.batches.len(), VARIANTS);
        assert!(load.messages.iter().all(|message| message.len() == 1024));
        assert!(load.frames.iter().all(|frame| frame.len() < 600));
        assert_ne!(load.messages[0], load.messages[1]);
    }
}
