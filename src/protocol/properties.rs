//! Properties of the decoder and the encoder for any input. The reference here encodes by hand and shares no code with them.

use flate2::{Compress, Compression, FlushCompress};
use proptest::{collection::vec, prelude::*, sample::Index};

use super::{
    Client, DataKind, Decoder, Encoder, EncoderOptions, Incoming, Limits, MaskingKeys, NoObserver,
    ReadBuffer, Role, Server, Violation,
    deflate::{Deflate, Inflater},
};

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A frame by hand.
fn frame(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | u8::try_from(len).unwrap()),
        len @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}

/// The events of a stream of frames: complete messages and control frames, in the order of their ends.
type Events = Vec<(u8, Vec<u8>)>;

/// The bytes in pieces.
fn pieces(bytes: &[u8], cuts: &[Index]) -> Vec<Vec<u8>> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|cut| bytes[cut[0]..cut[1]].to_vec())
        .collect()
}

/// The decoded events, the violation that ended them, and the most bytes that an incomplete message held.
struct Outcome {
    events: Events,
    violation: Option<Violation>,
    held: usize,
}

fn event(incoming: Incoming<'_>) -> (u8, Vec<u8>) {
    match incoming {
        Incoming::Message(message, _) => (message.kind.opcode(), message.payload.into_owned()),
        Incoming::Ping(payload) => (PING, payload.to_vec()),
        Incoming::Pong => (PONG, Vec::new()),
        Incoming::Close(None) => (CLOSE, Vec::new()),
        Incoming::Close(Some(body)) => (
            CLOSE,
            [&body.code.to_be_bytes()[..], body.reason.as_bytes()].concat(),
        ),
    }
}

/// Decodes as the end `R` does, from a new buffer for each event: what was not parsed is kept between two polls.
fn decode<R: Role>(pieces: &[Vec<u8>], limits: Limits, inflater: Option<Inflater>) -> Outcome {
    let mut decoder = Decoder::<R, _>::new(limits, inflater, NoObserver);
    let mut outcome = Outcome {
        events: Vec::new(),
        violation: None,
        held: 0,
    };
    let mut buffer = ReadBuffer::default();
    for piece in pieces {
        buffer.append(piece);
        loop {
            let decoded = decoder.decode(&mut buffer);
            outcome.held = outcome.held.max(decoder.buffered());
            match decoded {
                Ok(Some(decoded)) => outcome.events.push(event(decoded.within(&buffer))),
                Ok(None) => break,
                Err(violation) => {
                    outcome.violation = Some(violation);
                    return outcome;
                }
            }
            buffer = ReadBuffer::new(Vec::new(), buffer.unparsed());
        }
    }
    outcome
}

const NONE: Limits = Limits {
    message_size: usize::MAX,
    fragments: usize::MAX,
};

/// A message or a control frame of a valid client.
#[derive(Debug, Clone)]
enum Sent {
    /// A message: opcode, payload, the cuts between its fragments with a Ping after each, and whether it is compressed.
    Message(u8, Vec<u8>, Vec<(Index, Option<Vec<u8>>)>, bool),
    Control(u8, Vec<u8>),
}

fn message() -> impl Strategy<Value = (u8, Vec<u8>)> {
    prop_oneof![
        "\\PC{0,60}".prop_map(|text| (TEXT, text.into_bytes())),
        "[a-f🦀é]{100,2000}".prop_map(|text| (TEXT, text.into_bytes())),
        vec(any::<u8>(), 0..300).prop_map(|bytes| (BINARY, bytes)),
        (any::<u8>(), 60_000..70_000usize).prop_map(|(byte, len)| (BINARY, vec![byte; len])),
    ]
}

fn sent() -> impl Strategy<Value = Sent> {
    let control = vec(any::<u8>(), 0..=125);
    let fragments = vec((any::<Index>(), proptest::option::of(control.clone())), 0..4);
    prop_oneof![
        4 => (message(), fragments, any::<bool>())
            .prop_map(|((opcode, payload), cuts, compressed)| Sent::Message(opcode, payload, cuts, compressed)),
        1 => (prop_oneof![Just(PING), Just(PONG)], control)
            .prop_map(|(opcode, payload)| Sent::Control(opcode, payload)),
    ]
}

