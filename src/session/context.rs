//! The limits, timers and counters that the sessions of a worker thread share.

use std::time::Duration;

use crate::{
    config::{Config, Rate, Timer},
    metrics::LocalCounters,
};

/// The values that the sessions of one worker thread share. A session has no other access to the server.
#[derive(Debug)]
pub struct SessionContext {
    /// Prefix of stamped text replies.
    pub prefix: String,
    /// Interval between the server's Pings.
    pub ping_interval: Timer,
    /// Time without received bytes after which the server closes a connection.
    pub idle_timeout: Timer,
    /// Time after which the server resets the connection of a client that reads nothing.
    pub stall_timeout: Option<Duration>,
    /// Maximum messages a second of one connection.
    pub max_messages_per_second: Rate,
    /// The counters of this thread.
    pub counters: LocalCounters,
}

impl SessionContext {
    /// Copies the values that sessions need from `config`.
    pub fn new(config: &Config, counters: LocalCounters) -> Self {
        Self {
            prefix: config.prefix.clone(),
            ping_interval: config.ping_interval,
            idle_timeout: config.idle_timeout,
            stall_timeout: config.stall_timeout.duration(),
            max_messages_per_second: config.max_messages_per_second,
            counters,
        }
    }
}
