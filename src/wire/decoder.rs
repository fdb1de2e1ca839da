//! Bytes to messages: frames judged and unmasked as they arrive, without a socket and without waiting.
//!
//! A frame is looked at when its header is there, so that what is illegal or too big is refused before it costs memory.
//! Three things wait until they are whole: a header, a control frame (125 bytes at most), and a message, which its limit
//! bounds.

use std::{borrow::Cow, ops::Range};

use super::{
    chunk::Chunk,
    deflate::{InflateError, Inflater},
    frame::{self, BINARY, CLOSE, CONTINUATION, Header, MAX_CONTROL_PAYLOAD, PING, PONG, RSV1, TEXT},
    message::{Facts, Incoming, Message},
    tap::{Direction, Observer, SHOWN, Seen, Tap},
    utf8::Utf8,
    violation::Violation,
};
use crate::metrics::{DataKind, FrameKind, Worker};

/// How large a message may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest message in bytes, over all its fragments and inflated.
    pub message_size: usize,
    /// Most frames of one message.
    pub fragments: usize,
}

/// How many times as much as has arrived a message is given room for: to move it is to copy it, and memory that is not
/// yet written costs nothing.
const GROWTH: usize = 32;

/// Compressed bytes that are inflated in one go: what is wrong is seen soon.
const BLOCK: usize = 4096;

/// The state between two chunks.
#[derive(Debug)]
pub(super) struct Decoder {
    limits: Limits,
    /// Where permessage-deflate was negotiated.
    inflater: Option<Box<Inflater>>,
    /// The data message that has begun and not ended.
    message: Option<Partial>,
    /// The frame of it that is coming.
    frame: Payload,
    viewer: Option<Box<Viewer>>,
    worker: Option<Worker>,
}

/// [`Incoming`], with what is in the chunk by its place there.
#[derive(Debug)]
pub(super) enum Decoded {
    Message(DataKind, Body, Facts),
    Ping(Range<usize>),
    Pong,
    Close(Option<u16>),
}

/// Where a payload is.
#[derive(Debug)]
pub(super) enum Body {
    InChunk(Range<usize>),
    Assembled(Vec<u8>),
}

impl Decoded {
    /// The same, with what is in the chunk.
    pub(super) fn within(self, chunk: &Chunk) -> Incoming<'_> {
        match self {
            Self::Message(kind, body, facts) => {
                let payload = match body {
                    Body::InChunk(place) => Cow::Borrowed(chunk.passed(place)),
                    Body::Assembled(bytes) => Cow::Owned(bytes),
                };
                Incoming::Message(Message { kind, payload }, facts)
            }
            Self::Ping(place) => Incoming::Ping(chunk.passed(place)),
            Self::Pong => Incoming::Pong,
            Self::Close(code) => Incoming::Close(code),
        }
    }
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
    fn begin(&mut self, header: &Header) {
        self.header = *header;
        self.plain_len = 0;
        self.start.clear();
    }

    /// Keeps a piece of the payload, unmasked, as far as it is shown.
    fn view(&mut self, piece: &[u8]) {
        self.plain_len += piece.len() as u64;
        let room = (SHOWN - self.start.len()).min(piece.len());
        self.start.extend_from_slice(&piece[..room]);
    }

    fn show(&self) {
        self.tap.show(Seen {
            direction: Direction::Received,
            header: self.header,
            plain_len: self.plain_len,
            start: &self.start,
        });
    }
}

/// A data message of which at least one header has come.
#[derive(Debug)]
struct Partial {
    kind: DataKind,
    /// The payload so far, inflated.
    bytes: Vec<u8>,
    /// Payload bytes on the wire, with those that the frame still owes.
    size: usize,
    frames: usize,
    /// Where it is a text.
    utf8: Option<Utf8>,
    compressed: bool,
}

/// The payload of the data frame that is being read.
#[derive(Debug, Clone, Copy, Default)]
struct Payload {
    left: u64,
    offset: u64,
    mask: [u8; 4],
    /// Whether it ends its message.
    fin: bool,
}

