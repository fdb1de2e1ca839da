//! The behaviours that the URL's query sets for one connection.
//!
//! The types here are plain data. [`keys`] lists the query keys, `query.rs` parses a query into a checked
//! [`Behaviour`]. Every number has an upper limit, so that no URL makes the server hold more, or for longer,
//! than the operator's flags allow.

mod action;
mod broken_handshake;
mod credentials;
mod extra_fields;
mod hello;
mod key;
pub mod keys;
mod param;
mod query;
mod watch_key;

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use thiserror::Error;

use super::reply::ReplyMode;
use crate::{config::Timer, protocol::fields::is_token};

pub use action::{Action, CloseReply, Trigger};
pub use broken_handshake::BrokenHandshake;
pub use credentials::Credentials;
pub use extra_fields::ExtraFields;
pub use hello::Hello;
pub use watch_key::WatchKey;

/// The behaviours of one connection. The default is an echo with timestamps.
#[derive(Debug, Clone, PartialEq)]
pub struct Behaviour {
    /// `reply`: the form of the replies.
    pub reply: ReplyMode,
    /// `delay`, `jitter`, `drop`, `duplicate`, `seed`: how replies are lost, duplicated and delayed.
    pub impairment: Impairment,
    /// `hello`: the server sends this message first.
    pub hello: Option<Hello>,
    /// `push`: the payload bytes of a binary message that the server sends after the opening handshake.
    pub push: Option<usize>,
    /// `tick`: interval at which the server sends the time.
    pub tick: Option<Duration>,
    /// `close`, `abort`, `fin`, `freeze` or `wire`: an action that runs once.
    pub action: Option<Action>,
    /// `after`: when the action runs. Without an action it has no effect.
    pub trigger: Trigger,
    /// `fragment`: maximum payload bytes of a data frame.
    pub fragment: Option<NonZeroUsize>,
    /// `rate`: bytes that the server sends a second.
    pub rate: Option<NonZeroU32>,
    /// `read-rate`: bytes that the server reads a second.
    pub read_rate: Option<NonZeroU32>,
    /// `ping`: interval of the server's Pings on this connection, instead of the operator's.
    pub ping: Option<Timer>,
    /// `pong`: whether the server answers a Ping.
    pub pong: bool,
    /// `close-reply`: the answer to the client's Close frame.
    pub close_reply: CloseReply,
    /// `compress`: whether the server may accept an offer of permessage-deflate.
    pub compress: bool,
    /// `max-message-size`: a limit in bytes, at most the operator's.
    pub max_message_size: Option<usize>,
    /// `subprotocol`: the subprotocol in the 101, whatever the client offers.
    pub subprotocol: Option<Subprotocol>,
    /// `handshake-delay`: delay of the response to the opening handshake.
    pub handshake_delay: Option<Duration>,
    /// `handshake`: the 101 is broken in this way.
    pub handshake: Option<BrokenHandshake>,
    /// `handshake-status`: the server refuses the handshake with this status, 300 to 599.
    pub handshake_status: Option<u16>,
    /// `auth`: the credentials without which the server refuses the handshake.
    pub auth: Option<Credentials>,
    /// `set-header`: fields of the response to the opening handshake.
    pub set_header: ExtraFields,
    /// `watch`: the key under which watchers see the connection's frames.
    pub watch: Option<WatchKey>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            reply: ReplyMode::default(),
            impairment: Impairment::default(),
            hello: None,
            push: None,
            tick: None,
            action: None,
            trigger: Trigger::default(),
            fragment: None,
            rate: None,
            read_rate: None,
            ping: None,
            pong: true,
            close_reply: CloseReply::default(),
            compress: true,
            max_message_size: None,
            subprotocol: None,
            handshake_delay: None,
            handshake: None,
            handshake_status: None,
            auth: None,
            set_header: ExtraFields::default(),
            watch: None,
        }
    }
}

impl Behaviour {
    /// Returns whether a message describes the connection.
    pub(crate) fn describes_connection(&self) -> bool {
        self.reply == ReplyMode::Json || self.hello == Some(Hello::Json)
    }
}

/// How replies are lost, duplicated and delayed. `PartialEq` compares the probabilities as they were set.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Impairment {
    /// `delay`: shortest delay of a reply.
    pub delay: Duration,
    /// `jitter`: longest random addition to `delay`.
    pub jitter: Duration,
    /// `drop`: probability, 0 to 1, that a reply is not sent.
    pub drop: f64,
    /// `duplicate`: probability, 0 to 1, that a reply is sent twice.
    pub duplicate: f64,
    /// `seed`: seed of the random numbers. None seeds each connection differently.
    pub seed: Option<u64>,
}

/// A subprotocol that the server selects whatever the client offers. RFC 6455 section 4.2.2 allows only one
/// that is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subprotocol {
    /// None, even if the client offers some.
    None,
    /// This one, even if the client does not offer it.
    Named(String),
}

impl Subprotocol {
    /// Longest name in bytes.
    const MAX_NAME: usize = 64;

    /// Returns the subprotocol with this name. Returns `None` if the name is not a token (RFC 6455 section
    /// 4.1), or too long.
    pub fn named(name: &str) -> Option<Self> {
        let is_valid = name.len() <= Self::MAX_NAME && is_token(name.as_bytes());
        is_valid.then(|| Self::Named(name.to_owned()))
    }
}

/// The error of a query: a value that its key does not allow, or keys that exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{error}")]
pub struct InvalidParam {
    /// What was found and what is expected, such as `invalid value "6m" for delay: expected a duration from 0
    /// to 5m`.
    pub error: String,
    /// One imperative sentence, such as `set delay to a value such as 250ms, or remove delay`.
    pub hint: String,
}

impl InvalidParam {
    /// Number of characters of an invalid value that an error repeats. A query can be much longer.
    const MAX_REPEATED: usize = 64;

    /// Creates the error of a value that its key does not allow.
    pub(crate) fn invalid_value(name: &str, value: &str, expected: &str, hint: String) -> Self {
        let (value, cut) = match value.char_indices().nth(Self::MAX_REPEATED) {
            Some((end, _)) => (&value[..end], "…"),
            None => (value, ""),
        };
        Self {
            error: format!("invalid value \"{value}{cut}\" for {name}: expected {expected}"),
            hint,
        }
    }
}
