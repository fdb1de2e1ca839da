//! The values that the handshake passes to a session.

use std::time::Duration;

use serde_json::value::RawValue;

use super::{
    behaviour::{Action, Behaviour, Impairment, Trigger},
    reply::ReplyMode,
    watch::WatchedConnection,
};
use crate::admission::SessionPermit;

/// The connection, for the log and the watchers.
pub(crate) struct SessionDetails {
    /// None without a watch key. Before the permit, because fields are dropped in their order: the process may end with the last
    /// permit, and the watchers' `end` event must be published before.
    pub(crate) watched: Option<WatchedConnection>,
    pub(crate) permit: SessionPermit,
    /// The fields of the log line `connection opened`. None once it is logged: an idle connection keeps nothing of its request.
    pub(crate) opened: Option<Box<Opened>>,
}

/// The fields of the log line `connection opened`.
pub(crate) struct Opened {
    pub(crate) peer: std::net::SocketAddr,
    /// None if the client's address is the peer's.
    pub(crate) client: Option<String>,
    /// The path, redacted for the log.
    pub(crate) path: String,
    pub(crate) subprotocol: Option<String>,
    pub(crate) compressed: bool,
}

/// The part of a connection's behaviour that its session carries out.
pub(crate) struct SessionOptions {
    pub(super) reply: ReplyMode,
    pub(super) tick: Option<Duration>,
    /// The action that happens once, and its trigger. In a box, because most sessions have none.
    pub(super) action: Option<Box<(Action, Trigger)>>,
    /// Whether a Ping is answered.
    pub(super) pong: bool,
    /// Whether a Close frame is answered.
    pub(super) close_reply: bool,
    /// The `connection` of `reply=json`.
    pub(super) connection: Option<Box<RawValue>>,
}

impl SessionOptions {
    /// Returns the options with what becomes of the replies, which is kept apart.
    pub(crate) fn new(behaviour: Behaviour, connection: Option<Box<RawValue>>) -> (Self, Impairment) {
        let options = Self {
            reply: behaviour.reply,
            tick: behaviour.tick,
            action: behaviour
                .action
                .map(|action| Box::new((action, behaviour.trigger))),
            pong: behaviour.pong,
            close_reply: behaviour.close_reply,
            connection,
        };
        (options, behaviour.impairment)
    }
}
