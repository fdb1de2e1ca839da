//! The judge of what comes in: frames looked at as their bytes arrive, without a socket and without waiting.
//!
//! A legal plain stream is passed on as the very chunks that came. Only three things are held back: the start of a
//! header whose rest has not come, a Close frame until it is whole (125 bytes at most), and a compressed message until
//! it is inflated, which the message limit bounds.

use bytes::{Buf, Bytes};

use super::{
    deflate::{InflateError, Inflater},
    frame::{
        self, BINARY, CLOSE, CONTINUATION, Header, MAX_CONTROL_PAYLOAD, MAX_HEADER, PING, PONG, RSV1, TEXT,
    },
    tap::{Direction, Facts, FactsQueue, Observer, SHOWN, Seen, Tap},
    utf8::Utf8,
    violation::Violation,
};
use crate::metrics::{DataKind, FrameKind, Label as _, Worker};

/// How large a message may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest message in bytes, over all its fragments and inflated.
    pub message_size: usize,
    /// Most frames of one message.
    pub fragments: usize,
}

/// Longest piece that is ever held back before it is judged: a Close frame.
const MAX_HELD: usize = MAX_HEADER + MAX_CONTROL_PAYLOAD;

/// The state between two chunks.
#[derive(Debug)]
pub(super) struct Inspector {
    limits: Limits,
    /// Where permessage-deflate was negotiated.
    inflater: Option<Inflater>,
    /// The start of a header or of a Close frame.
    held: Vec<u8>,
    /// The data message that has begun and not ended.
    message: Option<Message>,
    /// Of the frame whose payload is coming.
    frame: Payload,
    /// Frames that were passed on and that the codec will give, one by one.
    passed: usize,
    /// Found, and due once everything before it has been passed on.
    violation: Option<Violation>,
    facts: Option<FactsQueue>,
    viewer: Option<Box<Viewer>>,
    worker: Option<Worker>,
}

/// What a tap will be shown of the frame that is being read.
#[derive(Debug)]
struct Viewer {
    tap: Tap,
    header: Header,
    plain_len: u64,
    start: Vec<u8>,
}

impl Viewer {
    /// Keeps a piece of the payload, unmasked, as far as it is shown.
    fn view(&mut self, piece: &[u8]) {
        self.plain_len += piece.len() as u64;
        let room = (SHOWN - self.start.len()).min(piece.len());
        self.start.extend_from_slice(&piece[..room]);
    }

    fn view_masked(&mut self, piece: &[u8], mask: [u8; 4], offset: u64) {
        self.plain_len += piece.len() as u64;
        let (before, room) = (self.start.len(), (SHOWN - self.start.len()).min(piece.len()));
        self.start.resize(before + room, 0);
        frame::unmask_into(&mut self.start[before..], &piece[..room], mask, offset);
    }
}

/// A data message of which at least one header has come.
#[derive(Debug)]
struct Message {
    kind: DataKind,
    /// Payload bytes on the wire so far.
    size: usize,
    frames: usize,
    /// Set where the text must be checked here: a whole text in a single frame is left to the codec, which checks it
    /// anyway when it makes a string of it.
    utf8: Option<Utf8>,
    /// Set where the message is compressed.
    inflated: Option<Inflated>,
}

/// A compressed message so far: room for a header, then the payload.
#[derive(Debug)]
struct Inflated {
    opcode: u8,
    bytes: Vec<u8>,
}

/// The payload of the frame that is being read.
#[derive(Debug, Clone, Copy, Default)]
struct Payload {
    left: u64,
    offset: u64,
    mask: [u8; 4],
    /// Whether it belongs to a data message: control frames may come in the middle of one.
    data: bool,
    /// Whether it ends that message.
    fin: bool,
}

/// What is left to skip once a violation was found.
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) held: Vec<u8>,
    pub(super) left: u64,
}

impl Limits {
    /// No limits at all.
    pub(super) const NONE: Self = Self {
        message_size: usize::MAX,
        fragments: usize::MAX,
    };
}

impl Inspector {
    pub(super) fn new(limits: Limits, inflater: Option<Inflater>, observer: Observer) -> Self {
        let blank = Header {
            fin: true,
            rsv: 0,
            opcode: 0,
            mask: None,
            len: 0,
            minimal: true,
        };
        let viewer = observer.tap.map(|tap| {
            Box::new(Viewer {
                tap,
                header: blank,
                plain_len: 0,
                start: Vec::new(),
            })
        });
        Self {
            facts: observer.facts,
            worker: observer.worker,
            viewer,
            limits,
            inflater,
            held: Vec::new(),
            message: None,
            frame: Payload::default(),
            passed: 0,
            violation: None,
        }
    }