impl Decoder {
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
            limits,
            inflater: inflater.map(Box::new),
            message: None,
            frame: Payload::default(),
            viewer,
            worker: observer.worker,
        }
    }

    /// Takes from the start of `chunk` what the peer said next; `None` when more must come first, to the end of `chunk`.
    ///
    /// After a violation `chunk` is left at the offending frame, or within it with [`Self::left`] still to come.
    pub(super) fn next(&mut self, chunk: &mut Chunk) -> Result<Option<Decoded>, Violation> {
        loop {
            if chunk.fresh().is_empty() {
                return Ok(None);
            }
            if self.frame.left > 0 {
                self.take_payload(chunk)?;
                if self.frame.left > 0 {
                    return Ok(None);
                }
                if let Some(message) = self.end_of_frame()? {
                    return Ok(Some(message));
                }
            }
            if self.message.is_none()
                && let Some(whole) = WholeMessage::read(chunk.fresh(), self.limits.message_size)
            {
                return self.whole(&whole, chunk).map(Some);
            }
            let Some((header, len)) = judge_next(chunk.fresh())? else {
                return Ok(None);
            };
            if header.is_control() {
                return self.control(&header, len, chunk).map(Some);
            }
            self.begin(&header)?;
            chunk.advance(len);
            if header.len == 0
                && let Some(message) = self.end_of_frame()?
            {
                return Ok(Some(message));
            }
        }
    }

    /// Payload bytes of the current frame that have not come.
    pub(super) fn left(&self) -> u64 {
        self.frame.left
    }

    /// Bytes of a message that is not whole.
    #[cfg(test)]
    pub(super) fn holds(&self) -> usize {
        self.message.as_ref().map_or(0, |message| message.bytes.len())
    }

    /// A message in one frame, all of which is there: that is most of what ever comes, and leaves nothing to remember.
    fn whole(&mut self, whole: &WholeMessage, chunk: &mut Chunk) -> Result<Decoded, Violation> {
        let WholeMessage {
            kind,
            header,
            mask,
            len,
        } = *whole;
        let fresh = chunk.fresh_mut();
        let (head, payload) = fresh[..header + len].split_at_mut(header);
        frame::unmask(payload, mask, 0);
        if let Some(worker) = &self.worker {
            worker.count(|counters| &counters.received.frames[FrameKind::from(kind).index()]);
        }
        if kind == DataKind::Text && simdutf8::basic::from_utf8(payload).is_err() {
            return Err(Violation::Utf8);
        }
        if let Some(viewer) = &mut self.viewer
            && let Some((header, _)) = Header::read(head)
        {
            viewer.begin(&header);
            viewer.view(payload);
            viewer.show();
        }
        let facts = Facts {
            frames: 1,
            compressed: false,
        };
        self.count_message(kind, len);
        chunk.advance(header);
        Ok(Decoded::Message(kind, Body::InChunk(chunk.advance(len)), facts))
    }

    /// A control frame, all of which is there.
    fn control(&mut self, header: &Header, len: usize, chunk: &mut Chunk) -> Result<Decoded, Violation> {
        // At most 125, as was just seen.
        #[allow(clippy::cast_possible_truncation)]
        let end = len + header.len as usize;
        let payload = &mut chunk.fresh_mut()[len..end];
        frame::unmask(payload, header.mask.unwrap_or_default(), 0);
        let code = if header.opcode == CLOSE {
            judge_close(payload)?
        } else {
            None
        };
        self.count_frame(header.opcode);
        if let Some(viewer) = &mut self.viewer {
            viewer.begin(header);
            viewer.view(payload);
            viewer.show();
        }
        chunk.advance(len);
        let payload = chunk.advance(end - len);
        Ok(match header.opcode {
            CLOSE => Decoded::Close(code),
            PING => Decoded::Ping(payload),
            _ => Decoded::Pong,
        })
    }

    /// Judges a data frame's header against what came before it. Changes nothing when it refuses.
    fn begin(&mut self, header: &Header) -> Result<(), Violation> {
        let continues = header.opcode == CONTINUATION;
        let (size, frames, was_compressed) = match (&self.message, continues) {
            (None, true) => return Err(Violation::UnexpectedContinuation),
            (Some(_), false) => return Err(Violation::ExpectedContinuation),
            (Some(message), true) => (message.size, message.frames, message.compressed),
            (None, false) => (0, 0, false),
        };
        // RFC 7692 section 6.1: RSV1 is for the first frame of a data message.
        let allowed = if self.inflater.is_some() && !continues {
            RSV1
        } else {
            0
        };
        if header.rsv & !allowed != 0 {
            return Err(Violation::ReservedBits);
        }
        let compressed = header.rsv & RSV1 != 0 || was_compressed;
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
                self.message = Some(Partial {
                    kind,
                    bytes: Vec::new(),
                    size,
                    frames: 1,
                    utf8: (kind == DataKind::Text).then(Utf8::default),
                    compressed,
                });
            }
        }
        self.frame = Payload {
            left: header.len,
            offset: 0,
            mask: header.mask.unwrap_or_default(),
            fin: header.fin,
        };
        self.count_frame(header.opcode);
        if let Some(viewer) = &mut self.viewer {
            viewer.begin(header);
        }
        Ok(())
    }

    /// Takes what is there of the frame's payload.
    fn take_payload(&mut self, chunk: &mut Chunk) -> Result<(), Violation> {
        let Some(message) = &mut self.message else {
            return Ok(());
        };
        let left = usize::try_from(self.frame.left).unwrap_or(usize::MAX);
        if message.compressed {
            while self.frame.left > 0 && !chunk.fresh().is_empty() {
                let len = usize::try_from(self.frame.left).unwrap_or(BLOCK).min(BLOCK);
                let len = len.min(chunk.fresh().len());
                frame::unmask(&mut chunk.fresh_mut()[..len], self.frame.mask, self.frame.offset);
                self.frame.left -= len as u64;
                self.frame.offset += len as u64;
                let block = chunk.advance(len);
                self.inflate(Some(chunk.passed(block)))?;
            }
            return Ok(());
        }
        let len = chunk.fresh().len().min(left);
        let fresh = &mut chunk.fresh_mut()[..len];
        frame::unmask(fresh, self.frame.mask, self.frame.offset);
        message.make_room(len, left);
        message.bytes.extend_from_slice(fresh);
        self.frame.left -= len as u64;
        self.frame.offset += len as u64;
        if let Some(viewer) = &mut self.viewer {
            viewer.view(fresh);
        }
        chunk.advance(len);
        message.check_text()
    }

    /// Inflates a block, or ends the message where there is none.
    fn inflate(&mut self, block: Option<&[u8]>) -> Result<(), Violation> {
        let limit = self.limits.message_size;
        let (Some(inflater), Some(message)) = (&mut self.inflater, &mut self.message) else {
            return Ok(());
        };
        let before = message.bytes.len();
        match block {
            Some(block) => inflater.push(block, &mut message.bytes, limit),
            None => inflater.finish(&mut message.bytes, limit),
        }
        .map_err(|error| match error {
            InflateError::TooBig => Violation::TooBig { limit },
            InflateError::Corrupt => Violation::Deflate,
        })?;
        if let Some(viewer) = &mut self.viewer {
            viewer.view(&message.bytes[before..]);
        }
        message.check_text()
    }

    /// All of the frame's payload has come: with it the message may be whole.
    fn end_of_frame(&mut self) -> Result<Option<Decoded>, Violation> {
        let fin = self.frame.fin;
        if fin && self.message.as_ref().is_some_and(|message| message.compressed) {
            self.inflate(None)?;
        }
        if let Some(viewer) = &self.viewer {
            viewer.show();
        }
        if !fin {
            return Ok(None);
        }
        let Some(message) = self.message.take() else {
            return Ok(None);
        };
        if let Some(utf8) = message.utf8 {
            utf8.finish(&message.bytes).map_err(|_| Violation::Utf8)?;
        }
        if let (Some(worker), true) = (&self.worker, message.compressed) {
            worker.add(
                |counters| &counters.received.deflate_plain,
                message.bytes.len() as u64,
            );
            worker.add(
                |counters| &counters.received.deflate_compressed,
                message.size as u64,
            );
        }
        self.count_message(message.kind, message.bytes.len());
        let facts = Facts {
            frames: message.frames,
            compressed: message.compressed,
        };
        let body = Body::Assembled(message.bytes);
        Ok(Some(Decoded::Message(message.kind, body, facts)))
    }

    fn count_frame(&self, opcode: u8) {
        if let Some(worker) = &self.worker {
            worker.count(|counters| &counters.received.frames[FrameKind::of(opcode).index()]);
        }
    }

    fn count_message(&self, kind: DataKind, bytes: usize) {
        if let Some(worker) = &self.worker {
            worker.count(|counters| &counters.received.messages[kind.index()]);
            worker.add(|counters| &counters.received.bytes[kind.index()], bytes as u64);
        }
    }
}

