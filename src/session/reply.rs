//! The reply to a message. Pure: the caller passes the time.

use std::{borrow::Cow, io::Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::protocol::{DataKind, Message, MessageMeta};

/// The form of a reply: `?reply=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReplyMode {
    /// The message with the prefix before it and the time after it.
    #[default]
    Stamped,
    /// The message, the same bytes in the same type.
    Verbatim,
    /// A JSON object that describes the message and the connection.
    Json,
    /// Nothing.
    None,
}

/// A message that was received, with its metadata.
#[derive(Debug, Clone)]
pub struct Received<'m> {
    /// The message.
    pub message: Message<'m>,
    /// Number of the message on its connection, from 1.
    pub seq: u64,
    /// Time at which the message was complete, in milliseconds since the Unix epoch.
    pub received_at: u64,
    /// Its frames and its compression.
    pub meta: MessageMeta,
}

/// The values of a reply that do not come from its message.
#[derive(Debug, Clone, Copy)]
pub struct ReplyContext<'i> {
    /// Prefix of a stamped text.
    pub prefix: &'i str,
    /// The `connection` of a JSON reply.
    pub connection: Option<&'i RawValue>,
}

impl ReplyMode {
    /// Returns whether the reply has a timestamp. If not, the caller need not read a clock.
    pub fn has_timestamp(self) -> bool {
        matches!(self, Self::Stamped | Self::Json)
    }

    /// Returns the reply to a message, with the timestamp `now_ms` in milliseconds since the Unix epoch. None
    /// for [`Self::None`].
    pub fn reply<'r>(
        self,
        received: Received<'r>,
        context: ReplyContext<'r>,
        now_ms: u64,
    ) -> Option<Reply<'r>> {
        let Message { kind, payload } = received.message;
        Some(match (self, kind) {
            (Self::None, _) => return None,
            (Self::Verbatim, _) => Reply::of(kind, payload),
            (Self::Stamped, DataKind::Text) => Reply {
                prefix: context.prefix,
                stamp: Stamp::text(now_ms),
                ..Reply::of(kind, payload)
            },
            (Self::Stamped, DataKind::Binary) => Reply {
                stamp: Stamp::binary(now_ms),
                ..Reply::of(kind, payload)
            },
            (Self::Json, _) => {
                let data = match kind {
                    DataKind::Text => String::from_utf8_lossy(&payload),
                    DataKind::Binary => STANDARD.encode(&payload).into(),
                };
                let json_reply = JsonReply {
                    data: &data,
                    kind: kind.name(),
                    bytes: payload.len(),
                    frames: received.meta.frames,
                    compressed: received.meta.compressed,
                    received_at: received.received_at,
                    replied_at: now_ms,
                    seq: received.seq,
                    connection: context.connection,
                };
                // Strings, numbers and raw JSON: serialisation cannot fail.
                let json = serde_json::to_vec(&json_reply).unwrap_or_default();
                Reply::of(DataKind::Text, json.into())
            }
        })
    }
}

/// A reply in parts. A stamped reply therefore needs no copy of its message.
#[derive(Debug)]
pub struct Reply<'r> {
    /// The type of the message.
    pub kind: DataKind,
    prefix: &'r str,
    payload: Cow<'r, [u8]>,
    stamp: Stamp,
}

impl<'r> Reply<'r> {
    fn of(kind: DataKind, payload: Cow<'r, [u8]>) -> Self {
        Self {
            kind,
            prefix: "",
            payload,
            stamp: Stamp::default(),
        }
    }

    /// Returns the parts of the payload, in order.
    pub fn parts(&self) -> [&[u8]; 3] {
        [self.prefix.as_bytes(), &self.payload, self.stamp.bytes()]
    }
}

/// The reply of `?reply=json`; docs/reply.schema.json describes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonReply<'t> {
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

/// Returns the message of `?hello=json`: the `connection` of a JSON reply, without a message.
pub fn describing(connection: Option<&RawValue>) -> Vec<u8> {
    #[derive(Serialize)]
    struct JsonHello<'t> {
        connection: Option<&'t RawValue>,
    }
    // Raw JSON: serialisation cannot fail.
    serde_json::to_vec(&JsonHello { connection }).unwrap_or_default()
}

