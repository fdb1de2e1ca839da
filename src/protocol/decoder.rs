//! The decoder of frames: it validates, unmasks and decompresses bytes as they arrive, and returns messages.
//!
//! A frame is validated when its header is complete, so that an invalid or too large one is rejected before it costs memory.
//! The decoder parses a header (at most 14 bytes) and a control frame (payload at most 125 bytes) once they are complete. It
//! collects a data message up to its limit.

use std::marker::PhantomData;

use super::{
    decoded::{Decoded, Payload},
    deflate::{InflateError, Inflater},
    fragmented_message::FragmentedMessage,
    frame::{self, CLOSE, CONTINUATION, Header, PING, RSV1, TEXT},
    message::{DataKind, MessageMeta},
    observer::{Direction, Observer},
    read_buffer::ReadBuffer,
    recorder::FrameRecorder,
    role::Role,
    single_frame_message::SingleFrameMessage,
    validate::{validate_close_payload, validate_header},
    violation::Violation,
};

/// The limits of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest message in bytes, over all its fragments and decompressed.
    pub message_size: usize,
    /// Largest number of frames of one message.
    pub fragments: usize,
}

/// Largest number of compressed bytes that are decompressed in one step, so that a violation is detected early.
const BLOCK: usize = 4096;

/// Decodes the frames that the end `R` receives.
#[derive(Debug)]
pub struct Decoder<R, O> {
    limits: Limits,
    /// `None` without permessage-deflate.
    inflater: Option<Box<Inflater>>,
    /// The incomplete data message.
    message: Option<FragmentedMessage>,
    /// The payload of the message's current frame.
    frame: FramePayload,
    /// `None` unless the observer taps.
    recorder: Option<Box<FrameRecorder>>,
    observer: O,
    role: PhantomData<R>,
}

/// The progress within the payload of the current data frame.
#[derive(Debug, Clone, Copy, Default)]
struct FramePayload {
    /// Number of bytes that were not parsed.
    left: u64,
    /// Number of bytes that were parsed.
    offset: u64,
    /// The masking key. Zeros, which change nothing, if the frame is not masked.
    mask: [u8; 4],
    /// Whether this is the message's last frame.
    fin: bool,
}

impl<R: Role, O: Observer> Decoder<R, O> {
    /// Creates a decoder at the start of a connection. `inflater` is `None` without permessage-deflate.
    pub fn new(limits: Limits, inflater: Option<Inflater>, observer: O) -> Self {
        Self {
            limits,
            inflater: inflater.map(Box::new),
            message: None,
            frame: FramePayload::default(),
            recorder: observer.taps().then(|| Box::new(FrameRecorder::new())),
            observer,
            role: PhantomData,
        }
    }

    /// Parses the next message or control frame from the start of `buffer`. Returns `None` once everything is parsed but an
    /// incomplete header or control frame: more bytes must arrive first.
    ///
    /// # Errors
    /// On the first violation. `buffer` then starts at the invalid frame, or within its payload, of which [`Self::left`] bytes
    /// follow. The decoder must not be used again.
    // Inlined into its one caller. It runs for every message.
    #[inline]
    pub fn decode(&mut self, buffer: &mut ReadBuffer) -> Result<Option<Decoded>, Violation> {
        loop {
            if buffer.unparsed().is_empty() {
                return Ok(None);
            }
            if self.frame.left > 0 {
                self.take_payload(buffer)?;
                if self.frame.left > 0 {
                    return Ok(None);
                }
                if let Some(message) = self.end_of_frame()? {
                    return Ok(Some(message));
                }
            }
            if self.message.is_none()
                && let Some(single) =
                    SingleFrameMessage::read::<R>(buffer.unparsed(), self.limits.message_size)
            {
                return self.decode_single_frame(&single, buffer).map(Some);
            }
            let Some((header, len)) = validate_header::<R>(buffer.unparsed())? else {
                return Ok(None);
            };
            if header.is_control() {
                return self.decode_control(&header, len, buffer).map(Some);
            }
            self.begin_frame(&header)?;
            buffer.advance(len);
            if header.len == 0
                && let Some(message) = self.end_of_frame()?
            {
                return Ok(Some(message));
            }
        }
    }

