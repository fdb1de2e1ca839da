//! The values that the handshake passes to a session.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use serde_json::value::RawValue;

use super::{
    behaviour::{Action, Behaviour, BrokenHandshake, CloseReply, Hello, Impairment, Trigger},
    reply::ReplyMode,
    watch::WatchedConnection,
};
use crate::{admission::SessionPermit, config::Timer};

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
    /// The messages that the server sends first. In a box, because most sessions have none.
    pub(super) first: Option<Box<FirstMessages>>,
    /// The action that runs once, and its trigger. In a box, because most sessions have none.
    pub(super) action: Option<Box<(Action, Trigger)>>,
    /// Whether the server answers a Ping.
    pub(super) pong: bool,
    /// The answer to the client's Close frame.
    pub(super) close_reply: CloseReply,
    /// The `connection` of `reply=json`.
    pub(super) connection: Option<Box<RawValue>>,
}

/// The head of a 101 that HTTP passes to its session. Empty until it is passed.
pub(crate) type GluedHead = Rc<Cell<Vec<u8>>>;

/// The messages that the server sends first. Most sessions send none.
pub(super) struct FirstMessages {
    /// `handshake=glued`: the head of the 101, which the session sends with its first frame.
    pub(super) head: Option<GluedHead>,
    /// `handshake=garbage` or `truncated`: the connection ends before the first frame.
    pub(super) ends: bool,
    pub(super) hello: Option<Hello>,
    /// Payload bytes of the message of `push`.
    pub(super) push: Option<usize>,
    pub(super) tick: Option<Duration>,
    /// Seed of the payload of `push`. A seed repeats it.
    pub(super) seed: Option<u64>,
    /// The start of `push`. None before it, and in a session without it.
    pub(super) pushed: Option<Instant>,
}

impl FirstMessages {
    /// Returns None if the server sends nothing first.
    pub(super) fn new(behaviour: &Behaviour, head: Option<GluedHead>) -> Option<Box<Self>> {
        let first = Self {
            ends: behaviour
                .handshake
                .is_some_and(BrokenHandshake::ends_the_connection),
            // A glued 101 needs a frame.
            hello: behaviour
                .hello
                .clone()
                .or_else(|| head.is_some().then_some(Hello::Time)),
            head,
            push: behaviour.push,
            tick: behaviour.tick,
            seed: behaviour.impairment.seed,
            pushed: None,
        };
        let is_any = first.ends || first.hello.is_some() || first.push.is_some() || first.tick.is_some();
        is_any.then(|| Box::new(first))
    }
}

/// The options of a session, and the values that only its start needs.
pub(crate) struct SessionSetup {
    pub(super) options: SessionOptions,
    pub(super) impairment: Impairment,
    /// Interval of the server's Pings, if it is not the operator's.
    pub(super) ping: Option<Timer>,
}

impl SessionSetup {
    /// Takes the values of a session from a behaviour.
    pub(crate) fn new(
        behaviour: Behaviour,
        connection: Option<Box<RawValue>>,
        head: Option<GluedHead>,
    ) -> Self {
        let options = SessionOptions {
            reply: behaviour.reply,
            first: FirstMessages::new(&behaviour, head),
            action: behaviour
                .action
                .map(|action| Box::new((action, behaviour.trigger))),
            pong: behaviour.pong,
            close_reply: behaviour.close_reply,
            connection,
        };
        Self {
            options,
            impairment: behaviour.impairment,
            ping: behaviour.ping,
        }
    }
}
