//! A client that writes and reads frames by hand, so that it can also break every rule.

use std::{fmt, net::SocketAddr};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::soon;

/// The masking key of every frame that is made here: no byte of it is 0, so that forgetting to unmask shows.
pub(crate) const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// Set in the first byte of a message's last frame.
pub(crate) const FIN: u8 = 0x80;
pub(crate) const RSV1: u8 = 0x40;
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

/// A masked header: its first byte as it stands, and a length that nothing need follow.
pub(crate) fn header(first: u8, len: u64) -> Vec<u8> {
    let mut header = vec![first];
    match len {
        0..126 => header.push(0x80 | len as u8),
        126..65_536 => {
            header.push(0x80 | 126);
            header.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            header.push(0x80 | 127);
            header.extend_from_slice(&len.to_be_bytes());
        }
    }
    header.extend_from_slice(&KEY);
    header
}

/// A masked frame: its first byte as it stands, then the payload.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, payload.len() as u64);
    frame.extend(masked(payload));
    frame
}

/// A payload as it goes over the wire.
pub(crate) fn masked(payload: &[u8]) -> impl Iterator<Item = u8> {
    payload
        .iter()
        .enumerate()
        .map(|(index, byte)| byte ^ KEY[index % 4])
}

pub(crate) fn text(payload: &str) -> Vec<u8> {
    frame(FIN | TEXT, payload.as_bytes())
}

pub(crate) fn binary(payload: &[u8]) -> Vec<u8> {
    frame(FIN | BINARY, payload)
}

pub(crate) fn ping(payload: &[u8]) -> Vec<u8> {
    frame(FIN | PING, payload)
}

pub(crate) fn close(code: u16, reason: &str) -> Vec<u8> {
    let mut body = code.to_be_bytes().to_vec();
    body.extend_from_slice(reason.as_bytes());
    frame(FIN | CLOSE, &body)
}

/// A frame from the server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// FIN, the reserved bits and the opcode.
    pub(crate) first: u8,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(first: u8, payload: impl Into<Vec<u8>>) -> Self {
        let payload = payload.into();
        Self { first, payload }
    }

    /// Code and reason, of a Close frame that is one.
    pub(crate) fn closing(&self) -> (u16, &str) {
        assert_eq!(self.first, FIN | CLOSE, "not a Close: {self:?}");
        let (code, reason) = self
            .payload
            .split_first_chunk::<2>()
            .expect("a Close without a code");
        (u16::from_be_bytes(*code), str::from_utf8(reason).unwrap())
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.payload[..self.payload.len().min(80)];
        write!(
            f,
            "{:#04x} {}:{}",
            self.first,
            self.payload.len(),
            shown.escape_ascii()
        )
    }
}

/// The head of a response.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    lines: Vec<(String, String)>,
}

impl Head {
    /// A header's value, where it came exactly once.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut values = self
            .lines
            .iter()
            .filter(|(line, _)| line.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} came twice: {self:?}");
        value
    }
}

/// A TCP connection to the server.
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