/// The timestamp at the end of a stamped reply.
#[derive(Debug, Default)]
struct Stamp {
    /// A comma, and at most 20 digits of a 64-bit number.
    bytes: [u8; 21],
    len: usize,
}

impl Stamp {
    /// Returns a comma and the time in decimal digits.
    fn text(now_ms: u64) -> Self {
        let mut stamp = Self::default();
        let mut room = &mut stamp.bytes[..];
        // `bytes` has room for any number.
        let _ = write!(room, ",{now_ms}");
        let left = room.len();
        stamp.len = stamp.bytes.len() - left;
        stamp
    }

    /// Returns the time as a 64-bit integer in network byte order.
    fn binary(now_ms: u64) -> Self {
        let mut stamp = Self::default();
        stamp.bytes[..8].copy_from_slice(&now_ms.to_be_bytes());
        stamp.len = 8;
        stamp
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Length of [`stamp`] in bytes: a comma and 13 digits until the year 2286.
pub const STAMP_BYTES: u64 = 14;

/// Returns the end of a stamped text reply: a comma and the milliseconds since the Unix epoch.
pub fn stamp(now_ms: u64) -> Vec<u8> {
    Stamp::text(now_ms).bytes().to_vec()
}

/// Returns the stamped reply to a text: `{prefix}{message},{ms}`.
pub fn stamped(prefix: &str, message: &str, now_ms: u64) -> Vec<u8> {
    [prefix.as_bytes(), message.as_bytes(), Stamp::text(now_ms).bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(mode: ReplyMode, kind: DataKind, payload: &[u8], now_ms: u64) -> Option<(DataKind, Vec<u8>)> {
        let received = Received {
            message: Message {
                kind,
                payload: payload.into(),
            },
            seq: 3,
            received_at: 100,
            meta: MessageMeta {
                frames: 2,
                compressed: true,
            },
        };
        let context = ReplyContext {
            prefix: "客户端发送的信息：",
            connection: None,
        };
        let reply = mode.reply(received, context, now_ms)?;
        Some((reply.kind, reply.parts().concat()))
    }

    #[test]
    fn a_stamped_text_is_prefix_message_comma_milliseconds() {
        for (now, expected) in [
            (1_530_000_000_123, "客户端发送的信息：1530000000000,1530000000123"),
            (u64::MAX, "客户端发送的信息：1530000000000,18446744073709551615"),
        ] {
            assert_eq!(
                reply(ReplyMode::Stamped, DataKind::Text, b"1530000000000", now),
                Some((DataKind::Text, expected.into()))
            );
        }
    }

    #[test]
    fn a_stamped_binary_message_is_followed_by_eight_big_endian_bytes() {
        assert_eq!(
            reply(ReplyMode::Stamped, DataKind::Binary, b"ab", 0x0102_0304_0506_0708),
            Some((DataKind::Binary, b"ab\x01\x02\x03\x04\x05\x06\x07\x08".into()))
        );
    }

    #[test]
    fn a_verbatim_reply_is_the_message_and_none_is_none() {
        for (kind, payload) in [(DataKind::Text, &b""[..]), (DataKind::Binary, b"\0\xFF")] {
            assert_eq!(
                reply(ReplyMode::Verbatim, kind, payload, 1),
                Some((kind, payload.into()))
            );
            assert_eq!(reply(ReplyMode::None, kind, payload, 1), None);
        }
    }

    #[test]
    fn a_json_reply_describes_the_message_and_the_connection() {
        let json_reply = r#""bytes":2,"frames":2,"compressed":true,"receivedAt":100,"repliedAt":200,"seq":3,"connection":null}"#;
        for (kind, payload, start) in [
            (DataKind::Text, &b"\"\n"[..], r#"{"data":"\"\n","type":"text","#),
            (DataKind::Binary, b"\0\xFF", r#"{"data":"AP8=","type":"binary","#),
        ] {
            assert_eq!(
                reply(ReplyMode::Json, kind, payload, 200),
                Some((DataKind::Text, format!("{start}{json_reply}").into()))
            );
        }
    }
}
