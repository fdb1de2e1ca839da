//! The decoder's verdict compared with tungstenite's: the same messages, and a violation in both or in neither.
//!
//! Three differences are known. Each has its section of RFC 6455 where the code handles it: lengths that are not minimal
//! (5.2), close codes that must not be sent (7.4), and the time of a verdict.
#![no_main]

use std::io::{self, Read, Write};

use libfuzzer_sys::fuzz_target;
use tungstenite::{
    Error, Message, WebSocket,
    error::ProtocolError,
    protocol::{Role, WebSocketConfig},
};
use ws_echo::protocol::{
    Limits, NoObserver, Server, Violation,
    frame::{BINARY, CLOSE, MAX_CONTROL_PAYLOAD, MAX_HEADER, PING, PONG, TEXT},
};
use ws_echo_fuzz::{Input, Outcome, decode};

/// Maximum number of frames of an input whose length is not minimal. The bytes after them are not compared.
const MAX_SHORTENED: usize = 8;

fuzz_target!(|input: &[u8]| {
    let mut input = Input(input);
    let limit = usize::from(input.word());
    let mut bytes = input.0.to_vec();
    for _ in 0..MAX_SHORTENED {
        let ours = ours(&bytes, limit);
        let frame = bytes.len() - ours.rest.len();
        let shorter = match ours.violation {
            // RFC 6455 section 5.2: "the minimal number of bytes MUST be used to encode the length". Section 5.5: a
            // control frame has at most 125 bytes, so that any longer form is a violation.
            Some(Violation::LengthEncoding | Violation::LongControl) => shorten(&bytes, frame),
            _ => None,
        };
        let Some(shorter) = shorter else {
            compare(&bytes, &ours, limit);
            return;
        };
        // Tungstenite reads a longer form as if it were the shortest, so its result must be the same for both.
        let theirs = theirs(&bytes, limit, true);
        assert!(theirs.events.starts_with(&events(&ours)));
        assert_eq!(theirs, self::theirs(&shorter, limit, true));
        bytes = shorter;
    }
});

/// Returns our outcome up to the first Close frame. RFC 6455 section 5.5.1: no data frames come after it, so what follows is not
/// compared.
fn ours(bytes: &[u8], limit: usize) -> Outcome {
    let limits = Limits {
        message_size: limit,
        // Tungstenite has no such limit.
        fragments: usize::MAX,
    };
    let mut outcome = decode::<Server>(&[bytes], limits, None, NoObserver);
    if let Some(close) = outcome.events.iter().position(|(opcode, ..)| *opcode == CLOSE) {
        outcome.events.truncate(close + 1);
        outcome.violation = None;
    }
    outcome
}

/// Opcodes and payloads.
type Events = Vec<(u8, Vec<u8>)>;

/// Returns the outcome's events as tungstenite reports them.
fn events(ours: &Outcome) -> Events {
    let mut events: Events = ours
        .events
        .iter()
        .map(|(opcode, payload, _)| (*opcode, payload.clone()))
        .collect();
    // RFC 6455 section 7.4.2: 1000 to 2999 are registered by IANA. 1014 was registered later than tungstenite's list.
    if let Some((CLOSE, body)) = events.last_mut()
        && body.starts_with(&1014_u16.to_be_bytes())
    {
        *body = forbidden_code();
    }
    events
}

/// Returns the body that tungstenite substitutes for one whose code must not be sent.
fn forbidden_code() -> Vec<u8> {
    [&1002_u16.to_be_bytes()[..], b"Protocol violation"].concat()
}