impl Partial {
    /// Makes room for `len` bytes more, of `left` that are to come.
    fn make_room(&mut self, len: usize, left: usize) {
        if self.bytes.capacity() - self.bytes.len() < len {
            let arrived = self.bytes.len() + len;
            self.bytes
                .reserve(len.max(left.min(arrived.saturating_mul(GROWTH))));
        }
    }

    fn check_text(&mut self) -> Result<(), Violation> {
        match &mut self.utf8 {
            Some(utf8) => utf8.check(&self.bytes).map_err(|_| Violation::Utf8),
            None => Ok(()),
        }
    }
}

/// A legal plain message in one frame, all of it there.
struct WholeMessage {
    kind: DataKind,
    /// Bytes of its header.
    header: usize,
    mask: [u8; 4],
    /// Bytes of its payload.
    len: usize,
}

impl WholeMessage {
    /// What `fresh` begins with, where it plainly is one; everything else is left to a closer look.
    fn read(fresh: &[u8], limit: usize) -> Option<Self> {
        const FIN_TEXT: u8 = 0x80 | TEXT;
        const FIN_BINARY: u8 = 0x80 | BINARY;
        let (first, header, mask, len) = match *fresh {
            [first, short @ 0x80..=0xFD, a, b, c, d, ..] => {
                (first, 6, [a, b, c, d], usize::from(short & 0x7F))
            }
            [first, 0xFE, high, low, a, b, c, d, ..] => match u16::from_be_bytes([high, low]) {
                len @ 126.. => (first, 8, [a, b, c, d], usize::from(len)),
                _ => return None,
            },
            _ => return None,
        };
        let kind = match first {
            FIN_TEXT => DataKind::Text,
            FIN_BINARY => DataKind::Binary,
            _ => return None,
        };
        (len <= limit && header + len <= fresh.len()).then_some(Self {
            kind,
            header,
            mask,
            len,
        })
    }
}

