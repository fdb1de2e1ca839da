//! The observer of a connection's frames and messages, for counters and watchers.

use std::fmt;

use super::{frame::Header, message::DataKind};

/// Maximum number of bytes of a frame's payload that an observer receives.
pub const OBSERVED_PAYLOAD: usize = 64;

/// The direction of a frame or a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the peer.
    Received,
    /// To the peer.
    Sent,
}

/// A frame that was received or sent.
#[derive(Debug)]
pub struct ObservedFrame<'f> {
    /// Its direction.
    pub direction: Direction,
    /// Its header.
    pub header: Header,
    /// Length of its payload in bytes, after decompression.
    pub plain_len: u64,
    /// The first [`OBSERVED_PAYLOAD`] bytes of it, unmasked and decompressed.
    pub start: &'f [u8],
    /// The bytes of the header. A [`Header`] does not have them all: an invalid frame can have a length in a
    /// longer form.
    pub header_bytes: &'f [u8],
    /// The first [`OBSERVED_PAYLOAD`] bytes of the payload on the wire, unmasked and not decompressed.
    pub wire_start: &'f [u8],
}

/// The argument of [`Observer::on_tap`].
#[derive(Debug)]
pub enum TapEvent<'f> {
    /// A frame.
    Frame(ObservedFrame<'f>),
    /// The number of frames that are left out.
    Skipped(u64),
}

/// Observes a decoder or an encoder. It is a type parameter, so that an observer that does nothing costs
/// nothing. No method may block, because the connection waits for it.
pub trait Observer: fmt::Debug {
    /// Whether [`Self::on_tap`] is to be called. The answer must not change.
    fn taps(&self) -> bool {
        false
    }

    /// Receives frames with the start of their payload, if [`Self::taps`].
    fn on_tap(&self, _event: &TapEvent<'_>) {}

    /// Is called for a received frame once its header is valid, and for `count` frames that were encoded.
    fn on_frames(&self, _direction: Direction, _opcode: u8, _count: u64) {}

    /// Is called for each complete message, with the length of its payload in bytes after decompression.
    fn on_message(&self, _direction: Direction, _kind: DataKind, _bytes: usize) {}

    /// Is called for each compressed message, with the length of its payload in bytes after and before
    /// decompression.
    fn on_compressed(&self, _direction: Direction, _plain: usize, _wire: usize) {}
}

/// Observes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}