    /// Returns the number of payload bytes of the current frame that were not parsed.
    pub fn left(&self) -> u64 {
        self.frame.left
    }

    /// Returns the number of bytes of the incomplete message that are in memory.
    pub fn buffered(&self) -> usize {
        self.message.as_ref().map_or(0, |message| message.bytes.len())
    }

    /// Decodes a complete message in one frame. This is the most frequent case. It changes no state of the decoder.
    fn decode_single_frame(
        &mut self,
        single: &SingleFrameMessage,
        buffer: &mut ReadBuffer,
    ) -> Result<Decoded, Violation> {
        let SingleFrameMessage {
            kind,
            header,
            mask,
            len,
        } = *single;
        let (head, payload) = buffer.unparsed_mut()[..header + len].split_at_mut(header);
        if let Some(mask) = mask {
            frame::mask(payload, mask, 0);
        }
        self.observer.on_frames(Direction::Received, kind.opcode(), 1);
        if kind == DataKind::Text && simdutf8::basic::from_utf8(payload).is_err() {
            return Err(Violation::Utf8);
        }
        if let Some(recorder) = &mut self.recorder
            && let Some((header, _)) = Header::read(head)
        {
            recorder.start(&header);
            recorder.append_uncompressed(payload);
            recorder.emit(&self.observer);
        }
        self.observer.on_message(Direction::Received, kind, len);
        buffer.advance(header);
        let meta = MessageMeta {
            frames: 1,
            compressed: false,
        };
        Ok(Decoded::Message(
            kind,
            Payload::InBuffer(buffer.advance(len)),
            meta,
        ))
    }