/// Reads the header at the start of `bytes`, with the bytes that it takes, and judges what can be judged without knowing
/// what came before it. `None` when more must come first: a control frame is awaited whole.
fn judge_next(bytes: &[u8]) -> Result<Option<(Header, usize)>, Violation> {
    // The first two bytes tell most of it; a peer that talks something else is not waited for.
    let Some(&[first, second]) = bytes.first_chunk::<2>() else {
        return Ok(None);
    };
    let opcode = first & 0x0F;
    if !matches!(opcode, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG) {
        return Err(Violation::ReservedOpcode(opcode));
    }
    let (rsv, control) = (first >> 4 & 0b111, opcode & 0x8 != 0);
    // RFC 7692 section 6.1: RSV1 is for the first frame of a data message.
    if rsv & !RSV1 != 0 || control && rsv != 0 {
        return Err(Violation::ReservedBits);
    }
    if second & 0x80 == 0 {
        return Err(Violation::Unmasked);
    }
    if control {
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
    let whole = !control || header.len <= (bytes.len() - len) as u64;
    Ok(whole.then_some((header, len)))
}

/// Judges the body of a Close frame (RFC 6455 sections 5.5.1 and 7.4), and returns its code.
fn judge_close(body: &[u8]) -> Result<Option<u16>, Violation> {
    let (code, reason) = match body.split_first_chunk::<2>() {
        Some((code, reason)) => (u16::from_be_bytes(*code), reason),
        None if body.is_empty() => return Ok(None),
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
    Ok(Some(code))
}
