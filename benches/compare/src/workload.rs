//! The messages of a run, made beforehand, and the check of the replies.

use std::{fmt, io, ops::Deref, str::FromStr};

use flate2::{Compress, Compression, FlushCompress};

use crate::{
    client::{Client, Message},
    frame::{self, BINARY, COMPRESSED, TEXT},
    process::Server,
};

/// The start of every stamped reply.
const PREFIX: &str = "客户端发送的信息：";
/// Different texts of a compressed run: a single text would cost a server with context takeover next to nothing.
const VARIANTS: usize = 64;

/// The reply that is requested.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reply {
    /// The received bytes.
    Verbatim,
    /// The text with a prefix and the time, as in the classic tutorial.
    Stamped,
    /// The received bytes, compressed in both directions.
    Compressed,
}

/// Connections, messages in flight on each, and bytes of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub connections: usize,
    pub in_flight: usize,
    pub bytes: usize,
}

impl Point {
    pub const fn new(connections: usize, in_flight: usize, bytes: usize) -> Self {
        Self {
            connections,
            in_flight,
            bytes,
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}:{}",
            self.connections, self.in_flight, self.bytes
        )
    }
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<Vec<usize>, _> = text.split(':').map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[connections, in_flight, bytes]) if connections > 0 && in_flight > 0 => {
                Ok(Self::new(connections, in_flight, bytes))
            }
            _ => Err("expected CONNECTIONS:IN_FLIGHT:BYTES, as 64:16:32".to_owned()),
        }
    }
}

/// Bytes that start in the middle of a memory page. From the start of a page, the kernel on AMD's Zen would copy them at a
/// fourteenth of its speed whenever the destination is 1 to 15 bytes behind the start of another page. The load generator
/// would then be slow or fast by chance.
#[derive(Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    start: usize,
}

impl Batch {
    fn new(bytes: &[u8]) -> Self {
        const PAGE: usize = 4096;
        let mut padded: Vec<u8> = Vec::with_capacity(PAGE + bytes.len());
        let start = (PAGE / 2).wrapping_sub(padded.as_ptr().addr()) % PAGE;
        padded.resize(start, 0);
        padded.extend(bytes);
        Self { bytes: padded, start }
    }
}

impl Deref for Batch {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// The messages of a run and their frames.
#[derive(Debug)]
pub struct Workload {
    pub reply: Reply,
    pub point: Point,
    opcode: u8,
    message: Vec<u8>,
    /// The frame of the first message, which checks a connection.
    pub frame: Vec<u8>,
    /// The bytes that a connection sends in one write: one message, as often as messages are in flight.
    pub batches: Vec<Batch>,
}

impl Workload {
    pub fn new(reply: Reply, point: Point) -> Self {
        let digits = || (0..point.bytes).map(|at| b'0' + (at % 10) as u8).collect();
        let binary = || (0..point.bytes).map(|at| (at * 31 + at / 251) as u8).collect();
        let (opcode, mut messages): (u8, Vec<Vec<u8>>) = match reply {
            Reply::Verbatim => (BINARY, vec![binary()]),
            Reply::Stamped => (TEXT, vec![digits()]),
            Reply::Compressed => (TEXT, (0..VARIANTS).map(|seed| json(seed, point.bytes)).collect()),
        };
        let frame = |message: &Vec<u8>| match reply {
            Reply::Compressed => frame::masked(opcode | COMPRESSED, &compress(message)),
            _ => frame::masked(opcode, message),
        };
        let frames: Vec<_> = messages.iter().map(frame).collect();
        let batches = frames
            .iter()
            .map(|frame| Batch::new(&frame.repeat(point.in_flight)))
            .collect();
        Self {
            reply,
            point,
            opcode,
            message: messages.swap_remove(0),
            frame: frames[0].clone(),
            batches,
        }
    }

    /// Returns the workload of most sections: small binary messages, one in flight.
    pub fn small(connections: usize) -> Self {
        Self::new(Reply::Verbatim, Point::new(connections, 1, 32))
    }

    /// Opens a connection and checks the echo.
    pub fn open(&self, server: &Server) -> io::Result<Client> {
        let mut client = Client::open(server, self.reply)?;
        self.check(&mut client)?;
        Ok(client)
    }

    /// Sends one message and compares the reply byte by byte.
    pub fn check(&self, client: &mut Client) -> io::Result<()> {
        client.stream.write_all(&self.frame)?;
        client.stream.flush()?;
        let got = client.receive()?;
        if self.expects(&got) {
            return Ok(());
        }
        let Message {
            opcode,
            compressed,
            payload,
        } = got;
        let (length, start) = (
            payload.len(),
            String::from_utf8_lossy(&payload[..payload.len().min(80)]),
        );
        let found = format!("opcode {opcode}, compressed {compressed}, {length} bytes: {start:?}");
        Err(io::Error::other(format!("does not echo: {found}")))
    }

    fn expects(&self, got: &Message) -> bool {
        let timestamp = || {
            let rest = got.payload.strip_prefix(PREFIX.as_bytes())?;
            rest.strip_prefix(&self.message[..])?.strip_prefix(b",")
        };
        let content = match self.reply {
            Reply::Stamped => {
                timestamp().is_some_and(|time| time.len() == 13 && time.iter().all(u8::is_ascii_digit))
            }
            Reply::Verbatim | Reply::Compressed => got.payload == self.message,
        };
        content && got.opcode == self.opcode && got.compressed == (self.reply == Reply::Compressed)
    }
}

/// Returns text of repeated keys and different values.
fn json(seed: usize, bytes: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed as u64);
    let mut text = String::from("[");
    while text.len() < bytes {
        let (id, place, open) = (random.u32(..100_000), random.u32(..1000), random.bool());
        let price = f64::from(random.u32(..10_000)) / 100.0;
        text += &format!(
            r#"{{"id":{id},"name":"sensor-{place}","price":{price:.2},"open":{open},"tags":["a","b"]}},"#
        );
    }
    text.truncate(bytes);
    text.into_bytes()
}

/// Compresses a message without context takeover, so that the frames can be made beforehand and sent in any order.
fn compress(message: &[u8]) -> Vec<u8> {
    let mut context = Compress::new(Compression::default(), false);
    // The capacity is larger than any output, so that one call is enough.
    let mut out = Vec::with_capacity(message.len() + 64);
    let _ = context.compress_vec(message, &mut out, FlushCompress::Sync);
    out.truncate(out.len().saturating_sub(4));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_parsed() {
        assert_eq!("64:16:32".parse(), Ok(Point::new(64, 16, 32)));
        assert_eq!(Point::new(64, 16, 32).to_string(), "64:16:32");
        assert!("64:16".parse::<Point>().is_err());
        assert!("0:1:1".parse::<Point>().is_err());
    }

    #[test]
    fn a_stamped_reply_has_prefix_and_timestamp() {
        let workload = Workload::new(Reply::Stamped, Point::new(1, 1, 3));
        let expects = |text: &str| {
            workload.expects(&Message {
                opcode: TEXT,
                compressed: false,
                payload: text.into(),
            })
        };
        assert!(expects("客户端发送的信息：012,1795384226507"));
        assert!(!expects("012"));
        assert!(!expects("客户端发送的信息：012,now"));
    }

    #[test]
    fn compressed_texts_differ_and_shrink() {
        let workload = Workload::new(Reply::Compressed, Point::new(1, 1, 1024));
        assert_eq!((workload.batches.len(), workload.message.len()), (VARIANTS, 1024));
        assert!(workload.batches.iter().all(|batch| batch.len() < 600));
        assert_ne!(workload.batches[0][..], workload.batches[1][..]);
    }
}