fn compare(bytes: &[u8], ours: &Outcome, limit: usize) {
    // RFC 6455 allows a verdict as soon as a frame is invalid. Ours is at the header or within the payload, tungstenite's
    // at the end of the frame. Zeros complete that frame.
    let theirs = theirs(bytes, limit, ours.violation.is_some());
    let mut expected = events(ours);
    if let (Some(Violation::CloseCode(_)), None) = (ours.violation, theirs.violation.as_deref()) {
        // RFC 6455 section 7.4: such a code is a violation. Tungstenite returns another code instead.
        expected.push((CLOSE, forbidden_code()));
        assert_eq!(theirs.events, expected);
        return;
    }
    assert_eq!(theirs.events, expected);
    assert_eq!(
        theirs.violation.is_some(),
        ours.violation.is_some(),
        "ours: {:?}, tungstenite's: {:?}",
        ours.violation,
        theirs.violation
    );
}

/// Encodes the length of the frame at `frame` in its shortest form. `None` if it has that already, or has more than 63
/// bits, for which there is no form.
fn shorten(bytes: &[u8], frame: usize) -> Option<Vec<u8>> {
    let (before, frame) = bytes.split_at(frame);
    // The length of a control frame may be incomplete. Tungstenite gets zeros in its place.
    let mut header = [0; 10];
    let available = frame.len().min(header.len());
    header[..available].copy_from_slice(&frame[..available]);
    let (first, second, rest) = (header[0], header[1], &header[2..]);
    let (len, end) = if second & 0x7F == 126 {
        (u64::from(u16::from_be_bytes(rest[..2].try_into().ok()?)), 4)
    } else {
        (u64::from_be_bytes(rest.try_into().ok()?), 10)
    };
    let mut shorter = [before, &[first]].concat();
    match len {
        0..126 => shorter.push(second & 0x80 | u8::try_from(len).ok()?),
        126..0x1_0000 if end == 10 => {
            shorter.push(second & 0x80 | 126);
            shorter.extend(u16::try_from(len).ok()?.to_be_bytes());
        }
        _ => return None,
    }
    shorter.extend(frame.get(end..).unwrap_or_default());
    Some(shorter)
}

/// Tungstenite's events, and the violation that ended them.
#[derive(Debug, PartialEq)]
struct Verdict {
    events: Events,
    violation: Option<String>,
}

fn theirs(bytes: &[u8], limit: usize, zeros: bool) -> Verdict {
    // Our limit applies to data messages, not to control frames.
    let frame = limit.max(MAX_CONTROL_PAYLOAD);
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .max_message_size(Some(limit))
        .max_frame_size(Some(frame));
    let peer = Peer {
        bytes,
        zeros: if zeros { MAX_HEADER + frame } else { 0 },
    };
    let mut socket = WebSocket::from_raw_socket(peer, Role::Server, Some(config));
    let mut events = Vec::new();
    let violation = loop {
        match socket.read() {
            Ok(Message::Text(text)) => events.push((TEXT, text.as_bytes().to_vec())),
            Ok(Message::Binary(bytes)) => events.push((BINARY, bytes.to_vec())),
            Ok(Message::Ping(payload)) => events.push((PING, payload.to_vec())),
            // Our decoder drops its payload.
            Ok(Message::Pong(payload)) => events.push((PONG, payload.to_vec())),
            Ok(Message::Close(body)) => {
                let body = body
                    .map(|body| [&u16::from(body.code).to_be_bytes()[..], body.reason.as_bytes()].concat());
                events.push((CLOSE, body.unwrap_or_default()));
                break None;
            }
            Ok(Message::Frame(frame)) => unreachable!("{frame:?} is never read"),
            // The end of the input.
            Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => break None,
            Err(error @ (Error::Protocol(_) | Error::Capacity(_) | Error::Utf8(_))) => {
                break Some(error.to_string());
            }
            Err(error) => panic!("unexpected error: {error}"),
        }
    };
    Verdict { events, violation }
}

/// Sends the bytes and then zeros, and reads whatever it gets.
struct Peer<'b> {
    bytes: &'b [u8],
    zeros: usize,
}

impl Read for Peer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.bytes.is_empty() {
            return self.bytes.read(buffer);
        }
        let len = self.zeros.min(buffer.len());
        buffer[..len].fill(0);
        self.zeros -= len;
        Ok(len)
    }
}

impl Write for Peer<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