    /// Judges the bytes of `chunk` and takes from it the next piece for the codec; `None` when more must come first.
    ///
    /// After a violation `chunk` is left at the offending frame.
    pub(super) fn next(&mut self, chunk: &mut Bytes) -> Result<Option<Bytes>, Violation> {
        if let Some(violation) = self.violation.take() {
            return Err(violation);
        }
        let mut passed = 0;
        loop {
            passed += self.whole_messages(&chunk[passed..]);
            match self.step(chunk, &mut passed) {
                Ok(Step::On) => {}
                Ok(Step::Piece(piece)) => return Ok(Some(piece)),
                Ok(Step::Flush) => return Ok((passed > 0).then(|| chunk.split_to(passed))),
                Err(violation) if passed == 0 => return Err(violation),
                Err(violation) => {
                    self.violation = Some(violation);
                    return Ok(Some(chunk.split_to(passed)));
                }
            }
        }
    }

    /// The length of the legal plain messages of one frame each that `fresh` begins with, all of them there. They are
    /// most of what ever comes, and leave nothing to remember; whatever is not plainly one is left to [`Self::step`].
    fn whole_messages(&mut self, fresh: &[u8]) -> usize {
        let between_messages = self.frame.left == 0 && self.message.is_none() && self.held.is_empty();
        if !between_messages || self.viewer.is_some() || self.facts.is_some() {
            return 0;
        }
        let (mut passed, mut messages, mut bytes) = (0, [0; DataKind::COUNT], [0; DataKind::COUNT]);
        while let Some((kind, header, payload)) = whole_message(&fresh[passed..], self.limits.message_size) {
            passed += header + payload;
            messages[kind.index()] += 1;
            bytes[kind.index()] += payload;
        }
        self.passed += messages.iter().sum::<usize>();
        if let (Some(worker), 1..) = (&self.worker, passed) {
            for kind in DataKind::ALL {
                let (messages, bytes) = (messages[kind.index()] as u64, bytes[kind.index()] as u64);
                let frames = FrameKind::from(*kind).index();
                worker.add(|counters| &counters.received.messages[kind.index()], messages);
                worker.add(|counters| &counters.received.frames[frames], messages);
                worker.add(|counters| &counters.received.bytes[kind.index()], bytes);
            }
        }
        passed
    }

    /// One frame's header, or as much of a payload as is there. `passed` counts the bytes at the start of `chunk` that
    /// were judged and go on as they are.
    fn step(&mut self, chunk: &mut Bytes, passed: &mut usize) -> Result<Step, Violation> {
        let fresh = &chunk[*passed..];
        if self.frame.left > 0 {
            let len = usize::try_from(self.frame.left).map_or(fresh.len(), |left| left.min(fresh.len()));
            if len == 0 {
                return Ok(Step::Flush);
            }
            if self.frame.data && self.is_compressed() {
                // A compressed frame begins a piece of its own: `begin` has flushed what was before it.
                let piece = chunk.split_to(len);
                if let Err(violation) = self.inflate(&piece) {
                    self.frame.left -= len as u64;
                    return Err(violation);
                }
            } else {
                if let Some(viewer) = &mut self.viewer {
                    viewer.view_masked(&fresh[..len], self.frame.mask, self.frame.offset);
                }
                self.check_text(&fresh[..len])?;
                *passed += len;
            }
            self.frame.left -= len as u64;
            self.frame.offset += len as u64;
            return self.end_of_payload();
        }
        if fresh.is_empty() {
            return Ok(Step::Flush);
        }
        if !self.held.is_empty() {
            return self.complete_held(chunk);
        }
        match judge_next(fresh)? {
            None => {
                if *passed > 0 {
                    return Ok(Step::Flush);
                }
                self.held.extend_from_slice(fresh);
                chunk.clear();
                Ok(Step::Flush)
            }
            Some((header, taken)) => {
                let compressed =
                    header.rsv & RSV1 != 0 || (header.opcode == CONTINUATION && self.is_compressed());
                if compressed && *passed > 0 {
                    return Ok(Step::Flush);
                }
                self.begin(&header, &fresh[..taken], fresh.len() - taken)?;
                if compressed {
                    chunk.advance(taken);
                } else {
                    *passed += taken;
                }
                self.end_of_payload()
            }
        }
    }

