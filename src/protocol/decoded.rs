//! The result of decoding, which borrows nothing: a caller can hold it beside the read buffer.

use std::{borrow::Cow, ops::Range};

use super::{
    message::{CloseFrame, DataKind, Incoming, Message, MessageMeta},
    read_buffer::ReadBuffer,
};

/// [`Incoming`], with the places of payloads in the read buffer instead of references.
#[derive(Debug)]
pub enum Decoded {
    /// A data message.
    Message(DataKind, Body, MessageMeta),
    /// A Ping.
    Ping(Range<usize>),
    /// A Pong.
    Pong,
    /// A Close frame, with its code and the place of its reason.
    Close(Option<(u16, Range<usize>)>),
}

/// The place of a payload.
#[derive(Debug)]
pub enum Body {
    /// In the read buffer.
    InBuffer(Range<usize>),
    /// In its own memory.
    Assembled(Vec<u8>),
}

impl Decoded {
    /// Adds the payload from `buffer`, from which this was decoded. Nothing may have been read to `buffer` since.
    pub fn within(self, buffer: &ReadBuffer) -> Incoming<'_> {
        match self {
            Self::Message(kind, body, meta) => {
                let payload = match body {
                    Body::InBuffer(place) => Cow::Borrowed(buffer.parsed(place)),
                    Body::Assembled(bytes) => Cow::Owned(bytes),
                };
                Incoming::Message(Message { kind, payload }, meta)
            }
            Self::Ping(place) => Incoming::Ping(buffer.parsed(place)),
            Self::Pong => Incoming::Pong,
            Self::Close(body) => Incoming::Close(body.map(|(code, place)| CloseFrame {
                code,
                // It is UTF-8: `validate_close_payload` has checked it.
                reason: String::from_utf8_lossy(buffer.parsed(place)),
            })),
        }
    }
}
