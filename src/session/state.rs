//! The state of a session.

use std::{rc::Rc, time::Instant};

use super::{
    context::SessionContext,
    heartbeat::Heartbeat,
    impairment::Impairer,
    lifecycle::Lifecycle,
    memory::SessionMemory,
    message_rate::MessageRateLimit,
    observer::SessionObserver,
    options::{SessionDetails, SessionOptions, SessionSetup},
    schedule::Schedule,
    stats::SessionStats,
};
use crate::{
    protocol::Server,
    transport::{self, Carrier, Discard},
};

pub(crate) type Inbound = transport::Inbound<Server, SessionObserver>;
pub(crate) type Outbound = transport::Outbound<Server, SessionObserver>;

/// The two directions of a connection, and their carrier.
pub(crate) struct FrameIo {
    pub(crate) inbound: Inbound,
    pub(crate) outbound: Rc<Outbound>,
    pub(crate) carrier: Carrier,
}

/// The use of the bytes that the client sends.
pub(super) enum Input {
    /// The session handles them as messages.
    Messages(Inbound),
    /// The session discards them up to the client's Close frame.
    Discarding(Discard),
    /// The input has ended.
    Ended,
}

/// An open connection. Fields that a message does not need are boxed: with many active connections, each
/// cache line that a message touches is fetched from memory again.
pub(crate) struct Session {
    pub(super) context: Rc<SessionContext>,
    pub(super) details: Box<SessionDetails>,
    pub(super) options: SessionOptions,
    pub(super) lifecycle: Lifecycle,
    pub(super) input: Input,
    pub(super) outbound: Rc<Outbound>,
    pub(super) carrier: Carrier,
    /// Accessed only if the memory that the session holds changes. Small messages do not change it.
    pub(super) memory: Rc<SessionMemory>,
    /// Bytes of incomplete and of delayed messages, as last reported to `memory`.
    pub(super) held: usize,
    pub(super) impairer: Impairer,
    /// None if there is no limit.
    pub(super) rate: Option<Box<MessageRateLimit>>,
    pub(super) schedule: Schedule,
    pub(super) stats: SessionStats,
}

impl Session {
    pub(crate) fn new(
        context: Rc<SessionContext>,
        details: SessionDetails,
        setup: SessionSetup,
        io: FrameIo,
        memory: Rc<SessionMemory>,
        now: Instant,
    ) -> Self {
        let SessionSetup {
            options,
            impairment,
            ping,
        } = setup;
        let ping_interval = ping.unwrap_or(context.ping_interval);
        let heartbeat = Heartbeat::new(ping_interval, context.idle_timeout, now);
        Self {
            impairer: Impairer::new(impairment),
            rate: MessageRateLimit::new(context.max_messages_per_second, now).map(Box::new),
            context,
            details: Box::new(details),
            options,
            lifecycle: Lifecycle::default(),
            input: Input::Messages(io.inbound),
            outbound: io.outbound,
            carrier: io.carrier,
            memory,
            held: 0,
            schedule: Schedule::new(heartbeat),
            stats: SessionStats::new(now),
        }
    }

    /// Pauses the input, or resumes it unless the session is frozen.
    pub(super) fn pause_input(&mut self, paused: bool) {
        let paused = paused || self.lifecycle.is_frozen();
        if let Input::Messages(inbound) = &mut self.input {
            inbound.pause(paused);
        }
    }
}
