//! A look at the frames of one connection as they pass, for whoever was given leave to look.

use std::rc::Rc;

use super::frame::Header;
use crate::metrics::Worker;

/// Most payload bytes of a frame that a tap is shown.
pub const SHOWN: usize = 64;

/// Which way a frame goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the peer.
    Received,
    /// To the peer.
    Sent,
}

/// A frame that has passed.
#[derive(Debug)]
pub struct Seen<'f> {
    /// Which way it went.
    pub direction: Direction,
    /// Its header as it stood on the wire.
    pub header: Header,
    /// Payload bytes, inflated where they were compressed.
    pub plain_len: u64,
    /// The first [`SHOWN`] of them, unmasked.
    pub start: &'f [u8],
}

/// What a tap is told.
#[derive(Debug)]
pub enum Passing<'f> {
    /// A frame.
    Frame(Seen<'f>),
    /// So many frames that are not shown one by one.
    Unseen(u64),
}

/// Called for every frame. It must not wait: the connection does.
#[derive(Clone)]
pub struct Tap(Rc<dyn Fn(&Passing<'_>)>);

impl Tap {
    /// A tap that calls `look`.
    pub fn new(look: impl Fn(&Passing<'_>) + 'static) -> Self {
        Self(Rc::new(look))
    }

    pub(super) fn show(&self, seen: Seen<'_>) {
        (self.0)(&Passing::Frame(seen));
    }

    /// Says that so many frames passed that nobody is shown.
    pub(super) fn pass(&self, frames: u64) {
        (self.0)(&Passing::Unseen(frames));
    }
}

impl std::fmt::Debug for Tap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tap")
    }
}

/// Who looks on while frames come in; nobody, by default.
#[derive(Debug, Clone, Default)]
pub struct Observer {
    /// Sees every frame.
    pub tap: Option<Tap>,
    /// Counts.
    pub worker: Option<Worker>,
}
