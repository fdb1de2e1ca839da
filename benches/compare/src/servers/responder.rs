//! The responder, which shows the highest rate of the load generator. After the handshake it decodes one frame and makes
//! its reply once. From then on it counts the received bytes and sends as many replies, without decoding a frame. No
//! server can do less for a message than these system calls.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::SocketAddr,
};

use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};

use crate::{
    frame::{self, Header},
    load,
};

const LISTENER: Token = Token(usize::MAX);
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
/// The replies to a batch are sent in one write of at most this size.
const MAX_WRITE: usize = 64 * 1024;

#[derive(Default)]
struct Connection {
    /// The request, then the first frame, until they are complete.
    start: Vec<u8>,
    upgraded: bool,
    /// The lengths of a frame and of its reply, zero until the first frame is complete.
    frame: u64,
    reply: u64,
    /// Many replies, one behind the other.
    replies: Vec<u8>,
    received: u64,
    written: u64,
}

pub fn serve() -> io::Result<()> {
    let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    println!("listening on {}", listener.local_addr()?);
    let mut poll = Poll::new()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut connections = HashMap::<Token, (TcpStream, Connection)>::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut next = 0;
    loop {
        load::poll(&mut poll, &mut events, None)?;
        for event in &events {
            if event.token() != LISTENER {
                if let Some((stream, connection)) = connections.get_mut(&event.token())
                    && connection.serve(stream, &mut buffer).is_err()
                {
                    connections.remove(&event.token());
                }
                continue;
            }
            while let Ok((mut stream, _)) = listener.accept() {
                stream.set_nodelay(true)?;
                let interest = Interest::READABLE | Interest::WRITABLE;
                poll.registry().register(&mut stream, Token(next), interest)?;
                connections.insert(Token(next), (stream, Connection::default()));
                next += 1;
            }
        }
    }
}

impl Connection {
    fn serve(&mut self, stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<()> {
        loop {
            match stream.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    self.receive(stream, &buffer[..count])?;
                    if count < buffer.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        let due = self.received.checked_div(self.frame).unwrap_or(0) * self.reply;
        while self.written < due {
            let from = (self.written % self.reply) as usize;
            let until = self.replies.len().min(from + (due - self.written) as usize);
            match stream.write(&self.replies[from..until]) {
                Ok(count) => self.written += count as u64,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn receive(&mut self, stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
        if self.frame > 0 {
            self.received += bytes.len() as u64;
            return Ok(());
        }
        self.start.extend(bytes);
        if self.upgraded {
            self.prepare_replies();
        } else if self.start.ends_with(b"\r\n\r\n") {
            self.start.clear();
            self.upgraded = true;
            stream.write_all(RESPONSE)?;
        }
        Ok(())
    }

    /// Makes the replies, once the first frame is complete.
    fn prepare_replies(&mut self) -> Option<()> {
        let header = Header::read(&self.start)?;
        let (key, rest) = self.start[header.length..].split_first_chunk()?;
        let payload = rest.get(..header.payload)?;
        let reply = frame::unmasked(header.opcode, &frame::mask(*key, payload));
        self.replies = reply.repeat(MAX_WRITE.div_ceil(reply.len()));
        self.reply = reply.len() as u64;
        self.frame = (header.length + key.len() + payload.len()) as u64;
        self.received = self.start.len() as u64;
        Some(())
    }
}
