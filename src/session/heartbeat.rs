//! The heartbeat: when the server sends a Ping, and when a client is idle for too long. Pure: the caller
//! passes the time.

use std::time::{Duration, Instant};

use crate::config::Timer;

/// If a check runs this much later than it was due, the server was blocked. The client's messages were not
/// read meanwhile, so the time without received bytes does not count. The idle timer then restarts.
const MAX_TIMER_LAG: Duration = Duration::from_secs(1);

/// The action that a check returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeartbeatAction {
    /// No action.
    None,
    /// A Ping.
    SendPing,
    /// Close the connection: it was idle for too long.
    TimedOut,
}

/// The ping timer and the idle timer of a connection, as one timer that is due at the earlier of both.
#[derive(Debug)]
pub(super) struct Heartbeat {
    ping_interval: Option<Duration>,
    idle_timeout: Option<Duration>,
    pinged: Instant,
    /// The idle time starts here at the earliest.
    silent_since: Instant,
    due: Option<Instant>,
}

impl Heartbeat {
    /// Starts both timers at `now`.
    pub(super) fn new(ping_interval: Timer, idle_timeout: Timer, now: Instant) -> Self {
        let mut heartbeat = Self {
            ping_interval: ping_interval.duration(),
            idle_timeout: idle_timeout.duration(),
            pinged: now,
            silent_since: now,
            due: None,
        };
        heartbeat.due = heartbeat.next(now);
        heartbeat
    }

    /// Returns the time of the next check. None if both timers are off, or after a timeout.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Checks both timers. `received` is the time of the client's last bytes, `paused` whether reading is
    /// paused.
    pub(super) fn check(&mut self, now: Instant, received: Instant, paused: bool) -> HeartbeatAction {
        if paused
            || self
                .due
                .is_some_and(|due| now.saturating_duration_since(due) > MAX_TIMER_LAG)
        {
            self.silent_since = now;
        }
        let received = received.max(self.silent_since);
        let silence = now.saturating_duration_since(received);
        let action = if self.idle_timeout.is_some_and(|timeout| silence >= timeout) {
            HeartbeatAction::TimedOut
        } else if self
            .ping_interval
            .is_some_and(|interval| now.saturating_duration_since(self.pinged) >= interval)
        {
            self.pinged = now;
            HeartbeatAction::SendPing
        } else {
            HeartbeatAction::None
        };
        // After a timeout no check follows: its due time would have passed, so it would run again at once.
        self.due = (action != HeartbeatAction::TimedOut)
            .then(|| self.next(received))
            .flatten();
        action
    }

    fn next(&self, received: Instant) -> Option<Instant> {
        let ping = self
            .ping_interval
            .and_then(|interval| self.pinged.checked_add(interval));
        let idle = self
            .idle_timeout
            .and_then(|timeout| received.checked_add(timeout));
        match (ping, idle) {
            (Some(ping), Some(idle)) => Some(ping.min(idle)),
            (ping, idle) => ping.or(idle),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn heartbeat(ping: u64, idle: u64, now: Instant) -> Heartbeat {
        Heartbeat::new(Timer::of(s(ping)), Timer::of(s(idle)), now)
    }

    #[test]
    fn an_idle_client_gets_pings_and_then_a_timeout() {
        let start = Instant::now();
        let mut heartbeat = heartbeat(20, 60, start);
        for ping in [20, 40] {
            assert_eq!(heartbeat.due(), Some(start + s(ping)));
            assert_eq!(
                heartbeat.check(start + s(ping), start, false),
                HeartbeatAction::SendPing
            );
        }
        assert_eq!(heartbeat.due(), Some(start + s(60)));
        assert_eq!(
            heartbeat.check(start + s(60), start, false),
            HeartbeatAction::TimedOut
        );
    }

    #[test]
    fn received_bytes_restart_the_idle_timer() {
        let start = Instant::now();
        let mut heartbeat = heartbeat(0, 60, start);
        assert_eq!(
            heartbeat.check(start + s(60), start + s(59), false),
            HeartbeatAction::None
        );
        assert_eq!(heartbeat.due(), Some(start + s(119)));
        assert_eq!(
            heartbeat.check(start + s(119), start + s(59), false),
            HeartbeatAction::TimedOut
        );
    }

    #[test]
    fn a_late_check_restarts_the_idle_timer() {
        let start = Instant::now();
        let mut heartbeat = heartbeat(0, 60, start);
        assert_eq!(
            heartbeat.check(start + s(90), start, false),
            HeartbeatAction::None
        );
        assert_eq!(heartbeat.due(), Some(start + s(150)));
        assert_eq!(
            heartbeat.check(start + s(150), start, false),
            HeartbeatAction::TimedOut
        );
    }

    #[test]
    fn a_pause_of_the_input_restarts_the_idle_timer() {
        let start = Instant::now();
        let mut heartbeat = heartbeat(0, 60, start);
        assert_eq!(heartbeat.check(start + s(60), start, true), HeartbeatAction::None);
        assert_eq!(heartbeat.due(), Some(start + s(120)));
        assert_eq!(
            heartbeat.check(start + s(120), start, false),
            HeartbeatAction::TimedOut
        );
    }

    #[test]
    fn after_a_timeout_no_check_is_due() {
        let start = Instant::now();
        let mut heartbeat = heartbeat(0, 60, start);
        assert_eq!(
            heartbeat.check(start + s(60), start, false),
            HeartbeatAction::TimedOut
        );
        assert_eq!(heartbeat.due(), None);
    }

    #[test]
    fn with_both_timers_off_no_check_is_due() {
        assert_eq!(heartbeat(0, 0, Instant::now()).due(), None);
    }
}
