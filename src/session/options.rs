//! The values that the handshake passes to a session.

use std::time::Duration;

use serde_json::value::RawValue;

use super::{
    behaviour::{Action, Behaviour, CloseReply, Impairment, Trigger},
    reply::ReplyMode,
    watch::WatchedConnection,
};
use crate::admission::SessionPermit;

/// The connection, for the log and the watchers.
pub(crate) struct SessionDetails {
    /// None without a watch key. Declared before the permit, because fields are dropped in their order. The
    /// process may end with the last permit, and the `end` event must reach the watchers before.
    pub(crate) watched: Option<WatchedConnection>,
    pub(crate) permit: SessionPermit,
    /// The fields of the log event `connection opened`. None once it is logged, so that an idle connection
    /// keeps nothing of its request.
    pub(crate) opened: Option<Box<Opened>>,
}

/// The fields of the log event `connection opened`.
pub(crate) struct Opened {
    pub(crate) peer: std::net::SocketAddr,
    /// None if the client's address is the peer's.
    pub(crate) client: Option<String>,
    /// The path, redacted for the log.
    pub(crate) path: String,
    pub(crate) subprotocol: Option<String>,
    pub(crate) compressed: bool,
}

/// The behaviours of a connection that its session runs.
pub(crate) struct SessionOptions {
    pub(super) reply: ReplyMode,
    pub(super) tick: Option<Duration>,
    /// The action that runs once, and its trigger. In a box, because most sessions have none.
    pub(super) action: Option<Box<(Action, Trigger)>>,
    /// Whether the server answers a Ping.
    pub(super) pong: bool,
    /// The answer to the client's Close frame.
    pub(super) close_reply: CloseReply,
    /// The `connection` of `reply=json`.
    pub(super) connection: Option<Box<RawValue>>,
}

impl SessionOptions {
    /// Splits a behaviour into the options of the session and the impairment of its replies.
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