    /// Completes a header, or a Close frame, that began in an earlier chunk.
    fn complete_held(&mut self, chunk: &mut Bytes) -> Result<Step, Violation> {
        let before = self.held.len();
        let more = chunk.len().min(MAX_HELD - before);
        self.held.extend_from_slice(&chunk[..more]);
        let judged = judge_next(&self.held);
        let Some((header, taken)) = judged.inspect_err(|_| self.held.truncate(before))? else {
            chunk.advance(more);
            return Ok(Step::On);
        };
        let rest = chunk.len() - (taken - before);
        let mut held = std::mem::take(&mut self.held);
        if let Err(violation) = self.begin(&header, &held[..taken], rest) {
            held.truncate(before);
            self.held = held;
            return Err(violation);
        }
        held.truncate(taken);
        chunk.advance(taken - before);
        if self.frame.data && self.is_compressed() {
            return self.end_of_payload();
        }
        // The payload, if there is any, is looked at next time; an empty one may end its message now.
        match self.end_of_payload()? {
            Step::On => Ok(Step::Piece(held.into())),
            other => Ok(other),
        }
    }

    /// Judges a header, which is the start of `bytes`, against what came before it; `available` bytes have come after
    /// them. Changes nothing when it refuses.
    fn begin(&mut self, header: &Header, bytes: &[u8], available: usize) -> Result<(), Violation> {
        let mut frame = Payload {
            left: header.len,
            offset: 0,
            mask: header.mask.unwrap_or_default(),
            data: !header.is_control(),
            fin: header.fin,
        };
        if header.opcode == CLOSE {
            // It was judged whole, and its payload was taken with the header.
            frame.left = 0;
        }
        if header.is_control() {
            // RFC 7692 section 6.1: RSV1 is for the first frame of a data message.
            if header.rsv != 0 {
                return Err(Violation::ReservedBits);
            }
            self.frame = frame;
            self.begun(header, bytes);
            return Ok(());
        }
        let continues = header.opcode == CONTINUATION;
        match (&self.message, continues) {
            (None, true) => return Err(Violation::UnexpectedContinuation),
            (Some(_), false) => return Err(Violation::ExpectedContinuation),
            _ => {}
        }
        let allowed = if self.inflater.is_some() && !continues {
            RSV1
        } else {
            0
        };
        if header.rsv & !allowed != 0 {
            return Err(Violation::ReservedBits);
        }
        let (size, frames) = self
            .message
            .as_ref()
            .map_or((0, 0), |message| (message.size, message.frames));
        let compressed = header.rsv & RSV1 != 0 || self.is_compressed();
        let size = usize::try_from(header.len)
            .ok()
            .and_then(|len| size.checked_add(len))
            .unwrap_or(usize::MAX);
        // What is inflated is counted as it comes. Stored blocks make compressed data longer than the message, but
        // never twice as long where the sender means well.
        let limit = self.limits.message_size;
        let most = if compressed {
            limit.saturating_mul(2).saturating_add(1024)
        } else {
            limit
        };
        if size > most {
            return Err(Violation::TooBig { limit });
        }
        if frames >= self.limits.fragments {
            return Err(Violation::TooManyFragments {
                limit: self.limits.fragments,
            });
        }
        let whole = header.fin && header.len <= available as u64;
        match &mut self.message {
            Some(message) => {
                message.size = size;
                message.frames += 1;
            }
            None => {
                let kind = if header.opcode == TEXT {
                    DataKind::Text
                } else {
                    DataKind::Binary
                };
                self.message = Some(Message {
                    kind,
                    size,
                    frames: 1,
                    utf8: (header.opcode == TEXT && !whole).then(Utf8::default),
                    inflated: compressed.then(|| Inflated {
                        opcode: header.opcode,
                        bytes: vec![0; MAX_HEADER],
                    }),
                });
            }
        }
        self.frame = frame;
        self.begun(header, bytes);
        Ok(())
    }

    /// Counts a frame that was let in, and begins to show it.
    fn begun(&mut self, header: &Header, bytes: &[u8]) {
        if let Some(worker) = &self.worker {
            worker.count(|counters| &counters.received.frames[FrameKind::of(header.opcode).index()]);
        }
        let Some(viewer) = &mut self.viewer else { return };
        viewer.header = *header;
        viewer.plain_len = 0;
        viewer.start.clear();
        if header.opcode == CLOSE {
            // Its body came with it.
            let body = usize::try_from(header.len).map_or(bytes.len(), |len| bytes.len().saturating_sub(len));
            viewer.view_masked(&bytes[body..], header.mask.unwrap_or_default(), 0);
        }
    }

    fn is_compressed(&self) -> bool {
        self.message
            .as_ref()
            .is_some_and(|message| message.inflated.is_some())
    }

