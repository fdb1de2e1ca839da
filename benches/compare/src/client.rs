//! One connection that waits for each answer: the handshake, and the check that a server does echo.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use flate2::{Decompress, FlushDecompress};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};

use crate::frame::{self, Header};

const PATIENCE: Duration = Duration::from_secs(20);
/// Connections from one source address: fewer than the 28,231 ports that Linux gives out.
const PER_SOURCE: usize = 25_000;
/// What RFC 6455 answers to the key of its own example, which all requests here have.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The request of a handshake.
pub fn request(path: &str, compressed: bool) -> Vec<u8> {
    let extensions = if compressed {
        "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    } else {
        ""
    };
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extensions}\r\n"
    )
    .into_bytes()
}

/// Whether the head of an answer, which ends `head`, takes the handshake.
pub fn accepted(head: &[u8]) -> io::Result<()> {
    let text = String::from_utf8_lossy(head);
    if text.starts_with("HTTP/1.1 101 ") && text.contains(ACCEPT) {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "refuses the handshake: {}",
        text.lines().next().unwrap_or("no answer")
    )))
}

#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    /// What the server said of compression.
    pub extensions: Option<String>,
    inflate: Decompress,
}

impl Client {
    /// Connects, from another source address every so many connections, and shakes hands.
    pub fn open(addr: SocketAddr, index: usize, path: &str, compressed: bool) -> io::Result<Self> {
        let socket = socket_with(
            AddressFamily::INET,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )?;
        // Only where it must be: a port that was bound is lost to all other addresses for the minute after its end too.
        if index >= PER_SOURCE {
            let last = 1 + index / PER_SOURCE;
            bind(
                &socket,
                &SocketAddr::from((Ipv4Addr::new(127, 0, 0, last as u8), 0)),
            )?;
        }
        connect(&socket, &addr)?;
        let mut stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(&request(path, compressed))?;
        let mut head = Vec::new();
        let mut piece = [0; 1024];
        while !head.ends_with(b"\r\n\r\n") {
            // Nobody speaks first here, so that what comes ends with the head.
            match stream.read(&mut piece)? {
                0 => break,
                count => head.extend(&piece[..count]),
            }
        }
        accepted(&head)?;
        let text = String::from_utf8_lossy(&head);
        let extensions = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("sec-websocket-extensions")
                .then(|| value.trim().to_owned())
        });
        if compressed && extensions.is_none() {
            return Err(io::Error::other("does not agree on compression"));
        }
        Ok(Self {
            stream,
            extensions,
            inflate: Decompress::new(false),
        })
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next message, inflated where it was compressed; control frames are passed over.
    pub fn receive(&mut self) -> io::Result<Message> {
        loop {
            let mut bytes = vec![0; 2];
            self.stream.read_exact(&mut bytes)?;
            let header = loop {
                match frame::read_header(&bytes) {
                    Some(header) => break header,
                    None => {
                        let before = bytes.len();
                        bytes.resize(if bytes[1] == 127 { 10 } else { 4 }, 0);
                        self.stream.read_exact(&mut bytes[before..])?;
                    }
                }
            };
            let mut payload = vec![0; header.payload as usize];
            self.stream.read_exact(&mut payload)?;
            match header.opcode {
                frame::TEXT | frame::BINARY if header.fin => return self.whole(header, payload),
                frame::CLOSE => return Err(io::Error::other("the server closed a connection")),
                opcode if opcode > frame::CLOSE => {}
                _ => return Err(io::Error::other("the reply comes in fragments")),
            }
        }
    }

    fn whole(&mut self, header: Header, mut payload: Vec<u8>) -> io::Result<Message> {
        if header.compressed {
            payload.extend([0, 0, 0xff, 0xff]);
            payload = inflate(&mut self.inflate, &payload)?;
        }
        Ok(Message {
            opcode: header.opcode,
            compressed: header.compressed,
            payload,
        })
    }

    pub fn into_stream(self) -> TcpStream {
        self.stream
    }
}

/// A message as it came.
#[derive(Debug, PartialEq)]
pub struct Message {
    pub opcode: u8,
    pub compressed: bool,
    pub payload: Vec<u8>,
}

fn inflate(context: &mut Decompress, mut bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(4096);
    loop {
        let before = context.total_in();
        context.decompress_vec(bytes, &mut out, FlushDecompress::Sync)?;
        bytes = &bytes[(context.total_in() - before) as usize..];
        if bytes.is_empty() && out.len() < out.capacity() {
            return Ok(out);
        }
        out.reserve(4096);
    }
}
