//! The description of a query key.

use super::{Behaviour, param::Param};

/// A query key of the server.
#[derive(Debug)]
pub struct Key {
    /// The key as it stands in the URL.
    pub name: &'static str,
    /// The group in which the page's form shows it.
    pub group: Group,
    /// The kind of its value.
    pub kind: Kind,
    /// The values that are allowed, to follow "expected" in an error.
    pub expected: &'static str,
    /// A value that is allowed.
    pub example: &'static str,
    /// Keys that must not be set beside this one. The key itself may be among them, so that a set of keys can share one
    /// list.
    pub excludes: &'static [&'static str],
    /// Keys of which one must be set too.
    pub needs: &'static [&'static str],
    /// Puts the value into a behaviour; `None` if the value is not allowed. The parser has checked the words of
    /// [`Kind::Words`] and the absence of a value before.
    pub(super) set: fn(&mut Behaviour, &Param<'_>) -> Option<()>,
}

/// The part of a connection that the keys of a group change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The messages that the server sends.
    Reply,
    /// When the server sends it.
    Timing,
    /// Whether the server sends it, and how often.
    Loss,
    /// How the connection ends.
    Ending,
    /// Frames and messages.
    Wire,
    /// The response to the opening handshake.
    Handshake,
    /// The server's view of the connection.
    View,
}

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// None: the key stands alone.
    NoValue,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A duration with its unit, or `0`.
    Duration,
    /// A number from 0 to 1.
    Probability,
    /// A whole number.
    Number,
    /// A number of bytes, with or without a unit.
    Size,
    /// `CODE` or `CODE:REASON`.
    Close,
    /// A number of messages, or a duration.
    Trigger,
    /// The name of a subprotocol, or `none`.
    Subprotocol,
    /// A secret. No error repeats it, because it may differ from the right one by a typing mistake only.
    Secret,
}
