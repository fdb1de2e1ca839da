//! The end of a connection that the URL requests: what happens, when, and the answer to the client's Close.

use std::{borrow::Cow, time::Duration};

use crate::protocol::{CloseFrame, DataKind, Fault, Message};

/// An action that ends or breaks the connection, and runs once. It is one value, because a connection has one
/// end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `close`: the server sends a Close frame with this body, or without a body.
    Close(Option<CloseFrame<'static>>),
    /// `abort`: a TCP reset without a Close frame.
    Abort,
    /// `fin`: the end of the TCP connection without a Close frame.
    Fin,
    /// `freeze`: the server reads nothing and sends nothing, and the connection stays open.
    Freeze,
    /// `wire`: the server sends this invalid frame.
    Wire(Fault),
}

impl Action {
    /// Returns the query key of the action.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Close(_) => "close",
            Self::Abort => "abort",
            Self::Fin => "fin",
            Self::Freeze => "freeze",
            Self::Wire(_) => "wire",
        }
    }

    /// Returns the value of the query key, for the log. None if it is empty.
    pub fn value(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Close(Some(CloseFrame { code, reason })) if reason.is_empty() => {
                Some(code.to_string().into())
            }
            Self::Close(Some(CloseFrame { code, reason })) => Some(format!("{code}:{reason}").into()),
            Self::Close(None) | Self::Abort | Self::Fin | Self::Freeze => None,
            Self::Wire(fault) => Some(fault.name().into()),
        }
    }
}

/// The time at which the action runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trigger {
    /// Right after the opening handshake.
    #[default]
    Handshake,
    /// After the reply to this many messages.
    Messages(u64),
    /// This long after the opening handshake.
    Time(Duration),
    /// After the reply to a text message with this content.
    Text(String),
}

impl Trigger {
    /// Returns whether the message with this number, from 1, triggers the action.
    pub fn is_message(&self, message: &Message<'_>, number: u64) -> bool {
        match self {
            Self::Messages(count) => *count == number,
            Self::Text(text) => message.kind == DataKind::Text && *message.payload == *text.as_bytes(),
            Self::Handshake | Self::Time(_) => false,
        }
    }
}

/// The server's answer to the client's Close frame (`close-reply`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CloseReply {
    /// A Close frame with the same code and reason, at once.
    #[default]
    Echo,
    /// The same, this much later.
    Late(Duration),
    /// None: the connection stays open.
    Off,
    /// The end of the TCP connection without a Close frame.
    Fin,
    /// A TCP reset.
    Abort,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_triggers_only_as_the_complete_content_of_a_text_message() {
        let message = |kind, payload: &'static [u8]| Message {
            kind,
            payload: payload.into(),
        };
        let trigger = Trigger::Text("bye".to_owned());
        assert!(trigger.is_message(&message(DataKind::Text, b"bye"), 7));
        for (kind, payload) in [
            (DataKind::Text, &b"bye "[..]),
            (DataKind::Text, b"Bye"),
            (DataKind::Binary, b"bye"),
        ] {
            assert!(!trigger.is_message(&message(kind, payload), 1));
        }
        assert!(Trigger::Messages(2).is_message(&message(DataKind::Binary, b""), 2));
        assert!(!Trigger::Handshake.is_message(&message(DataKind::Text, b"bye"), 1));
    }
}
