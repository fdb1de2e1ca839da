//! The result of decoding. It borrows nothing, so the caller can use the read buffer before it adds the payload.

use std::{borrow::Cow, ops::Range};

use super::{
    message::{CloseFrame, DataKind, Incoming, Message, MessageMeta},
    read_buffer::ReadBuffer,
};

/// An [`Incoming`] that has ranges of the read buffer instead of references.
#[derive(Debug)]
pub enum Decoded {
    /// A data message.
    Message(DataKind, Payload, MessageMeta),
    /// A Ping, with its payload.
    Ping(Range<usize>),
    /// A Pong, with its payload.
    Pong(Range<usize>),
    /// A Close frame, with its code and its reason if it has a body.
    Close(Option<(u16, Range<usize>)>),
}

/// The payload of a data message.
#[derive(Debug)]
pub enum Payload {
    /// A range of the read buffer.
    InBuffer(Range<usize>),
    /// Bytes that were collected from several reads or frames, or decompressed.
    Assembled(Vec<u8>),
}

impl Decoded {
    /// Returns the message with its payload from `buffer`. `buffer` must be the one that was decoded, without a read since.
    pub fn within(self, buffer: &ReadBuffer) -> Incoming<'_> {
        match self {
            Self::Message(kind, payload, meta) => {
                let payload = match payload {
                    Payload::InBuffer(range) => Cow::Borrowed(buffer.parsed(range)),
                    Payload::Assembled(bytes) => Cow::Owned(bytes),
                };
                Incoming::Message(Message { kind, payload }, meta)
            }
            Self::Ping(range) => Incoming::Ping(buffer.parsed(range)),
            Self::Pong(range) => Incoming::Pong(buffer.parsed(range)),
            Self::Close(body) => Incoming::Close(body.map(|(code, range)| CloseFrame {
                code,
                // Borrows: `validate_close_payload` has checked that the reason is UTF-8.
                reason: String::from_utf8_lossy(buffer.parsed(range)),
            })),
        }
    }
}