/// Returns the frames of a client, each with its own masking key, and the events that the server must decode from them.
fn encode(sent: &[Sent], masks: &[[u8; 4]], may_compress: bool) -> (Vec<Vec<u8>>, Events) {
    let (mut frames, mut events) = (Vec::new(), Vec::new());
    let mut masks = masks.iter().copied().cycle();
    let mut mask = move || masks.next().unwrap();
    let mut deflate = Compress::new(Compression::default(), false);
    for sent in sent {
        match sent {
            Sent::Control(opcode, payload) => {
                frames.push(frame(FIN | opcode, payload, mask()));
                // A decoded Pong has no payload.
                let received = if *opcode == PONG {
                    Vec::new()
                } else {
                    payload.clone()
                };
                events.push((*opcode, received));
            }
            Sent::Message(opcode, plain, cuts, compressed) => {
                let compressed = *compressed && may_compress && !plain.is_empty();
                let payload = if compressed {
                    let mut out = Vec::with_capacity(plain.len() + 200);
                    deflate
                        .compress_vec(plain, &mut out, FlushCompress::Sync)
                        .unwrap();
                    assert!(out.ends_with(&[0, 0, 0xFF, 0xFF]));
                    out.truncate(out.len() - 4);
                    out
                } else {
                    plain.clone()
                };
                let mut cuts: Vec<_> = cuts
                    .iter()
                    .map(|(cut, control)| (cut.index(payload.len() + 1), control))
                    .collect();
                cuts.sort_by_key(|(cut, _)| *cut);
                let mut first = opcode | if compressed { RSV1 } else { 0 };
                let mut begin = 0;
                for (cut, control) in cuts {
                    frames.push(frame(first, &payload[begin..cut], mask()));
                    if let Some(control) = control {
                        frames.push(frame(FIN | PING, control, mask()));
                        events.push((PING, control.clone()));
                    }
                    (first, begin) = (0, cut);
                }
                frames.push(frame(FIN | first, &payload[begin..], mask()));
                events.push((*opcode, plain.clone()));
            }
        }
    }
    (frames, events)
}

fn any_inflater() -> Inflater {
    Deflate::negotiate([&b"permessage-deflate"[..]])
        .unwrap()
        .inflater::<Server>()
}

