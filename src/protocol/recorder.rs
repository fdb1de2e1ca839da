//! The recorder of the current incoming frame, for the observer.

use super::{
    frame::Header,
    observer::{Direction, OBSERVED_PAYLOAD, ObservedFrame, Observer, TapEvent},
};

/// The header and the start of the payload of one frame.
#[derive(Debug)]
pub(super) struct FrameRecorder {
    header: Header,
    plain_len: u64,
    start: Vec<u8>,
}

impl FrameRecorder {
    /// Creates a recorder without a frame.
    pub(super) fn new() -> Self {
        Self {
            header: Header::unfragmented(0, 0),
            plain_len: 0,
            start: Vec::new(),
        }
    }

    /// Starts a frame.
    pub(super) fn start(&mut self, header: &Header) {
        self.header = *header;
        self.plain_len = 0;
        self.start.clear();
    }

    /// Appends a piece of the payload, unmasked and decompressed.
    pub(super) fn append(&mut self, piece: &[u8]) {
        self.plain_len += piece.len() as u64;
        let room = (OBSERVED_PAYLOAD - self.start.len()).min(piece.len());
        self.start.extend_from_slice(&piece[..room]);
    }

    /// Passes the frame to `observer`.
    pub(super) fn emit(&self, observer: &impl Observer) {
        observer.on_tap(&TapEvent::Frame(ObservedFrame {
            direction: Direction::Received,
            header: self.header,
            plain_len: self.plain_len,
            start: &self.start,
        }));
    }
}
