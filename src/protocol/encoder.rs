//! The encoder of messages. It compresses them as negotiated, fragments them as requested, and appends frames to a buffer.

use std::{borrow::Cow, num::NonZeroUsize};

use super::{
    deflate::Deflater,
    fault::Fault,
    frame::{
        self, CLOSE, CONTINUATION, Header, MAX_CLOSE_REASON, MAX_CONTROL_PAYLOAD, MAX_HEADER, PING, PONG,
        RSV1,
    },
    message::DataKind,
    observer::{Direction, OBSERVED_PAYLOAD, ObservedFrame, Observer, TapEvent},
    role::Role,
};

/// Maximum number of frames of one message that an observer receives. A message may have millions of frames of one byte, and
/// observing a frame costs far more than encoding it.
const MAX_TAPPED_FRAMES: usize = 512;

/// The framing of data messages. By default each message is one uncompressed frame.
#[derive(Debug, Default)]
pub struct EncoderOptions {
    /// Compresses data messages. `None` without permessage-deflate.
    pub deflater: Option<Deflater>,
    /// Largest payload of a data frame in bytes. `None` is no limit.
    pub fragment: Option<NonZeroUsize>,
}

/// Appends the frames that the end `R` sends to a buffer.
#[derive(Debug)]
pub struct Encoder<R: Role, O> {
    /// `None` if every message is one uncompressed frame that is not observed.
    framing: Option<Box<Framing>>,
    keys: R::Keys,
    observer: O,
}

/// The framing of messages that are compressed, fragmented or observed.
#[derive(Debug)]
struct Framing {
    deflater: Option<Deflater>,
    fragment: Option<NonZeroUsize>,
    /// Whether a message was compressed since [`Encoder::release_idle_context`] was last called.
    compressed: bool,
}

impl<R: Role, O: Observer> Encoder<R, O> {
    /// Creates an encoder at the start of a connection.
    pub fn new(options: EncoderOptions, keys: R::Keys, observer: O) -> Self {
        let EncoderOptions { deflater, fragment } = options;
        let plain = deflater.is_none() && fragment.is_none() && !observer.taps();
        Self {
            framing: (!plain).then(|| {
                Box::new(Framing {
                    deflater,
                    fragment,
                    compressed: false,
                })
            }),
            keys,
            observer,
        }
    }

    /// Returns whether [`Self::message`] uses its scratch buffer.
    pub fn compresses(&self) -> bool {
        self.framing
            .as_ref()
            .is_some_and(|framing| framing.deflater.is_some())
    }

    /// Appends the frames of a data message to `out`. The payload is the concatenation of `parts`. Compressed bytes are first
    /// written to `scratch`, which must be empty, because the header before them contains their length.
    // Inlined into its one caller, which computes the sum of the lengths anyway. It runs for every message.
    #[inline(always)]
    pub fn message(&mut self, kind: DataKind, parts: &[&[u8]], scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
        let len = parts.iter().map(|part| part.len()).sum();
        self.observer.on_frames(Direction::Sent, kind.opcode(), 1);
        self.observer.on_message(Direction::Sent, kind, len);
        if self.framing.is_none() {
            self.append(Header::unfragmented(kind.opcode(), len), parts, out);
        } else {
            self.framed_message(kind, parts, scratch, out);
        }
    }

    /// Appends a message that is compressed, fragmented or observed.
    fn framed_message(&mut self, kind: DataKind, parts: &[&[u8]], scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
        let Some(framing) = self.framing.as_deref_mut() else {
            return;
        };
        let mut non_empty = parts.iter().filter(|part| !part.is_empty());
        let payload = match (non_empty.next(), non_empty.next()) {
            (payload, None) => Cow::Borrowed(payload.copied().unwrap_or_default()),
            _ => Cow::Owned(parts.concat()),
        };
        let max_payload = framing.fragment.map_or(usize::MAX, NonZeroUsize::get);
        let compressed = framing.deflater.as_mut().is_some_and(|deflater| {
            framing.compressed = true;
            deflater.compress(&payload, scratch)
        });
        self.fragments(
            kind,
            &payload,
            compressed.then_some(&scratch[..]),
            max_payload,
            out,
        );
    }

