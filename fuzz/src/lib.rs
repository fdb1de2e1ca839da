//! Code that several targets share: options at the start of an input, its pieces, and the outcome of a decoder.

use std::{cell::RefCell, rc::Rc};

use ws_echo::protocol::{
    Decoder, Direction, Incoming, Limits, MessageMeta, NoObserver, OBSERVED_PAYLOAD, Observer, ReadBuffer,
    Role, TapEvent, Violation,
    deflate::{Deflate, Inflater},
    frame::{CLOSE, Header, PING, PONG},
};

/// An input, of which the first bytes are options. An option that is missing is 0.
#[derive(Debug)]
pub struct Input<'i>(pub &'i [u8]);

impl Input<'_> {
    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&first, rest)) => {
                self.0 = rest;
                first
            }
            None => 0,
        }
    }

    pub fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// Returns the parameters of permessage-deflate that a byte selects.
    pub fn deflate(&mut self) -> Deflate {
        let byte = self.byte();
        let bits = 9 + byte % 7;
        let takeover = if byte & 0x80 == 0 {
            ""
        } else {
            "; server_no_context_takeover; client_no_context_takeover"
        };
        let offer = format!(
            "permessage-deflate; server_max_window_bits={bits}; client_max_window_bits={bits}{takeover}"
        );
        Deflate::negotiate([&offer]).expect("a valid offer is accepted")
    }
}

/// Cuts `bytes` into pieces of `lengths`, which repeat. Each length is one more than its byte.
pub fn pieces(mut bytes: &[u8], lengths: [u8; 4]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    for length in lengths.into_iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let (piece, rest) = bytes.split_at(bytes.len().min(usize::from(length) + 1));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

/// A message or a control frame: its opcode, its payload, and the frames of a message.
pub type Event = (u8, Vec<u8>, Option<MessageMeta>);

fn event(incoming: Incoming<'_>) -> Event {
    match incoming {
        Incoming::Message(message, meta) => (message.kind.opcode(), message.payload.into_owned(), Some(meta)),
        Incoming::Ping(payload) => (PING, payload.to_vec(), None),
        Incoming::Pong(payload) => (PONG, payload.to_vec(), None),
        Incoming::Close(body) => (CLOSE, body.map(close_body).unwrap_or_default(), None),
    }
}

fn close_body(body: ws_echo::protocol::CloseFrame<'_>) -> Vec<u8> {
    [&body.code.to_be_bytes()[..], body.reason.as_bytes()].concat()
}

/// Events, the violation that ended them, and the bytes that were not decoded.
#[derive(Debug)]
pub struct Outcome {
    pub events: Vec<Event>,
    pub violation: Option<Violation>,
    pub rest: Vec<u8>,
}

/// Decodes the pieces in the role `R`. Checks `buffered()` against the limit after each call.
pub fn decode<R: Role>(
    pieces: &[&[u8]],
    limits: Limits,
    inflater: Option<Inflater>,
    observer: impl Observer,
) -> Outcome {
    let mut decoder = Decoder::<R, _>::new(limits, inflater, observer);
    let mut buffer = ReadBuffer::default();
    let (mut events, mut violation) = (Vec::new(), None);
    'pieces: for piece in pieces {
        buffer.append(piece);
        loop {
            let decoded = decoder.decode(&mut buffer);
            assert!(decoder.buffered() <= limits.message_size);
            match decoded {
                Ok(Some(decoded)) => events.push(event(decoded.within(&buffer))),
                Ok(None) => break,
                Err(error) => {
                    violation = Some(error);
                    break 'pieces;
                }
            }
        }
    }
    Outcome {
        events,
        violation,
        rest: buffer.unparsed().to_vec(),
    }
}

/// An observer that checks what a tap receives, and counts the messages.
#[derive(Debug, Clone, Default)]
struct Tap {
    messages: Rc<RefCell<usize>>,
}

impl Observer for Tap {
    fn taps(&self) -> bool {
        true
    }

    fn on_tap(&self, event: &TapEvent<'_>) {
        if let TapEvent::Frame(frame) = event {
            let shown = |len| usize::try_from(len).unwrap_or(usize::MAX).min(OBSERVED_PAYLOAD);
            assert_eq!(frame.start.len(), shown(frame.plain_len));
            assert_eq!(frame.wire_start.len(), shown(frame.header.len));
            let header = Header::read(frame.header_bytes);
            assert_eq!(header, Some((frame.header, frame.header_bytes.len())));
        }
    }

    fn on_message(&self, _: Direction, _: ws_echo::protocol::DataKind, _: usize) {
        *self.messages.borrow_mut() += 1;
    }
}

/// Checks that the outcome is the same in pieces and in one piece, and within the limits. Both targets of the decoder run
/// it.
pub fn check_decoder<R: Role>(input: &[u8]) {
    let mut input = Input(input);
    let limits = Limits {
        message_size: usize::from(input.word()),
        fragments: usize::from(input.byte()).max(1),
    };
    let deflate = (input.byte() & 1 == 1).then(|| input.deflate());
    let lengths = [(); 4].map(|()| input.byte());
    let inflater = || deflate.map(|deflate| deflate.inflater::<R>());
    let tap = Tap::default();
    let cut = decode::<R>(&pieces(input.0, lengths), limits, inflater(), NoObserver);
    let whole = decode::<R>(&[input.0], limits, inflater(), tap.clone());

    assert_eq!(cut.events, whole.events);
    // The violation of a compressed message that is bad in two ways depends on how much is decompressed at once.
    let of_payload = |outcome: &Outcome| {
        matches!(
            outcome.violation,
            Some(Violation::Utf8 | Violation::Deflate | Violation::TooBig { .. })
        )
    };
    if !(deflate.is_some() && of_payload(&cut) && of_payload(&whole)) {
        assert_eq!(cut.violation, whole.violation);
    }
    let mut messages = 0;
    for (opcode, payload, meta) in &whole.events {
        let limit = if meta.is_some() { limits.message_size } else { 125 };
        assert!(payload.len() <= limit);
        if *opcode == ws_echo::protocol::frame::TEXT {
            assert!(str::from_utf8(payload).is_ok());
        }
        if let Some(meta) = meta {
            assert!((1..=limits.fragments).contains(&meta.frames));
            assert!(!meta.compressed || deflate.is_some());
            messages += 1;
        }
    }
    assert_eq!(*tap.messages.borrow(), messages);
}