    /// Checks a piece of payload where it is text that must be checked here.
    fn check_text(&mut self, piece: &[u8]) -> Result<(), Violation> {
        let Payload {
            data, mask, offset, ..
        } = self.frame;
        match &mut self.message {
            Some(Message { utf8: Some(utf8), .. }) if data => {
                utf8.push_masked(piece, mask, offset).map_err(|_| Violation::Utf8)
            }
            _ => Ok(()),
        }
    }

    /// Inflates a piece of a compressed message's payload.
    fn inflate(&mut self, piece: &[u8]) -> Result<(), Violation> {
        let Payload { mask, offset, .. } = self.frame;
        let mut offset = offset;
        let mut block = [0; 4096];
        for part in piece.chunks(block.len()) {
            let block = &mut block[..part.len()];
            frame::unmask_into(block, part, mask, offset);
            offset += part.len() as u64;
            self.inflate_block(Some(block))?;
        }
        Ok(())
    }

    /// Inflates a block, or ends the message where there is none.
    fn inflate_block(&mut self, block: Option<&[u8]>) -> Result<(), Violation> {
        let limit = self.limits.message_size;
        let (
            Some(inflater),
            Some(Message {
                inflated: Some(inflated),
                utf8,
                ..
            }),
        ) = (&mut self.inflater, &mut self.message)
        else {
            return Ok(());
        };
        let before = inflated.bytes.len();
        let most = limit.saturating_add(MAX_HEADER);
        match block {
            Some(block) => inflater.push(block, &mut inflated.bytes, most),
            None => inflater.finish(&mut inflated.bytes, most),
        }
        .map_err(|error| match error {
            InflateError::TooBig => Violation::TooBig { limit },
            InflateError::Corrupt => Violation::Deflate,
        })?;
        if let Some(viewer) = &mut self.viewer {
            viewer.view(&inflated.bytes[before..]);
        }
        if let Some(utf8) = utf8 {
            utf8.push(&inflated.bytes[before..])
                .map_err(|_| Violation::Utf8)?;
        }
        Ok(())
    }

    /// Ends the frame, and with it perhaps the message, where all of the payload has come.
    fn end_of_payload(&mut self) -> Result<Step, Violation> {
        let Payload { left, data, fin, .. } = self.frame;
        if left > 0 {
            return Ok(Step::On);
        }
        if data && fin {
            self.inflate_block(None)?;
        }
        if let Some(Viewer {
            tap,
            header,
            plain_len,
            start,
        }) = self.viewer.as_deref()
        {
            tap.show(&Seen {
                direction: Direction::Received,
                header: *header,
                plain_len: *plain_len,
                start,
            });
        }
        if !data || !fin {
            // What is compressed is passed on in one piece, with its last frame.
            if !data || !self.is_compressed() {
                self.passed += 1;
            }
            return Ok(Step::On);
        }
        self.frame.data = false;
        let Some(message) = self.message.take() else {
            return Ok(Step::On);
        };
        if let Some(facts) = &self.facts {
            let compressed = message.inflated.is_some();
            facts.borrow_mut().push_back(Facts {
                frames: message.frames,
                compressed,
            });
        }
        if message.utf8.is_some_and(|utf8| utf8.finish().is_err()) {
            return Err(Violation::Utf8);
        }
        if let Some(worker) = &self.worker {
            let (kind, mut bytes) = (message.kind.index(), message.size);
            if let Some(inflated) = &message.inflated {
                let compressed = bytes as u64;
                bytes = inflated.len();
                worker.add(|counters| &counters.received.deflate_plain, bytes as u64);
                worker.add(|counters| &counters.received.deflate_compressed, compressed);
            }
            worker.count(|counters| &counters.received.messages[kind]);
            worker.add(|counters| &counters.received.bytes[kind], bytes as u64);
        }
        self.passed += 1;
        Ok(message
            .inflated
            .map_or(Step::On, |inflated| Step::Piece(inflated.into_frame())))
    }

    /// How many frames were passed on since this was last asked.
    pub(super) fn take_passed(&mut self) -> usize {
        std::mem::take(&mut self.passed)
    }

    /// Bytes that are held back.
    #[cfg(test)]
    pub(super) fn holds(&self) -> usize {
        let inflated = self
            .message
            .as_ref()
            .and_then(|message| message.inflated.as_ref());
        self.held.len() + inflated.map_or(0, |inflated| inflated.bytes.len())
    }

    /// What must be skipped to find the next frame after a violation.
    pub(super) fn into_rest(self) -> Rest {
        Rest {
            held: self.held,
            left: self.frame.left,
        }
    }
}