    /// Decodes a complete control frame.
    fn decode_control(
        &mut self,
        header: &Header,
        len: usize,
        buffer: &mut ReadBuffer,
    ) -> Result<Decoded, Violation> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most 125: validate_header has checked it"
        )]
        let end = len + header.len as usize;
        let payload = &mut buffer.unparsed_mut()[len..end];
        if let Some(mask) = header.mask {
            frame::mask(payload, mask, 0);
        }
        let code = if header.opcode == CLOSE {
            validate_close_payload(payload)?
        } else {
            None
        };
        self.observer.on_frames(Direction::Received, header.opcode, 1);
        if let Some(recorder) = &mut self.recorder {
            recorder.start(header);
            recorder.append_uncompressed(payload);
            recorder.emit(&self.observer);
        }
        buffer.advance(len);
        let payload = buffer.advance(end - len);
        Ok(match header.opcode {
            CLOSE => Decoded::Close(code.map(|code| (code, payload.start + 2..payload.end))),
            PING => Decoded::Ping(payload),
            _ => Decoded::Pong(payload),
        })
    }

    /// Starts a data frame: applies the rules that depend on the frames before it. A violation changes no state.
    fn begin_frame(&mut self, header: &Header) -> Result<(), Violation> {
        let continues = header.opcode == CONTINUATION;
        let (size, frames, was_compressed) = match (&self.message, continues) {
            (None, true) => return Err(Violation::UnexpectedContinuation),
            (Some(_), false) => return Err(Violation::ExpectedContinuation),
            (Some(message), true) => (message.size, message.frames, message.compressed),
            (None, false) => (0, 0, false),
        };
        // RFC 7692 section 6.1: only the first frame of a data message may have RSV1.
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
        // The limit applies to decompressed bytes, which `Inflater` checks. Stored blocks can make compressed data longer than
        // the message, but no usual compressor makes it twice as long.
        let limit = self.limits.message_size;
        let wire_limit = if compressed {
            limit.saturating_mul(2).saturating_add(1024)
        } else {
            limit
        };
        if size > wire_limit {
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
                self.message = Some(FragmentedMessage::new(kind, size, compressed));
            }
        }
        self.frame = FramePayload {
            left: header.len,
            offset: 0,
            mask: header.mask.unwrap_or_default(),
            fin: header.fin,
        };
        self.observer.on_frames(Direction::Received, header.opcode, 1);
        if let Some(recorder) = &mut self.recorder {
            recorder.start(header);
        }
        Ok(())
    }

    /// Appends the payload bytes in `buffer` to the message.
    fn take_payload(&mut self, buffer: &mut ReadBuffer) -> Result<(), Violation> {
        let Some(message) = &mut self.message else {
            return Ok(());
        };
        let left = usize::try_from(self.frame.left).unwrap_or(usize::MAX);
        if message.compressed {
            while self.frame.left > 0 && !buffer.unparsed().is_empty() {
                let len = usize::try_from(self.frame.left).unwrap_or(BLOCK).min(BLOCK);
                let len = len.min(buffer.unparsed().len());
                frame::mask(
                    &mut buffer.unparsed_mut()[..len],
                    self.frame.mask,
                    self.frame.offset,
                );
                self.frame.left -= len as u64;
                self.frame.offset += len as u64;
                let block = buffer.advance(len);
                if let Some(recorder) = &mut self.recorder {
                    recorder.append_wire(buffer.parsed(block.clone()));
                }
                self.decompress(Some(buffer.parsed(block)))?;
            }
            return Ok(());
        }
        let len = buffer.unparsed().len().min(left);
        let part = &mut buffer.unparsed_mut()[..len];
        if !R::SENDS_MASKED {
            frame::mask(part, self.frame.mask, self.frame.offset);
        }
        message.reserve(len, left);
        message.bytes.extend_from_slice(part);
        self.frame.left -= len as u64;
        self.frame.offset += len as u64;
        if let Some(recorder) = &mut self.recorder {
            recorder.append_uncompressed(part);
        }
        buffer.advance(len);
        message.check_text()
    }

    /// Decompresses a block. Ends the message if `block` is `None`.
    fn decompress(&mut self, block: Option<&[u8]>) -> Result<(), Violation> {
        let limit = self.limits.message_size;
        let (Some(inflater), Some(message)) = (&mut self.inflater, &mut self.message) else {
            return Ok(());
        };
        let before = message.bytes.len();
        match block {
            Some(block) => inflater.decompress(block, &mut message.bytes, limit),
            None => inflater.finish(&mut message.bytes, limit),
        }
        .map_err(|error| match error {
            InflateError::TooBig => Violation::TooBig { limit },
            InflateError::Corrupt => Violation::Deflate,
        })?;
        if let Some(recorder) = &mut self.recorder {
            recorder.append(&message.bytes[before..]);
        }
        message.check_text()
    }

    /// Ends a frame whose payload is complete. Returns the message if this was its last frame.
    fn end_of_frame(&mut self) -> Result<Option<Decoded>, Violation> {
        let fin = self.frame.fin;
        if fin && self.message.as_ref().is_some_and(|message| message.compressed) {
            self.decompress(None)?;
        }
        if let Some(recorder) = &self.recorder {
            recorder.emit(&self.observer);
        }
        if !fin {
            return Ok(None);
        }
        let Some(message) = self.message.take() else {
            return Ok(None);
        };
        message.finish_text()?;
        if message.compressed {
            self.observer
                .on_compressed(Direction::Received, message.bytes.len(), message.size);
        }
        self.observer
            .on_message(Direction::Received, message.kind, message.bytes.len());
        let meta = MessageMeta {
            frames: message.frames,
            compressed: message.compressed,
        };
        let payload = Payload::Assembled(message.bytes);
        Ok(Some(Decoded::Message(message.kind, payload, meta)))
    }
}
