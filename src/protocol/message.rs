//! The messages and control frames of a peer, without framing.

use std::borrow::Cow;

use super::frame::{BINARY, TEXT};

/// The type of a data message (RFC 6455 section 5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKind {
    /// UTF-8.
    Text,
    /// Any bytes.
    Binary,
}

impl DataKind {
    /// Returns `text` or `binary`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
        }
    }

    /// Returns the opcode of the message's first frame.
    pub fn opcode(self) -> u8 {
        match self {
            Self::Text => TEXT,
            Self::Binary => BINARY,
        }
    }
}

/// A complete data message. Its payload may borrow from the read buffer. Call [`Self::into_owned`] to store the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'m> {
    /// The type. The payload of a text is valid UTF-8, because the decoder has checked it.
    pub kind: DataKind,
    /// The payload of all its fragments, decompressed.
    pub payload: Cow<'m, [u8]>,
}

impl<'m> Message<'m> {
    /// Returns a text.
    pub fn text(text: &'m str) -> Self {
        Self {
            kind: DataKind::Text,
            payload: Cow::Borrowed(text.as_bytes()),
        }
    }

    /// Returns a binary message.
    pub fn binary(bytes: &'m [u8]) -> Self {
        Self {
            kind: DataKind::Binary,
            payload: Cow::Borrowed(bytes),
        }
    }

    /// Copies a borrowed payload.
    pub fn into_owned(self) -> Message<'static> {
        Message {
            kind: self.kind,
            payload: Cow::Owned(self.payload.into_owned()),
        }
    }
}

/// The framing of a received message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageMeta {
    /// Number of the message's frames.
    pub frames: usize,
    /// Whether the message was compressed (RFC 7692 section 6).
    pub compressed: bool,
}

/// The body of a Close frame that has one (RFC 6455 section 5.5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseFrame<'m> {
    /// The close code.
    pub code: u16,
    /// The close reason, at most 123 bytes. Empty if there is none.
    pub reason: Cow<'m, str>,
}

impl CloseFrame<'_> {
    /// Copies a borrowed reason.
    pub fn into_owned(self) -> CloseFrame<'static> {
        CloseFrame {
            code: self.code,
            reason: Cow::Owned(self.reason.into_owned()),
        }
    }
}

/// A message or a control frame of the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming<'m> {
    /// A data message.
    Message(Message<'m>, MessageMeta),
    /// A Ping with its payload. The Pong must have the same payload (RFC 6455 section 5.5.3).
    Ping(&'m [u8]),
    /// A Pong with its payload: that of a Ping, or any other if it was not requested (RFC 6455 section 5.5.3).
    Pong(&'m [u8]),
    /// A Close frame, with its body if it has one. The peer sends nothing after it.
    Close(Option<CloseFrame<'m>>),
}
