//! What an observer of a connection learns of its frames: for counters, and for the server's own view.

use std::fmt;

use super::{frame::Header, message::DataKind};

/// Largest part of a frame's payload that an observer is shown, in bytes.
pub const OBSERVED_PAYLOAD: usize = 64;

/// The direction of a frame or a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the peer.
    Received,
    /// To the peer.
    Sent,
}

/// A frame that has passed.
#[derive(Debug)]
pub struct ObservedFrame<'f> {
    /// Its direction.
    pub direction: Direction,
    /// Its header as it stood on the wire.
    pub header: Header,
    /// Length of its payload in bytes, after decompression.
    pub plain_len: u64,
    /// The first [`OBSERVED_PAYLOAD`] bytes of it, unmasked and decompressed.
    pub start: &'f [u8],
}

/// What [`Observer::on_tap`] receives.
#[derive(Debug)]
pub enum TapEvent<'f> {
    /// A frame.
    Frame(ObservedFrame<'f>),
    /// The number of frames that were not shown one by one.
    Skipped(u64),
}

/// Sees what a decoder or an encoder does. A type parameter: an observer that does nothing costs nothing. No method may
/// block, because the connection waits for it.
pub trait Observer: fmt::Debug {
    /// Whether [`Self::on_tap`] is to be called. The answer must not change.
    fn taps(&self) -> bool {
        false
    }

    /// Receives frames with the start of their payload, if [`Self::taps`].
    fn on_tap(&self, _event: &TapEvent<'_>) {}

    /// Is called when a valid frame's header has come, and for `count` frames that were written.
    fn on_frames(&self, _direction: Direction, _opcode: u8, _count: u64) {}

    /// Is called for each whole message, with its payload's length in bytes after decompression.
    fn on_message(&self, _direction: Direction, _kind: DataKind, _bytes: usize) {}

    /// Is called for each compressed message, with its payload's length in bytes after and before decompression.
    fn on_compressed(&self, _direction: Direction, _plain: usize, _wire: usize) {}
}

/// Observes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}
