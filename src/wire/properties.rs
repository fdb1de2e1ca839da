//! What holds of the wire for whatever a peer may send. The reference here decodes by hand: it shares no code with what
//! it checks.

use std::{
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress};
use futures_core::Stream;
use futures_util::stream;
use proptest::{collection::vec, prelude::*, sample::Index};

use super::{
    End, Inbound, Incoming, Limits, Outbound, Shape, Source, Violation,
    deflate::{Deflate, Inflater},
    tap::Observer,
};
use crate::metrics::DataKind;

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

/// What a stream of frames says: whole messages and control frames, in the order of their ends.
type Events = Vec<(u8, Vec<u8>)>;

type Chunks = stream::Iter<std::vec::IntoIter<Result<Bytes, ()>>>;

/// The bytes in pieces.
fn pieces(bytes: &[u8], cuts: &[Index]) -> Vec<Bytes> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|cut| Bytes::copy_from_slice(&bytes[cut[0]..cut[1]]))
        .collect()
}

fn chunks(pieces: Vec<Bytes>) -> Chunks {
    stream::iter(pieces.into_iter().map(Ok).collect::<Vec<_>>())
}

/// What was heard, why it ended, and the most that was held of a message that was not whole.
struct Outcome {
    events: Events,
    violation: Option<Violation>,
    held: usize,
}

/// For sources that are always ready.
fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn event(incoming: Incoming<'_>) -> (u8, Vec<u8>) {
    match incoming {
        Incoming::Message(message, _) => {
            let opcode = match message.kind {
                DataKind::Text => TEXT,
                DataKind::Binary => BINARY,
            };
            (opcode, message.payload.into_owned())
        }
        Incoming::Ping(payload) => (PING, payload.to_vec()),
        Incoming::Pong => (PONG, Vec::new()),
        Incoming::Close(code) => (CLOSE, code.map(u16::to_be_bytes).into_iter().flatten().collect()),
    }
}

fn inbound<S>(source: S, limits: Limits, inflater: Option<Inflater>) -> Inbound<S>
where
    S: Stream<Item = Result<Bytes, ()>> + Unpin,
{
    Inbound::new(
        Source::new(source, None),
        limits,
        inflater,
        Observer::default(),
        Instant::now(),
    )
}

fn through(pieces: Vec<Bytes>, limits: Limits, inflater: Option<Inflater>) -> Outcome {
    let mut inbound = inbound(chunks(pieces), limits, inflater);
    let (mut events, mut held) = (Vec::new(), 0);
    let end = loop {
        // As the session does it, which may stop after any message: what is left of a chunk is kept.
        let mut chunk = inbound.chunk();
        let heard = inbound.poll_next(&mut context(), &mut chunk).map_ok(event);
        inbound.rest(chunk);
        held = held.max(inbound.holds());
        match heard {
            Poll::Ready(Ok(event)) => events.push(event),
            Poll::Ready(Err(end)) => break end,
            Poll::Pending => unreachable!("there is always more"),
        }
    };
    let violation = match end {
        End::Eof => None,
        End::Violation(violation, _) => Some(violation),
        End::Drained(_) => unreachable!("nobody drains"),
    };
    Outcome {
        events,
        violation,
        held,
    }
}

const NONE: Limits = Limits {
    message_size: usize::MAX,
    fragments: usize::MAX,
};