impl Raw {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self::over(soon("a connection", TcpStream::connect(addr)).await.unwrap())
    }

    /// Speaks over a connection that stands.
    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// Opens a session; `lines` are further lines of the request, each with its CRLF.
    pub(crate) async fn open(addr: SocketAddr, path: &str, lines: &str) -> (Head, Self) {
        let mut raw = Self::connect(addr).await;
        raw.send(upgrade(path, lines).as_bytes()).await;
        let head = raw.head().await;
        assert_eq!(head.status, 101, "{head:?}");
        (head, raw)
    }

    /// Opens a session from a request that may hold any bytes.
    pub(crate) async fn open_with_bytes(addr: SocketAddr, request: &[u8]) -> (Head, Self) {
        let mut raw = Self::connect(addr).await;
        raw.send(request).await;
        let head = raw.head().await;
        assert_eq!(head.status, 101, "{head:?}");
        (head, raw)
    }

    /// Asks for `path` with GET; the connection stays.
    pub(crate) async fn get(&mut self, path: &str) -> (Head, String) {
        self.send(get(path).as_bytes()).await;
        self.response().await
    }

    /// Whether GET for `path` is answered by 200, whose body is read too; false where the connection ends instead.
    pub(crate) async fn is_served(&mut self, path: &str) -> bool {
        const OK: &[u8] = b"HTTP/1.1 200 ";
        if soon("room to send", self.stream.write_all(get(path).as_bytes()))
            .await
            .is_err()
        {
            return false;
        }
        while self.buffer.len() < OK.len() {
            let read = soon("an answer", self.stream.read_buf(&mut self.buffer)).await;
            if !matches!(read, Ok(1..)) {
                return false;
            }
        }
        if !self.buffer.starts_with(OK) {
            return false;
        }
        self.response().await;
        true
    }

    /// Hands `bytes` to the kernel in one system call, without a turn of the runtime's.
    pub(crate) fn send_at_once(&self, bytes: &[u8]) {
        let sent = socket2::SockRef::from(&self.stream).send(bytes).unwrap();
        assert_eq!(sent, bytes.len());
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        soon("room to send", self.stream.write_all(bytes)).await.unwrap();
    }

    /// Writes for as long as it takes.
    pub(crate) async fn send_some(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Reads more; false at the end of the stream.
    async fn more(&mut self) -> bool {
        let read = soon("more bytes", self.stream.read_buf(&mut self.buffer)).await;
        read.expect("the connection broke") > 0
    }

    /// The head of the next response, as it stands.
    pub(crate) async fn head_bytes(&mut self) -> String {
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|end| end == b"\r\n\r\n") {
                break end;
            }
            assert!(
                self.more().await,
                "the stream ended inside the head: {:?}",
                self.buffer.escape_ascii()
            );
        };
        let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
        String::from_utf8(head).unwrap()
    }

    /// The head of the next response.
    pub(crate) async fn head(&mut self) -> Head {
        let head = self.head_bytes().await;
        let mut lines = head.trim_end().lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let lines = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Head { status, lines }
    }

    /// The next response: its head, and its body, chunked or as its Content-Length has it.
    pub(crate) async fn response(&mut self) -> (Head, String) {
        let head = self.head().await;
        let body = Body::of(&head).rest(self).await;
        (head, String::from_utf8(body).unwrap())
    }

    /// The next response, which must be a refusal with that status: JSON of an error and a hint. Gives the hint.
    pub(crate) async fn refusal(&mut self, status: u16) -> (Head, String) {
        let (head, body) = self.response().await;
        assert_eq!(head.status, status, "{head:?} {body}");
        assert_eq!(
            head.get("content-type"),
            Some("application/json"),
            "{head:?} {body}"
        );
        let json: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(json.as_object().unwrap().len(), 2, "{body}");
        let text = |key: &str| json[key].as_str().unwrap_or_else(|| panic!("no {key}: {body}"));
        let (error, hint) = (text("error"), text("hint"));
        assert!(!error.is_empty() && !hint.is_empty(), "{body}");
        (head, hint.to_owned())
    }

    /// The next chunk of a chunked body; empty at its end.
    pub(crate) async fn chunk(&mut self) -> Vec<u8> {
        let mut size = String::new();
        while !size.ends_with("\r\n") {
            size.push(char::from(self.bytes(1).await[0]));
        }
        let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
        let mut chunk = self.bytes(size + 2).await;
        assert_eq!(chunk.split_off(size), b"\r\n");
        chunk
    }

    /// The next frame from the server, which never masks.
    pub(crate) async fn frame(&mut self) -> Frame {
        loop {
            if let Some((frame, taken)) = read(&self.buffer) {
                self.buffer.drain(..taken);
                return frame;
            }
            assert!(self.more().await, "the stream ended where a frame should be");
        }
    }

    /// The next bytes as they stand on the wire.
    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            assert!(self.more().await, "the stream ended inside {count} bytes");
        }
        self.buffer.drain(..count).collect()
    }

    /// Waits for the connection to break by a reset; nothing but a reset counts.
    pub(crate) async fn broken(&mut self) {
        let error = loop {
            match soon("a reset", self.stream.read_buf(&mut self.buffer)).await {
                Ok(0) => panic!("the connection ended in good order"),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }

    /// What has come and was not yet taken.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.buffer
    }

    /// Waits for the server to close the connection, in good order and without a byte more.
    pub(crate) async fn end(&mut self) {
        while self.more().await {}
        assert!(
            self.buffer.is_empty(),
            "before the end: {:?}",
            self.buffer.escape_ascii()
        );
    }

    /// Waits for the end of the stream, whatever comes before it, in good order or by a reset.
    pub(crate) async fn end_of_stream(&mut self) {
        let mut block = [0; 65_536];
        while !matches!(
            soon("the end", self.stream.read(&mut block)).await,
            Ok(0) | Err(_)
        ) {}
    }

    /// Waits for the end of the stream, in good order or by a reset, before which nothing may come.
    pub(crate) async fn end_of_stream_without_a_byte(&mut self) {
        while matches!(
            soon("the end", self.stream.read_buf(&mut self.buffer)).await,
            Ok(1..)
        ) {}
        assert!(
            self.buffer.is_empty(),
            "before the end: {}",
            self.buffer.escape_ascii()
        );
    }

    /// Waits for a Close and then for the end of the stream.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        let frame = self.frame().await;
        let (code, reason) = frame.closing();
        self.end().await;
        (code, reason.to_owned())
    }

    /// Resets the connection.
    pub(crate) fn reset(self) {
        socket2::SockRef::from(&self.stream)
            .set_linger(Some(std::time::Duration::ZERO))
            .unwrap();
    }
}

