//! What holds of the wire for whatever a peer may send. The reference here decodes by hand: it shares no code with what
//! it checks.

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress};
use futures_core::Stream;
use futures_util::stream;
use proptest::{collection::vec, prelude::*, sample::Index};

use super::{
    End, Inbound, Limits, Outbound, Outlet, Shape, Violation,
    deflate::{Deflate, Inflater},
    frame::Header,
    tap::Observer,
};

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// The longest piece that is held back beside a compressed message: a Close frame.
const HELD: usize = 14 + 125;

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

/// The events of plain frames, masked or not, up to the first text that is no UTF-8.
fn events(mut bytes: &[u8]) -> (Events, bool) {
    let (mut events, mut begun) = (Vec::new(), (0, Vec::new()));
    while bytes.len() >= 2 {
        let (first, second) = (bytes[0], bytes[1]);
        assert_eq!(first & 0x70, 0, "what comes out is plain");
        let extended = match second & 0x7F {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let masked = if second & 0x80 == 0 { 0 } else { 4 };
        let start = 2 + extended + masked;
        if bytes.len() < start {
            break;
        }
        let len = match extended {
            0 => u64::from(second & 0x7F),
            _ => bytes[2..2 + extended]
                .iter()
                .fold(0, |len, byte| len << 8 | u64::from(*byte)),
        };
        let Some(end) = usize::try_from(len).ok().and_then(|len| len.checked_add(start)) else {
            break;
        };
        if bytes.len() < end {
            break;
        }
        let mut payload = bytes[start..end].to_vec();
        if masked > 0 {
            let mask = &bytes[2 + extended..start];
            payload
                .iter_mut()
                .zip(mask.iter().cycle())
                .for_each(|(byte, key)| *byte ^= key);
        }
        bytes = &bytes[end..];
        let opcode = first & 0x0F;
        if opcode >= 8 {
            events.push((opcode, payload));
            continue;
        }
        if opcode != 0 {
            begun.0 = opcode;
        }
        begun.1.extend(payload);
        if first & FIN != 0 {
            let message = (begun.0, std::mem::take(&mut begun.1));
            if message.0 == TEXT && str::from_utf8(&message.1).is_err() {
                return (events, true);
            }
            events.push(message);
        }
    }
    (events, false)
}

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

/// What came out, why it ended, and the most that was held back on the way.
struct Outcome {
    pieces: Vec<Bytes>,
    violation: Option<Violation>,
    held: usize,
}

impl Outcome {
    /// Events, and the violation after them: a text that was left to the codec counts as one found here.
    fn verdict(&self) -> (Events, Option<Violation>) {
        match events(&self.pieces.concat()) {
            (events, true) => (events, Some(Violation::Utf8)),
            (events, false) => (events, self.violation),
        }
    }
}

/// Polls once: with a waker that does nothing, for these sources are always ready.
fn poll<S: Stream + Unpin>(stream: &mut S) -> Poll<Option<S::Item>> {
    Pin::new(stream).poll_next(&mut Context::from_waker(Waker::noop()))
}

/// How many frames the codec will give.
fn whole_frames(mut bytes: &[u8]) -> usize {
    let mut count = 0;
    while let Some((header, len)) = Header::read(bytes) {
        let Some(after) = bytes.get(len + usize::try_from(header.len).unwrap()..) else {
            break;
        };
        bytes = after;
        count += 1;
    }
    count
}

fn through(pieces: Vec<Bytes>, limits: Limits, inflater: Option<Inflater>) -> Outcome {
    let (mut inbound, link) = Inbound::new(
        chunks(pieces),
        limits,
        inflater,
        Observer::default(),
        Instant::now(),
    );
    let (mut out, mut held, mut taken) = (Vec::new(), 0, 0);
    loop {
        let polled = poll(&mut inbound);
        held = held.max(inbound.holds());
        match polled {
            Poll::Ready(Some(piece)) => out.push(piece.unwrap()),
            Poll::Ready(None) => break,
            // It waits for a frame to be taken: these sources always have more.
            Poll::Pending => {
                link.taken();
                taken += 1;
            }
        }
    }
    // To wait for one that the codec does not have would be to wait for ever.
    assert!(
        taken <= whole_frames(&out.concat()),
        "it waited for {taken} frames"
    );
    let violation = match link.take_end().unwrap() {
        End::Eof => None,
        End::Violation(violation, _) => Some(violation),
        End::Drained(_) => unreachable!("nobody drains"),
    };
    Outcome {
        pieces: out,
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
                events.push((*opcode, payload.clone()));
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
            prop_assert!(outcome.held <= message_size + HELD, "held {}", outcome.held);
        }
        let (verdict, mut other) = (cut.verdict(), whole.verdict());
        // Of a compressed message that is bad in two ways, which comes first depends on how much is inflated at once.
        let of_inflated = |violation| {
            matches!(violation, Some(Violation::Utf8 | Violation::Deflate | Violation::TooBig { .. }))
        };
        if compressing && of_inflated(verdict.1) && of_inflated(other.1) {
            other.1 = verdict.1;
        }
        prop_assert_eq!(&verdict, &other);
        for (opcode, payload) in verdict.0 {
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
        prop_assert!(outcome.held <= 100 + HELD);
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
        prop_assert_eq!(outcome.verdict(), (expected, None));
    }

    #[test]
    fn plain_frames_that_fit_their_chunk_pass_without_a_copy(
        said in vec(said(), 1..6),
        masks in vec(any::<[u8; 4]>(), 1..4),
        ends in vec(any::<bool>(), 30),
        compressing: bool,
    ) {
        let mut chunks: Vec<Vec<u8>> = vec![Vec::new()];
        for (frame, end) in say(&said, &masks, false).0.into_iter().zip(ends.into_iter().cycle()) {
            chunks.last_mut().unwrap().extend(frame);
            if end {
                chunks.push(Vec::new());
            }
        }
        let chunks: Vec<Bytes> = chunks.into_iter().filter(|chunk| !chunk.is_empty()).map(Bytes::from).collect();
        let places = |pieces: &[Bytes]| -> Vec<_> {
            pieces.iter().map(|piece| (piece.as_ptr(), piece.len())).collect()
        };
        let expected = places(&chunks);
        // The outcome keeps the memory alive, so that no address is used twice.
        let outcome = through(chunks, NONE, compressing.then(any_inflater));
        prop_assert_eq!(places(&outcome.pieces), expected);
        prop_assert_eq!(outcome.held, 0);
    }

    #[test]
    fn what_outbound_compresses_inbound_inflates_whatever_was_agreed(
        messages in vec(message(), 1..6),
        takeover: bool,
        bits in 9..=15u8,
        cuts in vec(any::<Index>(), 0..10),
    ) {
        let no_takeover = |side: &str| if takeover { String::new() } else { format!("; {side}_no_context_takeover") };
        let agree = |side: &str| {
            let offer = format!("permessage-deflate; {side}_max_window_bits={bits}{}", no_takeover(side));
            Deflate::negotiate([offer.as_str()]).unwrap()
        };
        // A server's frames are not masked: one by one they come to the other side as a client would have sent them.
        let frames: Vec<_> = messages
            .iter()
            .map(|(opcode, payload)| {
                let mut masked = frame(FIN | opcode, payload, [0; 4]);
                let key = masked.len() - payload.len() - 4;
                masked.drain(key..key + 4);
                masked[1] &= 0x7F;
                Ok::<_, std::io::Error>(Bytes::from(masked))
            })
            .collect();
        let shape = Shape { deflater: Some(agree("server").deflater()), ..Shape::default() };
        let mut outbound = Outbound::new(stream::iter(frames), shape, Rc::new(Outlet::default()));
        let mut wire = Vec::new();
        let mut compressed = 0;
        while let Poll::Ready(Some(sent)) = poll(&mut outbound) {
            let sent = sent.unwrap();
            let header = match sent[1] { 126 => 4, 127 => 10, _ => 2 };
            compressed += usize::from(sent[0] & RSV1 != 0);
            wire.extend(frame(sent[0], &sent[header..], [1, 2, 3, 4]));
        }
        let long = |(_, payload): &&(u8, Vec<u8>)| payload.len() > 10_000;
        prop_assert!(compressed >= messages.iter().filter(long).count());
        let outcome = through(pieces(&wire, &cuts), NONE, Some(agree("client").inflater()));
        prop_assert_eq!(outcome.verdict(), (messages, None));
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
        let mut source = pieces(now, &cuts);
        let later = pieces(later, &cuts);
        // Text that is all there is left to the codec: cut it, so that it is judged here.
        if bad == 1 {
            source = source.iter().flat_map(|piece| piece.chunks(7)).map(Bytes::copy_from_slice).collect();
        }
        // It says Pending once, where the drain is to be seen, and for ever at the end: only the Close can end the tail.
        let mut queue = source.into_iter().map(Some).chain([None]).chain(later.into_iter().map(Some));
        let source = stream::poll_fn(move |_| match queue.next() {
            Some(Some(piece)) => Poll::Ready(Some(Ok::<_, ()>(piece))),
            Some(None) | None => Poll::Pending,
        });
        let inflater = compressing.then(any_inflater);
        let (mut inbound, link) = Inbound::new(source, NONE, inflater, Observer::default(), Instant::now());
        link.drain();
        loop {
            match poll(&mut inbound) {
                Poll::Ready(None) => break,
                Poll::Ready(Some(_)) => {}
                Poll::Pending => link.taken(),
            }
        }
        let tail = match link.take_end() {
            Some(End::Violation(_, tail)) if bad < 3 => tail,
            Some(End::Drained(tail)) if bad == 3 => tail,
            end => return Err(TestCaseError::fail(format!("{end:?}"))),
        };
        let mut tail = std::pin::pin!(tail);
        let context = &mut Context::from_waker(Waker::noop());
        // Pending is said once where the queue was drained by a violation.
        let ended = (0..2).any(|_| tail.as_mut().poll(context).is_ready());
        prop_assert!(ended);
    }
}