    /// Appends the frames of a message. Each has at most `max_payload` bytes of `compressed`, or of `payload` if that is `None`.
    fn fragments(
        &mut self,
        kind: DataKind,
        payload: &[u8],
        compressed: Option<&[u8]>,
        max_payload: usize,
        out: &mut Vec<u8>,
    ) {
        let wire = compressed.unwrap_or(payload);
        let compressed = compressed.is_some();
        let frames = wire.len().div_ceil(max_payload).max(1);
        if compressed {
            self.observer
                .on_compressed(Direction::Sent, payload.len(), wire.len());
        }
        if frames > 1 {
            self.observer
                .on_frames(Direction::Sent, CONTINUATION, frames as u64 - 1);
        }
        for index in 0..frames {
            let start = index * max_payload;
            let fragment = &wire[start..start.saturating_add(max_payload).min(wire.len())];
            let first = index == 0;
            let opcode = if first { kind.opcode() } else { CONTINUATION };
            let header = Header {
                fin: index + 1 == frames,
                // RFC 7692 section 6.1: on the first frame only.
                rsv: if compressed && first { RSV1 } else { 0 },
                ..Header::unfragmented(opcode, fragment.len())
            };
            // A fragment of compressed data is not a readable part of the payload. The observer receives the complete payload
            // with the first frame.
            let plain = match (compressed, first) {
                (false, _) => fragment,
                (true, true) => payload,
                (true, false) => &[],
            };
            let header = self.append(header, &[fragment], out);
            if index < MAX_TAPPED_FRAMES {
                self.tap(header, fragment, plain);
            }
        }
        if let (true, skipped @ 1..) = (self.observer.taps(), frames.saturating_sub(MAX_TAPPED_FRAMES)) {
            self.observer.on_tap(&TapEvent::Skipped(skipped as u64));
        }
    }

    /// Appends a Ping without a payload.
    pub fn ping(&mut self, out: &mut Vec<u8>) {
        self.control(PING, &[], out);
    }

    /// Appends a Pong with the payload of the Ping, at most 125 bytes.
    pub fn pong(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        self.control(PONG, payload, out);
    }

    /// Appends a Close frame with this code and reason, or without a body. A reason of more than 123 bytes is cut at the end of
    /// a character.
    pub fn close(&mut self, body: Option<(u16, &str)>, out: &mut Vec<u8>) {
        let mut payload = [0; MAX_CONTROL_PAYLOAD];
        let mut len = 0;
        if let Some((code, reason)) = body {
            let reason = &reason[..reason.floor_char_boundary(MAX_CLOSE_REASON)];
            len = 2 + reason.len();
            payload[..2].copy_from_slice(&code.to_be_bytes());
            payload[2..len].copy_from_slice(reason.as_bytes());
        }
        self.control(CLOSE, &payload[..len], out);
    }

    /// Appends an invalid frame.
    pub fn invalid(&mut self, fault: Fault, out: &mut Vec<u8>) {
        let frame = fault.frame();
        if let Some((header, len)) = Header::read(&frame) {
            self.observer.on_frames(Direction::Sent, header.opcode, 1);
            if self.observer.taps() {
                let mut payload = frame[len..].to_vec();
                if let Some(mask) = header.mask {
                    frame::mask(&mut payload, mask, 0);
                }
                self.emit(header, &frame[..len], &payload, &payload);
            }
        }
        out.extend_from_slice(&frame);
    }

    /// Releases the compression context if no message was compressed since the last call. The next compressed message starts
    /// with an empty window, which RFC 7692 allows for any message.
    pub fn release_idle_context(&mut self) {
        if let Some(framing) = self.framing.as_deref_mut()
            && !std::mem::take(&mut framing.compressed)
            && let Some(deflater) = &mut framing.deflater
        {
            deflater.release_context();
        }
    }

    fn control(&mut self, opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
        self.observer.on_frames(Direction::Sent, opcode, 1);
        let header = self.append(Header::unfragmented(opcode, payload.len()), &[payload], out);
        self.tap(header, payload, payload);
    }

    /// Appends one frame, masked if the role requires it, and returns its header.
    #[inline(always)]
    fn append(&mut self, header: Header, parts: &[&[u8]], out: &mut Vec<u8>) -> Header {
        let header = Header {
            mask: R::masking_key(&mut self.keys),
            ..header
        };
        out.extend_from_slice(header.write(&mut [0; MAX_HEADER]));
        let start = out.len();
        for part in parts {
            out.extend_from_slice(part);
        }
        if let Some(mask) = header.mask {
            frame::mask(&mut out[start..], mask, 0);
        }
        header
    }

    fn tap(&self, header: Header, wire: &[u8], plain: &[u8]) {
        if self.observer.taps() {
            self.emit(header, header.write(&mut [0; MAX_HEADER]), wire, plain);
        }
    }

    /// Passes a frame to the observer. `wire` is its payload before masking, `plain` the same before compression.
    fn emit(&self, header: Header, header_bytes: &[u8], wire: &[u8], plain: &[u8]) {
        self.observer.on_tap(&TapEvent::Frame(ObservedFrame {
            direction: Direction::Sent,
            header,
            plain_len: plain.len() as u64,
            start: &plain[..plain.len().min(OBSERVED_PAYLOAD)],
            header_bytes,
            wire_start: &wire[..wire.len().min(OBSERVED_PAYLOAD)],
        }));
    }
}
