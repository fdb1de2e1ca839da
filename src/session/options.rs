//! What the handshake gives to a session.

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
    /// Is there if the client has chosen a watch key. Before the permit, because fields are dropped in their order: the process may
    /// end with the last permit, and a watcher must have learned of the connection's end before.
    pub(crate) watched: Option<WatchedConnection>,
    pub(crate) permit: SessionPermit,
    /// What the log says of the opening. None once it is logged: an idle connection keeps nothing of its request.
    pub(crate) opened: Option<Box<Opened>>,
}

/// The fields of the log line `connection opened`.
pub(crate) struct Opened {
    pub(crate) peer: std::net::SocketAddr,
    /// Is there if a trusted proxy named another address than the peer's.
    pub(crate) client: Option<String>,
    /// As the log may have it.
    pub(crate) path: String,
    pub(crate) subprotocol: Option<String>,
    pub(crate) compressed: bool,
}

/// The part of a connection's behaviour that its session carries out.
pub(crate) struct SessionOptions {
    pub(super) reply: ReplyMode,
    pub(super) tick: Option<Duration>,
    /// What happens once, and when. In a box, because most sessions have none.
    pub(super) action: Option<Box<(Action, Trigger)>>,
    /// Whether a Ping is answered.
    pub(super) pong: bool,
    /// Whether a Close frame is answered.
    pub(super) close_reply: bool,
    /// What `reply=json` says of the connection.
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