/// An encoder of the end `R`; the keys of a client count up.
fn client_keys() -> MaskingKeys {
    let mut next = 0_u32;
    MaskingKeys::new(move || {
        next = next.wrapping_mul(2_654_435_761).wrapping_add(12_345);
        next.to_be_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_never_panics_never_holds_more_than_the_limit_and_is_judged_alike_in_any_pieces(
        sent in vec(sent(), 0..5),
        masks in vec(any::<[u8; 4]>(), 1..4),
        damage in vec((any::<Index>(), any::<u8>()), 0..4),
        noise in vec(any::<u8>(), 0..40),
        cuts in vec(any::<Index>(), 0..30),
        message_size in prop_oneof![0..300usize, 60_000..70_000usize],
        fragments in 1..5usize,
        compressing: bool,
    ) {
        let mut bytes = encode(&sent, &masks, true).0.concat();
        bytes.extend(noise);
        for (place, byte) in damage {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
        }
        let limits = Limits { message_size, fragments };
        let inflater = || compressing.then(any_inflater);
        let cut = decode::<Server>(&pieces(&bytes, &cuts), limits, inflater());
        let whole = decode::<Server>(&pieces(&bytes, &[]), limits, inflater());
        for outcome in [&cut, &whole] {
            prop_assert!(outcome.held <= message_size, "held {}", outcome.held);
        }
        prop_assert_eq!(&cut.events, &whole.events);
        // Of a compressed message that is bad in two ways, which comes first depends on how much is inflated at once.
        let of_inflated = |violation| {
            matches!(violation, Some(Violation::Utf8 | Violation::Deflate | Violation::TooBig { .. }))
        };
        if !(compressing && of_inflated(cut.violation) && of_inflated(whole.violation)) {
            prop_assert_eq!(cut.violation, whole.violation);
        }
        for (opcode, payload) in cut.events {
            let most = if opcode >= 8 { 125 } else { message_size };
            prop_assert!(payload.len() <= most);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        pieces in vec(vec(any::<u8>(), 0..40), 0..10), compressing: bool,
    ) {
        let limits = Limits { message_size: 100, fragments: 3 };
        for outcome in [
            decode::<Server>(&pieces, limits, compressing.then(any_inflater)),
            decode::<Client>(&pieces, limits, compressing.then(any_inflater)),
        ] {
            prop_assert!(outcome.held <= 100);
        }
    }

    #[test]
    fn any_legal_messages_cut_anywhere_come_out_the_same(
        sent in vec(sent(), 0..6),
        masks in vec(any::<[u8; 4]>(), 1..4),
        cuts in vec(any::<Index>(), 0..40),
        compressing: bool,
    ) {
        let (frames, expected) = encode(&sent, &masks, compressing);
        let outcome = decode::<Server>(&pieces(&frames.concat(), &cuts), NONE, compressing.then(any_inflater));
        prop_assert_eq!((outcome.events, outcome.violation), (expected, None));
    }

    #[test]
    fn what_one_end_encodes_the_other_decodes_whatever_was_negotiated(
        messages in vec(message(), 1..6),
        takeover: bool,
        compressing: bool,
        bits in 9..=15u8,
        fragment in proptest::option::of(1..2000usize),
        rests in vec(0..3u8, 6),
        cuts in vec(any::<Index>(), 0..10),
    ) {
        let no_takeover = |side: &str| if takeover { String::new() } else { format!("; {side}_no_context_takeover") };
        let offer = format!(
            "permessage-deflate; server_max_window_bits={bits}; client_max_window_bits={bits}{}{}",
            no_takeover("server"), no_takeover("client"),
        );
        let deflate = compressing.then(|| Deflate::negotiate([offer.as_bytes()]).unwrap());
        let plan = Plan { messages: &messages, rests: &rests, cuts: &cuts, fragment, deflate };
        plan.check::<Server, Client>(())?;
        plan.check::<Client, Server>(client_keys())?;
    }
}

/// Messages of one end to the other.
struct Plan<'p> {
    messages: &'p [(u8, Vec<u8>)],
    /// How often an idle context is released after each message.
    rests: &'p [u8],
    cuts: &'p [Index],
    fragment: Option<usize>,
    deflate: Option<Deflate>,
}

impl Plan<'_> {
    fn check<From: Role, To: Role>(&self, keys: From::Keys) -> Result<(), TestCaseError> {
        let options = EncoderOptions {
            deflater: self.deflate.map(|deflate| deflate.deflater::<From>()),
            fragment: self.fragment.and_then(std::num::NonZeroUsize::new),
        };
        let mut encoder = Encoder::<From, _>::new(options, keys, NoObserver);
        let (mut wire, mut compressed) = (Vec::new(), 0);
        for ((opcode, payload), rests) in self.messages.iter().zip(self.rests) {
            // Twice in a row with nothing between, and the context is released.
            (0..*rests).for_each(|_| encoder.release_idle_context());
            let kind = if *opcode == TEXT {
                DataKind::Text
            } else {
                DataKind::Binary
            };
            let (before, after) = payload.split_at(payload.len() / 3);
            let start = wire.len();
            encoder.message(kind, &[before, after], &mut Vec::new(), &mut wire);
            compressed += usize::from(wire[start] & RSV1 != 0);
            prop_assert_eq!(wire[start + 1] & 0x80 != 0, From::SENDS_MASKED);
        }
        let long = |(_, payload): &&(u8, Vec<u8>)| payload.len() > 10_000;
        let expected = self.messages.iter().filter(long).count();
        prop_assert!(self.deflate.is_none() || compressed >= expected);
        let inflater = self.deflate.map(|deflate| deflate.inflater::<To>());
        let outcome = decode::<To>(&pieces(&wire, self.cuts), NONE, inflater);
        prop_assert_eq!(
            (outcome.events, outcome.violation),
            (self.messages.to_vec(), None)
        );
        Ok(())
    }
}
