//! A client that encodes and decodes every frame itself, so that it can send invalid ones.

use std::{fmt, net::SocketAddr};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::in_time;

/// The masking key of every frame. No byte of it is 0, so that a server that does not unmask fails the test.
pub(crate) const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// The FIN bit: set in the first byte of a message's last frame.
pub(crate) const FIN: u8 = 0x80;
pub(crate) const RSV1: u8 = 0x40;
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

/// Returns a masked header with this first byte and length. The payload need not follow.
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

/// Returns a masked frame with this first byte and payload.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, payload.len() as u64);
    frame.extend(masked(payload));
    frame
}

/// Masks a payload.
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
    // RFC 6455 section 5.5.1.
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

    /// Returns the close code and the close reason. Fails if this is not a Close frame with a code.
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

/// The status line and the header section of a response.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    lines: Vec<(String, String)>,
}

impl Head {
    /// Returns the value of a field. Fails if the field occurs twice.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut values = self
            .lines
            .iter()
            .filter(|(line, _)| line.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} occurs twice: {self:?}");
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
        Self::new(in_time("a connection", TcpStream::connect(addr)).await.unwrap())
    }

    /// Wraps an open connection.
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// Opens a session. `lines` are additional header fields of the request, each with its CRLF.
    pub(crate) async fn open(addr: SocketAddr, path: &str, lines: &str) -> (Head, Self) {
        let mut raw = Self::connect(addr).await;
        raw.send(upgrade(path, lines).as_bytes()).await;
        let head = raw.head().await;
        assert_eq!(head.status, 101, "{head:?}");
        (head, raw)
    }

    /// Opens a session with a request of any bytes.
    pub(crate) async fn open_with_bytes(addr: SocketAddr, request: &[u8]) -> (Head, Self) {
        let mut raw = Self::connect(addr).await;
        raw.send(request).await;
        let head = raw.head().await;
        assert_eq!(head.status, 101, "{head:?}");
        (head, raw)
    }

    /// Sends GET for `path` and returns the response. The connection stays open.
    pub(crate) async fn get(&mut self, path: &str) -> (Head, String) {
        self.send(get(path).as_bytes()).await;
        self.response().await
    }

    /// Sends GET for `path`. Returns whether the status is 200, and then reads the body. Returns false if the connection ends.
    pub(crate) async fn is_served(&mut self, path: &str) -> bool {
        const OK: &[u8] = b"HTTP/1.1 200 ";
        if in_time("room to send", self.stream.write_all(get(path).as_bytes()))
            .await
            .is_err()
        {
            return false;
        }
        while self.buffer.len() < OK.len() {
            let read = in_time("a response", self.stream.read_buf(&mut self.buffer)).await;
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

    /// Writes `bytes` to the kernel in one system call, without the runtime.
    pub(crate) fn send_in_one_call(&self, bytes: &[u8]) {
        let sent = socket2::SockRef::from(&self.stream).send(bytes).unwrap();
        assert_eq!(sent, bytes.len());
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        in_time("room to send", self.stream.write_all(bytes))
            .await
            .unwrap();
    }

    /// Writes `bytes` without a timeout.
    pub(crate) async fn send_without_timeout(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Reads more bytes. Returns false at the end of the stream.
    async fn read_more(&mut self) -> bool {
        let read = in_time("more bytes", self.stream.read_buf(&mut self.buffer)).await;
        read.expect("the connection failed") > 0
    }

    /// Returns the next response's status line and header section as sent.
    pub(crate) async fn head_bytes(&mut self) -> String {
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|end| end == b"\r\n\r\n") {
                break end;
            }
            assert!(
                self.read_more().await,
                "the stream ended within the header section: {:?}",
                self.buffer.escape_ascii()
            );
        };
        let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
        String::from_utf8(head).unwrap()
    }

    /// Returns the next response's status line and header section.
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

    /// Returns the next response with its body.
    pub(crate) async fn response(&mut self) -> (Head, String) {
        let head = self.head().await;
        let body = Body::of(&head).read_to_end(self).await;
        (head, String::from_utf8(body).unwrap())
    }

    /// Returns the next response and its hint. Fails unless the response has this status, and is JSON with an error and a hint.
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

    /// Returns the next chunk of a chunked body. It is empty at the end of the body.
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

    /// Returns the next frame of the server. Fails if it is masked.
    pub(crate) async fn frame(&mut self) -> Frame {
        loop {
            if let Some((frame, len)) = decode(&self.buffer) {
                self.buffer.drain(..len);
                return frame;
            }
            assert!(self.read_more().await, "the stream ended before a frame");
        }
    }

    /// Returns the next frame of the server, or `None` at the end of the stream or a reset.
    pub(crate) async fn frame_or_end(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, len)) = decode(&self.buffer) {
                self.buffer.drain(..len);
                return Some(frame);
            }
            let read = in_time("a frame or the end", self.stream.read_buf(&mut self.buffer)).await;
            if !matches!(read, Ok(1..)) {
                return None;
            }
        }
    }

    /// Returns whether bytes have arrived, or the end of the stream.
    pub(crate) fn has_arrivals(&self) -> bool {
        let read = self.stream.try_read(&mut [0; 1]);
        !self.buffer.is_empty()
            || !matches!(read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// Returns the next `count` bytes.
    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            assert!(self.read_more().await, "the stream ended within {count} bytes");
        }
        self.buffer.drain(..count).collect()
    }

    /// Waits for a reset of the connection. Fails at any other end.
    pub(crate) async fn expect_reset(&mut self) {
        let error = loop {
            match in_time("a reset", self.stream.read_buf(&mut self.buffer)).await {
                Ok(0) => panic!("the connection ended without a reset"),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }

    /// Returns the bytes that were read from the socket and not returned yet.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.buffer
    }

    /// Waits for the end of the stream. Fails if bytes arrive before it, or at a reset.
    pub(crate) async fn end(&mut self) {
        while self.read_more().await {}
        assert!(
            self.buffer.is_empty(),
            "before the end: {:?}",
            self.buffer.escape_ascii()
        );
    }

    /// Waits for the end of the stream or a reset, and discards bytes before it.
    pub(crate) async fn end_of_stream(&mut self) {
        let mut block = [0; 65_536];
        while !matches!(
            in_time("the end", self.stream.read(&mut block)).await,
            Ok(0) | Err(_)
        ) {}
    }

    /// Waits for the end of the stream or a reset. Fails if bytes arrive before it.
    pub(crate) async fn end_of_stream_without_a_byte(&mut self) {
        while matches!(
            in_time("the end", self.stream.read_buf(&mut self.buffer)).await,
            Ok(1..)
        ) {}
        assert!(
            self.buffer.is_empty(),
            "before the end: {}",
            self.buffer.escape_ascii()
        );
    }

    /// Waits for a Close frame and then for the end of the stream.
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

/// A response's body, with one of the framings of RFC 9112 section 6.3.
pub(crate) struct Body {
    framing: Framing,
    unread: Vec<u8>,
}

enum Framing {
    Chunked,
    /// Number of bytes that Content-Length declares and that were not read.
    Length(usize),
    /// Up to the end of the connection.
    Connection,
    /// The body is complete.
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

    /// Reads more of the body. Returns false at its end.
    async fn read_more(&mut self, raw: &mut Raw) -> bool {
        let mut part = match &mut self.framing {
            Framing::Ended | Framing::Length(0) => Vec::new(),
            Framing::Chunked => raw.chunk().await,
            Framing::Length(left) => {
                if raw.buffer.is_empty() {
                    assert!(raw.read_more().await, "the stream ended within the body");
                }
                let part: Vec<u8> = raw.buffer.drain(..raw.buffer.len().min(*left)).collect();
                *left -= part.len();
                part
            }
            Framing::Connection => {
                if raw.buffer.is_empty() {
                    raw.read_more().await;
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

    /// Returns the next `count` bytes of the body.
    pub(crate) async fn take(&mut self, raw: &mut Raw, count: usize) -> Vec<u8> {
        while self.unread.len() < count {
            assert!(self.read_more(raw).await, "the body ended within {count} bytes");
        }
        self.unread.drain(..count).collect()
    }

    /// Reads to the end of the connection. Returns whether the body is incomplete.
    pub(crate) async fn is_truncated(&mut self, raw: &mut Raw) -> bool {
        let length = match self.framing {
            Framing::Chunked => None,
            Framing::Length(left) => Some(left),
            Framing::Connection | Framing::Ended => return false,
        };
        while matches!(
            in_time("the end", raw.stream.read_buf(&mut raw.buffer)).await,
            Ok(1..)
        ) {}
        match length {
            None => !raw.buffer.ends_with(b"0\r\n\r\n"),
            Some(left) => raw.buffer.len() < left,
        }
    }

    /// Returns the remaining bytes of the body.
    pub(crate) async fn read_to_end(&mut self, raw: &mut Raw) -> Vec<u8> {
        while self.read_more(raw).await {}
        std::mem::take(&mut self.unread)
    }
}

/// Returns a GET request for `path`.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// Returns the header section of a POST with this Content-Length.
pub(crate) fn post(path: &str, content_length: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {content_length}\r\n\r\n")
}

/// Returns a valid handshake with additional header fields.
pub(crate) fn upgrade(path: &str, lines: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n"
    )
}

/// Returns the frame at the start of `bytes` and its length, or `None` if it is incomplete.
fn decode(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (&[first, second], tail) = bytes.split_first_chunk::<2>()?;
    assert_eq!(second & 0x80, 0, "a server must not mask");
    let (len, tail) = match second {
        126 => {
            let (len, tail) = tail.split_first_chunk::<2>()?;
            (u16::from_be_bytes(*len).into(), tail)
        }
        127 => {
            let (len, tail) = tail.split_first_chunk::<8>()?;
            (u64::from_be_bytes(*len) as usize, tail)
        }
        len => (usize::from(len), tail),
    };
    let payload = tail.get(..len)?;
    Some((Frame::new(first, payload), bytes.len() - tail.len() + len))
}
