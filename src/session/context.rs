//! What every session of a worker thread is given: limits, timers, counters.

use std::time::Duration;

use crate::{
    config::{Config, Rate, Timer},
    metrics::LocalCounters,
};

/// What the sessions of one worker thread share. A session knows nothing else of the server.
#[derive(Debug)]
pub struct SessionContext {
    /// Prefix of stamped text replies.
    pub prefix: String,
    /// Time between the server's Pings.
    pub ping_interval: Timer,
    /// Silence after which a connection is closed.
    pub idle_timeout: Timer,
    /// Time after which a client that reads nothing is cut off.
    pub stall_timeout: Option<Duration>,
    /// Messages a second of one connection.
    pub max_messages_per_second: Rate,
    /// The counters of this thread.
    pub counters: LocalCounters,
}

impl SessionContext {
    /// Takes from `config` what sessions need.
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
