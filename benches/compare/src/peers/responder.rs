//! Not a WebSocket server, but what shows that the load is no bottleneck: after the handshake it reads one frame, makes
//! the reply to it once, and from then on counts bytes in and sends as many replies, without a look at what came. No
//! server can do less for a message than the system calls that are left here.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::SocketAddr,
};

use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};

use crate::frame;

const LISTENER: Token = Token(usize::MAX);
const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
/// Replies to a batch go out in one write, up to so many bytes.
const AT_ONCE: usize = 64 * 1024;

struct Connection {
    stream: TcpStream,
    state: State,
}

enum State {
    /// Until the end of the request's head, and then of the first frame.
    Begun {
        bytes: Vec<u8>,
        shaken: bool,
    },
    Counting(Counting),
}

struct Counting {
    frame: usize,
    reply: usize,
    /// Replies, one behind the other.
    replies: Vec<u8>,
    received: u64,
    written: u64,
}

pub fn serve() -> io::Result<()> {
    let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    super::announce(listener.local_addr()?);
    let mut poll = Poll::new()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut connections = HashMap::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut next = 0;
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            outcome => outcome?,
        }
        for event in &events {
            if event.token() != LISTENER {
                let gone = connections
                    .get_mut(&event.token())
                    .is_some_and(|connection: &mut Connection| connection.serve(&mut buffer).is_err());
                if gone {
                    connections.remove(&event.token());
                }
                continue;
            }
            while let Ok((mut stream, _)) = listener.accept() {
                stream.set_nodelay(true)?;
                let interest = Interest::READABLE | Interest::WRITABLE;
                poll.registry().register(&mut stream, Token(next), interest)?;
                let state = State::Begun {
                    bytes: Vec::new(),
                    shaken: false,
                };
                connections.insert(Token(next), Connection { stream, state });
                next += 1;
            }
        }
    }
}

impl Connection {
    fn serve(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    self.take(&buffer[..count])?;
                    if count < buffer.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        match &mut self.state {
            State::Counting(counting) => counting.answer(&mut self.stream),
            State::Begun { .. } => Ok(()),
        }
    }

    fn take(&mut self, piece: &[u8]) -> io::Result<()> {
        let (bytes, shaken) = match &mut self.state {
            State::Counting(counting) => {
                counting.received += piece.len() as u64;
                return Ok(());
            }
            State::Begun { bytes, shaken } => (bytes, shaken),
        };
        bytes.extend(piece);
        if !*shaken && bytes.ends_with(b"\r\n\r\n") {
            bytes.clear();
            *shaken = true;
            self.stream.write_all(ANSWER)?;
        } else if *shaken && let Some(counting) = Counting::begin(bytes) {
            self.state = State::Counting(counting);
        }
        Ok(())
    }
}

impl Counting {
    /// Once the first frame is whole.
    fn begin(bytes: &[u8]) -> Option<Self> {
        let header = frame::read_header(bytes)?;
        let (key, rest) = bytes[header.length..].split_first_chunk()?;
        let payload = rest.get(..header.payload as usize)?;
        let reply = frame::unmasked(header.opcode, &frame::unmask(*key, payload));
        Some(Self {
            frame: header.length + key.len() + payload.len(),
            reply: reply.len(),
            replies: reply.repeat(AT_ONCE.div_ceil(reply.len())),
            received: bytes.len() as u64,
            written: 0,
        })
    }

    fn answer(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        let due = self.received / self.frame as u64 * self.reply as u64;
        while self.written < due {
            let from = (self.written % self.reply as u64) as usize;
            let until = self.replies.len().min(from + (due - self.written) as usize);
            match stream.write(&self.replies[from..until]) {
                Ok(count) => self.written += count as u64,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