/// What a well-behaved client says.
#[derive(Debug, Clone)]
enum Said {
    /// A message, where it is cut into fragments, what control frame follows each, and whether it is compressed.
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

fn said() -> impl Strategy<Value = Said> {
    let control = vec(any::<u8>(), 0..=125);
    let fragments = vec((any::<Index>(), proptest::option::of(control.clone())), 0..4);
    prop_oneof![
        4 => (message(), fragments, any::<bool>())
            .prop_map(|((opcode, payload), cuts, compressed)| Said::Message(opcode, payload, cuts, compressed)),
        1 => (prop_oneof![Just(PING), Just(PONG)], control)
            .prop_map(|(opcode, payload)| Said::Control(opcode, payload)),
    ]
}

/// The frames in which a client says it, each with a masking key of its own, and the events that it means by them.
fn say(said: &[Said], masks: &[[u8; 4]], may_compress: bool) -> (Vec<Vec<u8>>, Events) {
    let (mut frames, mut events) = (Vec::new(), Vec::new());
    let mut masks = masks.iter().copied().cycle();
    let mut mask = move || masks.next().unwrap();
    let mut deflate = Compress::new(Compression::default(), false);
    for said in said {
        match said {
            Said::Control(opcode, payload) => {
                frames.push(frame(FIN | opcode, payload, mask()));
                // What a Pong holds is of no interest.
                let heard = if *opcode == PONG {
                    Vec::new()
                } else {
                    payload.clone()
                };
                events.push((*opcode, heard));
            }
            Said::Message(opcode, plain, cuts, compressed) => {
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
    Deflate::negotiate(["permessage-deflate"]).unwrap().inflater()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_never_panics_never_holds_more_than_the_limit_and_is_judged_alike_in_any_pieces(
        said in vec(said(), 0..5),
        masks in vec(any::<[u8; 4]>(), 1..4),
        damage in vec((any::<Index>(), any::<u8>()), 0..4),
        noise in vec(any::<u8>(), 0..40),
        cuts in vec(any::<Index>(), 0..30),
        message_size in prop_oneof![0..300usize, 60_000..70_000usize],
        fragments in 1..5usize,
        compressing: bool,
    ) {
        let mut bytes = say(&said, &masks, true).0.concat();
        bytes.extend(noise);
        for (place, byte) in damage {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
        }
        let limits = Limits { message_size, fragments };
        let inflater = || compressing.then(any_inflater);
        let cut = through(pieces(&bytes, &cuts), limits, inflater());
        let whole = through(pieces(&bytes, &[]), limits, inflater());
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
        pieces in vec(vec(any::<u8>(), 0..40).prop_map(Bytes::from), 0..10), compressing: bool,
    ) {
        let limits = Limits { message_size: 100, fragments: 3 };
        let outcome = through(pieces, limits, compressing.then(any_inflater));
        prop_assert!(outcome.held <= 100);
    }

    #[test]
    fn any_legal_messages_cut_anywhere_come_out_the_same(
        said in vec(said(), 0..6),
        masks in vec(any::<[u8; 4]>(), 1..4),
        cuts in vec(any::<Index>(), 0..40),
        compressing: bool,
    ) {
        let (frames, expected) = say(&said, &masks, compressing);
        let outcome = through(pieces(&frames.concat(), &cuts), NONE, compressing.then(any_inflater));
        prop_assert_eq!((outcome.events, outcome.violation), (expected, None));
    }

    #[test]
    fn what_outbound_compresses_inbound_inflates_whatever_was_agreed(
        messages in vec(message(), 1..6),
        takeover: bool,
        bits in 9..=15u8,
        rests in vec(0..3u8, 6),
        cuts in vec(any::<Index>(), 0..10),
    ) {
        let no_takeover = |side: &str| if takeover { String::new() } else { format!("; {side}_no_context_takeover") };
        let agree = |side: &str| {
            let offer = format!("permessage-deflate; {side}_max_window_bits={bits}{}", no_takeover(side));
            Deflate::negotiate([offer.as_str()]).unwrap()
        };
        let outbound = Outbound::new(Shape { deflater: Some(agree("server").deflater()), ..Shape::default() }, None);
        let mut wire = Vec::new();
        let mut compressed = 0;
        for ((opcode, payload), rests) in messages.iter().zip(rests) {
            // Twice in a row with nothing between, and the context is given back.
            (0..rests).for_each(|_| outbound.rest());
            let kind = if *opcode == TEXT { DataKind::Text } else { DataKind::Binary };
            let (before, after) = payload.split_at(payload.len() / 3);
            outbound.message(kind, &[before, after]);
            let Poll::Ready(sent) = outbound.poll_take(&mut context()) else {
                return Err(TestCaseError::fail("nothing was said"));
            };
            // A server's frames are not masked: they come to the other side as a client would have sent them.
            let header = match sent[1] { 126 => 4, 127 => 10, _ => 2 };
            compressed += usize::from(sent[0] & RSV1 != 0);
            wire.extend(frame(sent[0], &sent[header..], [1, 2, 3, 4]));
        }
        let long = |(_, payload): &&(u8, Vec<u8>)| payload.len() > 10_000;
        prop_assert!(compressed >= messages.iter().filter(long).count());
        let outcome = through(pieces(&wire, &cuts), NONE, Some(agree("client").inflater()));
        prop_assert_eq!((outcome.events, outcome.violation), (messages, None));
    }

    #[test]
    fn the_tail_ends_on_the_peers_close_wherever_the_stream_was_left(
        before in vec(said(), 0..3),
        after in vec(said(), 0..3),
        masks in vec(any::<[u8; 4]>(), 1..4),
        cuts in vec(any::<Index>(), 0..30),
        left in any::<Index>(),
        bad in 0..4u8,
        reason in "[a-z]{0,100}",
        compressing: bool,
    ) {
        let mut bytes = say(&before, &masks, compressing).0.concat();
        bytes.extend(match bad {
            0 => frame(FIN | 3, b"a reserved opcode", masks[0]),
            1 => frame(FIN | TEXT, b"text \xFF and more of it", masks[0]),
            2 => frame(FIN | 0x20 | BINARY, b"", masks[0]),
            // Legal so far: it is drained somewhere.
            _ => Vec::new(),
        });
        bytes.extend(say(&after, &masks, false).0.concat());
        let close = frame(FIN | CLOSE, &[&1000u16.to_be_bytes(), reason.as_bytes()].concat(), masks[0]);
        let whole = [&bytes[..], &close].concat();
        let (now, later) = if bad == 3 {
            let left = left.index(bytes.len() + 1);
            (&whole[..left], &whole[left..])
        } else {
            (&whole[..], &[][..])
        };
        let source = pieces(now, &cuts);
        let later = pieces(later, &cuts);
        // It says Pending once, where the drain is to be seen, and for ever at the end: only the Close can end the tail.
        let mut queue = source.into_iter().map(Some).chain([None]).chain(later.into_iter().map(Some));
        let source = stream::poll_fn(move |_| match queue.next() {
            Some(Some(piece)) => Poll::Ready(Some(Ok::<_, ()>(piece))),
            Some(None) | None => Poll::Pending,
        });
        let inflater = compressing.then(any_inflater);
        let mut inbound = inbound(source, NONE, inflater);
        inbound.drain();
        let mut chunk = inbound.chunk();
        let end = loop {
            match inbound.poll_next(&mut context(), &mut chunk) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(end)) => break end,
                Poll::Pending => unreachable!("it is drained"),
            }
        };
        let tail = match end {
            End::Violation(_, tail) if bad < 3 => tail,
            End::Drained(tail) if bad == 3 => tail,
            end => return Err(TestCaseError::fail(format!("{end:?}"))),
        };
        let mut tail = std::pin::pin!(tail);
        // Pending is said once where the queue was drained by a violation.
        let ended = (0..2).any(|_| tail.as_mut().poll(&mut context()).is_ready());
        prop_assert!(ended);
    }
}
