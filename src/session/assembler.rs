//! Fragments to one message (RFC 6455 section 5.4).
//!
//! What comes here has passed `wire::Inbound`, which holds the limits on a message's size and frames: there is no
//! second set of them.

use actix_http::ws::Item;
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

/// A whole message from the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// A text message.
    Text(ByteString),
    /// A binary message.
    Binary(Bytes),
}

impl Message {
    /// The payload.
    pub(super) fn bytes(&self) -> &Bytes {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

/// The assembled text is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotUtf8;

/// The fragments of the message that has begun and not ended.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    text: bool,
    bytes: BytesMut,
}

impl Assembler {
    /// Takes the next fragment; the last one gives the message.
    pub(super) fn push(&mut self, item: Item) -> Result<Option<Message>, NotUtf8> {
        let fragment = match item {
            Item::FirstText(fragment) => {
                self.text = true;
                fragment
            }
            Item::FirstBinary(fragment) => {
                self.text = false;
                fragment
            }
            Item::Continue(fragment) => fragment,
            Item::Last(fragment) => {
                self.bytes.extend_from_slice(&fragment);
                let bytes = std::mem::take(&mut self.bytes).freeze();
                return if self.text {
                    ByteString::try_from(bytes)
                        .map(|text| Some(Message::Text(text)))
                        .map_err(|_| NotUtf8)
                } else {
                    Ok(Some(Message::Binary(bytes)))
                };
            }
        };
        self.bytes.extend_from_slice(&fragment);
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_become_one_message_even_when_a_character_is_cut() {
        let mut assembler = Assembler::default();
        let text = "é".as_bytes();
        assert_eq!(
            assembler.push(Item::FirstText(Bytes::copy_from_slice(&text[..1]))),
            Ok(None)
        );
        assert_eq!(
            assembler.push(Item::Continue(Bytes::copy_from_slice(&text[1..]))),
            Ok(None)
        );
        assert_eq!(
            assembler.push(Item::Last(Bytes::new())),
            Ok(Some(Message::Text("é".into())))
        );
        assert_eq!(assembler.push(Item::FirstBinary("a".into())), Ok(None));
        assert_eq!(
            assembler.push(Item::Last("b".into())),
            Ok(Some(Message::Binary("ab".into())))
        );
    }
}
