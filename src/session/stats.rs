//! The counts of one session, for the log and the metrics.

use std::time::Instant;

/// The counts and times of one session.
#[derive(Debug)]
pub(super) struct SessionStats {
    pub(super) opened: Instant,
    /// Time of the last received bytes, as of the last poll.
    pub(super) received: Instant,
    pub(super) messages: u64,
    /// Payload bytes, after decompression.
    pub(super) bytes: u64,
    /// Replies that were sent without delay and whose latency was not recorded yet.
    pub(super) undelayed_replies: u64,
}

impl SessionStats {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            opened: now,
            received: now,
            messages: 0,
            bytes: 0,
            undelayed_replies: 0,
        }
    }

    /// Counts a message with this number of payload bytes.
    pub(super) fn count(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
    }
}
