//! A message to its reply. The time is passed in: nothing here reads a clock.

use std::fmt::Write as _;

use bytes::{BufMut, BytesMut};
use bytestring::ByteString;

use super::assembler::Message;

/// How a message is answered: `?reply=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ReplyMode {
    /// The message with the prefix before it and the time after it.
    #[default]
    Stamped,
    /// The message, the same bytes in the same type.
    Verbatim,
}

impl ReplyMode {
    /// The reply to `message`, made at `now_ms` milliseconds since the Unix epoch.
    pub(super) fn reply(self, message: Message, prefix: &str, now_ms: u64) -> Message {
        match (self, message) {
            (Self::Verbatim, message) => message,
            (Self::Stamped, Message::Text(text)) => Message::Text(stamped(prefix, &text, now_ms).into()),
            (Self::Stamped, Message::Binary(bytes)) => {
                let mut stamped = BytesMut::with_capacity(bytes.len() + 8);
                stamped.put_slice(&bytes);
                stamped.put_u64(now_ms);
                Message::Binary(stamped.freeze())
            }
        }
    }
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

    #[test]
    fn a_stamped_text_is_prefix_message_comma_milliseconds() {
        assert_eq!(
            ReplyMode::Stamped.reply("1530000000000".into(), "客户端发送的信息：", 1_530_000_000_123),
            "客户端发送的信息：1530000000000,1530000000123".into()
        );
    }

    #[test]
    fn a_stamped_binary_message_is_followed_by_eight_big_endian_bytes() {
        let reply = ReplyMode::Stamped.reply(Message::Binary("ab".into()), "unused", 0x0102_0304_0506_0708);
        assert_eq!(
            reply,
            Message::Binary(b"ab\x01\x02\x03\x04\x05\x06\x07\x08"[..].into())
        );
    }

    #[test]
    fn a_verbatim_reply_is_the_message() {
        for message in ["".into(), Message::Binary(b"\0\xFF"[..].into())] {
            assert_eq!(ReplyMode::Verbatim.reply(message.clone(), "unused", 1), message);
        }
    }
}