/// A response's body as it comes: chunked, as long as its Content-Length has it, or up to the end of the connection.
pub(crate) struct Body {
    framing: Framing,
    unread: Vec<u8>,
}

enum Framing {
    Chunked,
    Length(usize),
    Connection,
    Ended,
}

impl Body {
    pub(crate) fn of(head: &Head) -> Self {
        let framing = match (head.get("transfer-encoding"), head.get("content-length")) {
            (Some(coding), None) => {
                assert_eq!(coding, "chunked");
                Framing::Chunked
            }
            (None, Some(len)) => Framing::Length(len.parse().unwrap()),
            (None, None) if head.get("connection") == Some("close") => Framing::Connection,
            (None, None) => Framing::Ended,
            both @ (Some(_), Some(_)) => panic!("two lengths: {both:?}"),
        };
        Self {
            framing,
            unread: Vec::new(),
        }
    }

    /// Reads more of it; false at its end.
    async fn more(&mut self, raw: &mut Raw) -> bool {
        let mut part = match &mut self.framing {
            Framing::Ended | Framing::Length(0) => Vec::new(),
            Framing::Chunked => raw.chunk().await,
            Framing::Length(left) => {
                if raw.buffer.is_empty() {
                    assert!(raw.more().await, "the stream ended inside the body");
                }
                let part: Vec<u8> = raw.buffer.drain(..raw.buffer.len().min(*left)).collect();
                *left -= part.len();
                part
            }
            Framing::Connection => {
                if raw.buffer.is_empty() {
                    raw.more().await;
                }
                std::mem::take(&mut raw.buffer)
            }
        };
        if part.is_empty() {
            self.framing = Framing::Ended;
            return false;
        }
        self.unread.append(&mut part);
        true
    }

    /// The next `count` bytes of it.
    pub(crate) async fn take(&mut self, raw: &mut Raw, count: usize) -> Vec<u8> {
        while self.unread.len() < count {
            assert!(self.more(raw).await, "the body ended inside {count} bytes");
        }
        self.unread.drain(..count).collect()
    }

    /// Whether the connection ends before the body does.
    pub(crate) async fn is_cut_off(&mut self, raw: &mut Raw) -> bool {
        let length = match self.framing {
            Framing::Chunked => None,
            Framing::Length(left) => Some(left),
            Framing::Connection | Framing::Ended => return false,
        };
        while matches!(
            soon("the end", raw.stream.read_buf(&mut raw.buffer)).await,
            Ok(1..)
        ) {}
        match length {
            None => !raw.buffer.ends_with(b"0\r\n\r\n"),
            Some(left) => raw.buffer.len() < left,
        }
    }

    /// All that is left of it.
    pub(crate) async fn rest(&mut self, raw: &mut Raw) -> Vec<u8> {
        while self.more(raw).await {}
        std::mem::take(&mut self.unread)
    }
}

/// A request for `path`, with GET.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// The head of a POST, whose body is as long as it says.
pub(crate) fn post(path: &str, content_length: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {content_length}\r\n\r\n")
}

/// A handshake in good order, with further lines.
pub(crate) fn upgrade(path: &str, lines: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n"
    )
}

/// The frame at the start of `bytes`, and the bytes that it takes.
fn read(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (&[first, second], rest) = bytes.split_first_chunk::<2>()?;
    assert_eq!(second & 0x80, 0, "a server must not mask");
    let (len, rest) = match second {
        126 => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            (u16::from_be_bytes(*len).into(), rest)
        }
        127 => {
            let (len, rest) = rest.split_first_chunk::<8>()?;
            (u64::from_be_bytes(*len) as usize, rest)
        }
        len => (usize::from(len), rest),
    };
    let payload = rest.get(..len)?;
    Some((Frame::new(first, payload), bytes.len() - rest.len() + len))
}
