//! A message to its reply. The time is passed in: nothing here reads a clock.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{BufMut, BytesMut};
use bytestring::ByteString;
use serde::Serialize;
use serde_json::value::RawValue;

use super::assembler::Message;

/// How a message is answered: `?reply=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ReplyMode {
    /// The message with the prefix before it and the time after it.
    #[default]
    Stamped,
    /// The message, the same bytes in the same type.
    Verbatim,
    /// A text with everything that the server knows.
    Json,
    /// Nothing.
    None,
}

/// A message, and what is known of how it came.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) message: Message,
    /// Counts the connection's messages from 1 up.
    pub(super) seq: u64,
    /// Milliseconds since the Unix epoch when all of it was there.
    pub(super) received_at: u64,
    /// Frames that it had on the wire.
    pub(super) frames: usize,
    /// Whether it was compressed.
    pub(super) compressed: bool,
}

/// What replies are made of beside the message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ingredients<'i> {
    /// What a stamped text begins with.
    pub(super) prefix: &'i str,
    /// What `json` says of the connection.
    pub(super) connection: Option<&'i RawValue>,
}

impl ReplyMode {
    /// Whether the reply says when it was made: where it does not, no clock need be read.
    pub(super) fn tells_time(self) -> bool {
        matches!(self, Self::Stamped | Self::Json)
    }

    /// The reply to a message, made at `now_ms` milliseconds since the Unix epoch; none where none is wanted.
    pub(super) fn reply(self, received: Received, with: Ingredients<'_>, now_ms: u64) -> Option<Message> {
        Some(match (self, received.message) {
            (Self::None, _) => return None,
            (Self::Verbatim, message) => message,
            (Self::Stamped, Message::Text(text)) => Message::Text(stamped(with.prefix, &text, now_ms).into()),
            (Self::Stamped, Message::Binary(bytes)) => {
                let mut stamped = BytesMut::with_capacity(bytes.len() + 8);
                stamped.put_slice(&bytes);
                stamped.put_u64(now_ms);
                Message::Binary(stamped.freeze())
            }
            (Self::Json, message) => {
                let bytes = message.bytes().len();
                let (kind, data) = match message {
                    Message::Text(text) => ("text", text),
                    Message::Binary(bytes) => ("binary", STANDARD.encode(bytes).into()),
                };
                let told = Told {
                    data: &data,
                    kind,
                    bytes,
                    frames: received.frames,
                    compressed: received.compressed,
                    received_at: received.received_at,
                    replied_at: now_ms,
                    seq: received.seq,
                    connection: with.connection,
                };
                // Strings, numbers and what is JSON already: nothing in it can fail.
                Message::Text(serde_json::to_string(&told).unwrap_or_default().into())
            }
        })
    }
}

/// The reply of `?reply=json`; docs/reply.schema.json describes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'t> {
    data: &'t str,
    #[serde(rename = "type")]
    kind: &'static str,
    bytes: usize,
    frames: usize,
    compressed: bool,
    received_at: u64,
    replied_at: u64,
    seq: u64,
    connection: Option<&'t RawValue>,
}

/// Most digits that a 64-bit number has.
const MAX_DIGITS: usize = 20;

/// The stamped reply to a text: `{prefix}{message},{ms}`.
pub fn stamped(prefix: &str, message: &str, now_ms: u64) -> String {
    let mut stamped = String::with_capacity(prefix.len() + message.len() + 1 + MAX_DIGITS);
    stamped.push_str(prefix);
    stamped.push_str(message);
    // Writing to a string cannot fail.
    let _ = write!(stamped, ",{now_ms}");
    stamped
}

impl From<&'static str> for Message {
    fn from(text: &'static str) -> Self {
        Self::Text(ByteString::from_static(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(mode: ReplyMode, message: impl Into<Message>, now_ms: u64) -> Option<Message> {
        let received = Received {
            message: message.into(),
            seq: 3,
            received_at: 100,
            frames: 2,
            compressed: true,
        };
        mode.reply(
            received,
            Ingredients {
                prefix: "客户端发送的信息：",
                connection: None,
            },
            now_ms,
        )
    }

    #[test]
    fn a_stamped_text_is_prefix_message_comma_milliseconds() {
        assert_eq!(
            reply(ReplyMode::Stamped, "1530000000000", 1_530_000_000_123),
            Some("客户端发送的信息：1530000000000,1530000000123".into())
        );
    }

    #[test]
    fn a_stamped_binary_message_is_followed_by_eight_big_endian_bytes() {
        assert_eq!(
            reply(
                ReplyMode::Stamped,
                Message::Binary("ab".into()),
                0x0102_0304_0506_0708
            ),
            Some(Message::Binary(b"ab\x01\x02\x03\x04\x05\x06\x07\x08"[..].into()))
        );
    }

    #[test]
    fn a_verbatim_reply_is_the_message_and_none_is_none() {
        for message in ["".into(), Message::Binary(b"\0\xFF"[..].into())] {
            assert_eq!(
                reply(ReplyMode::Verbatim, message.clone(), 1),
                Some(message.clone())
            );
            assert_eq!(reply(ReplyMode::None, message, 1), None);
        }
    }

    #[test]
    fn a_json_reply_tells_what_is_known() {
        let told = r#""bytes":2,"frames":2,"compressed":true,"receivedAt":100,"repliedAt":200,"seq":3,"connection":null}"#;
        for (message, start) in [
            ("\"\n".into(), r#"{"data":"\"\n","type":"text","#),
            (
                Message::Binary(b"\0\xFF"[..].into()),
                r#"{"data":"AP8=","type":"binary","#,
            ),
        ] {
            let Some(Message::Text(json)) = reply(ReplyMode::Json, message, 200) else {
                panic!("no text");
            };
            assert_eq!(*json, *format!("{start}{told}"));
        }
    }
}