impl Inflated {
    /// Bytes of the message so far.
    fn len(&self) -> usize {
        self.bytes.len() - MAX_HEADER
    }

    /// The message as the one plain frame that it could have been. Its masking key is 0: the codec wants it masked.
    fn into_frame(mut self) -> Bytes {
        let len = self.len();
        let header = Header {
            fin: true,
            rsv: 0,
            opcode: self.opcode,
            mask: Some([0; 4]),
            len: len as u64,
            minimal: true,
        };
        let mut buffer = [0; MAX_HEADER];
        let header = header.write(&mut buffer);
        let start = MAX_HEADER - header.len();
        self.bytes[start..MAX_HEADER].copy_from_slice(header);
        Bytes::from(self.bytes).slice(start..)
    }
}

/// The legal plain message in one frame that `fresh` begins with: what it holds, and the lengths of its header and of its
/// payload.
fn whole_message(fresh: &[u8], limit: usize) -> Option<(DataKind, usize, usize)> {
    const FIN_TEXT: u8 = 0x80 | TEXT;
    const FIN_BINARY: u8 = 0x80 | BINARY;
    let (first, header, payload) = match *fresh {
        [first, short @ 0x80..=0xFD, ..] => (first, 6, usize::from(short & 0x7F)),
        [first, 0xFE, high, low, ..] => match u16::from_be_bytes([high, low]) {
            len @ 126.. => (first, 8, usize::from(len)),
            _ => return None,
        },
        _ => return None,
    };
    let kind = match first {
        FIN_TEXT => DataKind::Text,
        FIN_BINARY => DataKind::Binary,
        _ => return None,
    };
    (payload <= limit && header + payload <= fresh.len()).then_some((kind, header, payload))
}

enum Step {
    /// Go on.
    On,
    /// Pass on what was judged so far.
    Flush,
    /// Pass on this piece.
    Piece(Bytes),
}

/// Reads the frame at the start of `bytes` and judges what can be judged without knowing what came before it: its
/// header and, of a Close frame, its body. `None` when more must come first.
///
/// Returns the header with the bytes that it takes; a Close frame is taken whole.
fn judge_next(bytes: &[u8]) -> Result<Option<(Header, usize)>, Violation> {
    // The first two bytes tell most of it; a peer that talks something else is not waited for.
    let Some(&[first, second]) = bytes.first_chunk::<2>() else {
        return Ok(None);
    };
    let opcode = first & 0x0F;
    if !matches!(opcode, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG) {
        return Err(Violation::ReservedOpcode(opcode));
    }
    if first >> 4 & 0b111 & !RSV1 != 0 {
        return Err(Violation::ReservedBits);
    }
    if second & 0x80 == 0 {
        return Err(Violation::Unmasked);
    }
    if opcode & 0x8 != 0 {
        if first & 0x80 == 0 {
            return Err(Violation::FragmentedControl);
        }
        if usize::from(second & 0x7F) > MAX_CONTROL_PAYLOAD {
            return Err(Violation::LongControl);
        }
    }
    let Some((header, len)) = Header::read(bytes) else {
        return Ok(None);
    };
    if !header.minimal {
        return Err(Violation::LengthEncoding);
    }
    if opcode != CLOSE {
        return Ok(Some((header, len)));
    }
    // At most 125, as was just seen.
    #[allow(clippy::cast_possible_truncation)]
    let payload = header.len as usize;
    let Some(masked) = bytes.get(len..len + payload) else {
        return Ok(None);
    };
    let mut body = [0; MAX_CONTROL_PAYLOAD];
    let body = &mut body[..payload];
    frame::unmask_into(body, masked, header.mask.unwrap_or_default(), 0);
    judge_close(body)?;
    Ok(Some((header, len + payload)))
}

/// Judges the body of a Close frame (RFC 6455 sections 5.5.1 and 7.4).
fn judge_close(body: &[u8]) -> Result<(), Violation> {
    let (code, reason) = match body.split_first_chunk::<2>() {
        Some((code, reason)) => (u16::from_be_bytes(*code), reason),
        None if body.is_empty() => return Ok(()),
        None => return Err(Violation::ShortClose),
    };
    // 1004 is reserved, 1005, 1006 and 1015 "MUST NOT be set", 1012 to 1014 are registered since, 3000 to 4999 are
    // for libraries, frameworks and applications.
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::CloseCode(code));
    }
    if simdutf8::basic::from_utf8(reason).is_err() {
        return Err(Violation::Utf8);
    }
    Ok(())
}
