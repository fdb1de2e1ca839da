//! Property tests of the decoder and the encoder. Their reference encoder, [`encode`], shares no code with them.

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

/// Returns a masked frame. `first` is its first byte: FIN, RSV and the opcode.
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

/// Complete messages and control frames, each with its opcode and payload, in the order of their last bytes.
type Events = Vec<(u8, Vec<u8>)>;

/// Splits `bytes` at `cuts`: the parts that single reads return.
fn split(bytes: &[u8], cuts: &[Index]) -> Vec<Vec<u8>> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|cut| bytes[cut[0]..cut[1]].to_vec())
        .collect()
}

/// The result of decoding a stream of frames.
struct Outcome {
    events: Events,
    /// The violation that ended the stream.
    violation: Option<Violation>,
    /// Maximum size in bytes of an incomplete message.
    buffered: usize,
}

fn event(incoming: Incoming<'_>) -> (u8, Vec<u8>) {
    match incoming {
        Incoming::Message(message, _) => (message.kind.opcode(), message.payload.into_owned()),
        Incoming::Ping(payload) => (PING, payload.to_vec()),
        Incoming::Pong(payload) => (PONG, payload.to_vec()),
        Incoming::Close(None) => (CLOSE, Vec::new()),
        Incoming::Close(Some(body)) => (
            CLOSE,
            [&body.code.to_be_bytes()[..], body.reason.as_bytes()].concat(),
        ),
    }
}

/// Decodes the bytes of several reads as the end `R`. After each event, a new buffer gets the unparsed bytes, as between two
/// polls of a session.
fn decode<R: Role>(reads: &[Vec<u8>], limits: Limits, inflater: Option<Inflater>) -> Outcome {
    let mut decoder = Decoder::<R, _>::new(limits, inflater, NoObserver);
    let mut outcome = Outcome {
        events: Vec::new(),
        violation: None,
        buffered: 0,
    };
    let mut buffer = ReadBuffer::default();
    for read in reads {
        buffer.append(read);
        loop {
            let decoded = decoder.decode(&mut buffer);
            outcome.buffered = outcome.buffered.max(decoder.buffered());
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

const NO_LIMITS: Limits = Limits {
    message_size: usize::MAX,
    fragments: usize::MAX,
};

/// A message or a control frame of a valid client.
#[derive(Debug, Clone)]
enum Sent {
    /// A message: opcode, payload, the ends of its fragments with an optional Ping after each, and whether it is compressed.
    Message(u8, Vec<u8>, Vec<(Index, Option<Vec<u8>>)>, bool),
    /// A control frame: opcode and payload.
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
                events.push((*opcode, payload.clone()));
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
                let mut start = 0;
                for (cut, control) in cuts {
                    frames.push(frame(first, &payload[start..cut], mask()));
                    if let Some(control) = control {
                        frames.push(frame(FIN | PING, control, mask()));
                        events.push((PING, control.clone()));
                    }
                    (first, start) = (0, cut);
                }
                frames.push(frame(FIN | first, &payload[start..], mask()));
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

/// Returns masking keys that differ from frame to frame.
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
    fn any_input_is_decoded_without_a_panic_within_the_limit_and_with_the_same_result_wherever_it_is_cut(
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
        let cut = decode::<Server>(&split(&bytes, &cuts), limits, inflater());
        let uncut = decode::<Server>(&split(&bytes, &[]), limits, inflater());
        for outcome in [&cut, &uncut] {
            prop_assert!(outcome.buffered <= message_size, "{} bytes buffered", outcome.buffered);
        }
        prop_assert_eq!(&cut.events, &uncut.events);
        // If a compressed message has two violations, the size of the reads decides which of them is detected first.
        let of_decompressed = |violation| {
            matches!(violation, Some(Violation::Utf8 | Violation::Deflate | Violation::TooBig { .. }))
        };
        if !(compressing && of_decompressed(cut.violation) && of_decompressed(uncut.violation)) {
            prop_assert_eq!(cut.violation, uncut.violation);
        }
        for (opcode, payload) in cut.events {
            let limit = if opcode >= 8 { 125 } else { message_size };
            prop_assert!(payload.len() <= limit);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        reads in vec(vec(any::<u8>(), 0..40), 0..10), compressing: bool,
    ) {
        let limits = Limits { message_size: 100, fragments: 3 };
        for outcome in [
            decode::<Server>(&reads, limits, compressing.then(any_inflater)),
            decode::<Client>(&reads, limits, compressing.then(any_inflater)),
        ] {
            prop_assert!(outcome.buffered <= 100);
        }
    }

    #[test]
    fn valid_messages_are_decoded_unchanged_wherever_they_are_cut(
        sent in vec(sent(), 0..6),
        masks in vec(any::<[u8; 4]>(), 1..4),
        cuts in vec(any::<Index>(), 0..40),
        compressing: bool,
    ) {
        let (frames, expected) = encode(&sent, &masks, compressing);
        let outcome = decode::<Server>(&split(&frames.concat(), &cuts), NO_LIMITS, compressing.then(any_inflater));
        prop_assert_eq!((outcome.events, outcome.violation), (expected, None));
    }

    #[test]
    fn one_end_decodes_the_messages_that_the_other_encodes_with_any_negotiated_parameters(
        messages in vec(message(), 1..6),
        takeover: bool,
        compressing: bool,
        bits in 9..=15u8,
        fragment in proptest::option::of(1..2000usize),
        releases in vec(0..3u8, 6),
        cuts in vec(any::<Index>(), 0..10),
    ) {
        let no_takeover = |side: &str| if takeover { String::new() } else { format!("; {side}_no_context_takeover") };
        let offer = format!(
            "permessage-deflate; server_max_window_bits={bits}; client_max_window_bits={bits}{}{}",
            no_takeover("server"), no_takeover("client"),
        );
        let deflate = compressing.then(|| Deflate::negotiate([offer.as_bytes()]).unwrap());
        let round_trip = RoundTrip { messages: &messages, releases: &releases, cuts: &cuts, fragment, deflate };
        round_trip.check::<Server, Client>(())?;
        round_trip.check::<Client, Server>(client_keys())?;
    }
}

/// Messages that one end encodes and the other decodes.
struct RoundTrip<'p> {
    messages: &'p [(u8, Vec<u8>)],
    /// Number of calls of [`Encoder::release_idle_context`] before each message.
    releases: &'p [u8],
    cuts: &'p [Index],
    fragment: Option<usize>,
    deflate: Option<Deflate>,
}

impl RoundTrip<'_> {
    fn check<From: Role, To: Role>(&self, keys: From::Keys) -> Result<(), TestCaseError> {
        let options = EncoderOptions {
            deflater: self.deflate.map(|deflate| deflate.deflater::<From>()),
            fragment: self.fragment.and_then(std::num::NonZeroUsize::new),
        };
        let mut encoder = Encoder::<From, _>::new(options, keys, NoObserver);
        let (mut wire, mut compressed) = (Vec::new(), 0);
        for ((opcode, payload), releases) in self.messages.iter().zip(self.releases) {
            // The second call without a message since the first releases the context.
            (0..*releases).for_each(|_| encoder.release_idle_context());
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
        let outcome = decode::<To>(&split(&wire, self.cuts), NO_LIMITS, inflater);
        prop_assert_eq!(
            (outcome.events, outcome.violation),
            (self.messages.to_vec(), None)
        );
        Ok(())
    }
}
