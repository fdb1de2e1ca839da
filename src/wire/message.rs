//! What is said, free of frames.

use std::borrow::Cow;

use crate::metrics::DataKind;

/// A whole data message. It may lie where it was read: who keeps it for later makes it its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'m> {
    /// What it holds. What comes as a text is UTF-8: nobody need look again.
    pub kind: DataKind,
    /// All fragments of it, inflated.
    pub payload: Cow<'m, [u8]>,
}

impl Message<'_> {
    /// The same, for longer.
    pub fn into_owned(self) -> Message<'static> {
        Message {
            kind: self.kind,
            payload: Cow::Owned(self.payload.into_owned()),
        }
    }
}

/// How a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Frames that it had on the wire.
    pub frames: usize,
    /// Whether it was compressed.
    pub compressed: bool,
}

/// What a peer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming<'m> {
    /// A message, and how it came.
    Message(Message<'m>, Facts),
    /// A Ping, which asks for its payload back.
    Ping(&'m [u8]),
    /// A Pong.
    Pong,
    /// A Close frame, with its code where it has one. What follows it does not count.
    Close(Option<u16>),
}
