//! The recorder of the current incoming frame, for the observer.

use super::{
    frame::{Header, MAX_HEADER},
    observer::{Direction, OBSERVED_PAYLOAD, ObservedFrame, Observer, TapEvent},
};

/// The header and the start of the payload of one frame.
#[derive(Debug)]
pub(super) struct FrameRecorder {
    header: Header,
    plain_len: u64,
    start: Vec<u8>,
    wire_start: Vec<u8>,
}

impl FrameRecorder {
    /// Creates a recorder without a frame.
    pub(super) fn new() -> Self {
        Self {
            header: Header::unfragmented(0, 0),
            plain_len: 0,
            start: Vec::new(),
            wire_start: Vec::new(),
        }
    }

    /// Starts a frame.
    pub(super) fn start(&mut self, header: &Header) {
        self.header = *header;
        self.plain_len = 0;
        self.start.clear();
        self.wire_start.clear();
    }

    /// Appends a part of an uncompressed payload, unmasked.
    pub(super) fn append_uncompressed(&mut self, part: &[u8]) {
        self.append(part);
        self.append_wire(part);
    }

    /// Appends a part of the payload, unmasked and decompressed.
    pub(super) fn append(&mut self, part: &[u8]) {
        self.plain_len += part.len() as u64;
        append_start(&mut self.start, part);
    }

    /// Appends a part of the payload on the wire, unmasked.
    pub(super) fn append_wire(&mut self, part: &[u8]) {
        append_start(&mut self.wire_start, part);
    }

    /// Passes the frame to `observer`.
    pub(super) fn emit(&self, observer: &impl Observer) {
        observer.on_tap(&TapEvent::Frame(ObservedFrame {
            direction: Direction::Received,
            header: self.header,
            plain_len: self.plain_len,
            start: &self.start,
            // A received header has the shortest form of its length: another form is a violation.
            header_bytes: self.header.write(&mut [0; MAX_HEADER]),
            wire_start: &self.wire_start,
        }));
    }
}

/// Appends the bytes of `part` up to a length of `start` of [`OBSERVED_PAYLOAD`].
fn append_start(start: &mut Vec<u8>, part: &[u8]) {
    let room = (OBSERVED_PAYLOAD - start.len()).min(part.len());
    start.extend_from_slice(&part[..room]);
}
