//! When to ping, and when a peer counts as gone. The time is passed in: nothing here reads a clock.

use std::time::{Duration, Instant};

use crate::config::Timer;

/// A look that comes so much later than it was due says that this side was held up, and nothing about the peer: while a
/// peer does not read, its connection's actor is not run, and neither are its messages read.
const HELD_UP: Duration = Duration::from_secs(1);

/// What is due now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// Nothing.
    Rest,
    /// A Ping.
    Ping,
    /// Closing: nothing came for so long.
    Idle,
}

/// The two timers of a connection, seen as one that is always due at the earlier of them.
#[derive(Debug)]
pub(super) struct Heartbeat {
    ping_interval: Option<Duration>,
    idle_timeout: Option<Duration>,
    pinged: Instant,
    /// Silence is counted from here at the earliest.
    listening: Instant,
    due: Option<Instant>,
}

impl Heartbeat {
    /// Starts both timers at `now`.
    pub(super) fn new(ping_interval: Timer, idle_timeout: Timer, now: Instant) -> Self {
        let mut heartbeat = Self {
            ping_interval: ping_interval.duration(),
            idle_timeout: idle_timeout.duration(),
            pinged: now,
            listening: now,
            due: None,
        };
        heartbeat.due = heartbeat.next(now);
        heartbeat
    }

    /// When to look next; never, where both timers are off, or once the peer was given up.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Looks: `heard` is when the last bytes came from the peer, who is not listened to for now where it is `held` back.
    pub(super) fn look(&mut self, now: Instant, heard: Instant, held: bool) -> Beat {
        if held
            || self
                .due
                .is_some_and(|due| now.saturating_duration_since(due) > HELD_UP)
        {
            self.listening = now;
        }
        let heard = heard.max(self.listening);
        let silence = now.saturating_duration_since(heard);
        let beat = if self.idle_timeout.is_some_and(|timeout| silence >= timeout) {
            Beat::Idle
        } else if self
            .ping_interval
            .is_some_and(|interval| now.saturating_duration_since(self.pinged) >= interval)
        {
            self.pinged = now;
            Beat::Ping
        } else {
            Beat::Rest
        };
        // A due time that has passed would be due again at once.
        self.due = (beat != Beat::Idle).then(|| self.next(heard)).flatten();
        beat
    }

    fn next(&self, heard: Instant) -> Option<Instant> {
        let ping = self
            .ping_interval
            .and_then(|interval| self.pinged.checked_add(interval));
        let idle = self.idle_timeout.and_then(|timeout| heard.checked_add(timeout));
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
    fn a_silent_peer_is_pinged_and_then_given_up() {
        let start = Instant::now();
        let mut heartbeat = heartbeat(20, 60, start);
        for ping in [20, 40] {
            assert_eq!(heartbeat.due(), Some(start + s(ping)));
            assert_eq!(heartbeat.look(start + s(ping), start, false), Beat::Ping);
        }
        assert_eq!(heartbeat.due(), Some(start + s(60)));
        assert_eq!(heartbeat.look(start + s(60), start, false), Beat::Idle);
    }

    #[test]
    fn whatever_comes_from_the_peer_starts_the_silence_anew() {
        let start = Instant::now();
        let mut heartbeat = heartbeat(0, 60, start);
        assert_eq!(heartbeat.look(start + s(60), start + s(59), false), Beat::Rest);
        assert_eq!(heartbeat.due(), Some(start + s(119)));
        assert_eq!(heartbeat.look(start + s(119), start + s(59), false), Beat::Idle);
    }

    #[test]
    fn a_look_that_comes_too_late_blames_nobody() {
        let start = Instant::now();
        let mut heartbeat = heartbeat(0, 60, start);
        assert_eq!(heartbeat.look(start + s(90), start, false), Beat::Rest);
        assert_eq!(heartbeat.due(), Some(start + s(150)));
        assert_eq!(heartbeat.look(start + s(150), start, false), Beat::Idle);
    }

    #[test]
    fn a_peer_that_is_not_listened_to_is_not_blamed() {
        let start = Instant::now();
        let mut heartbeat = heartbeat(0, 60, start);
        assert_eq!(heartbeat.look(start + s(60), start, true), Beat::Rest);
        assert_eq!(heartbeat.due(), Some(start + s(120)));
        assert_eq!(heartbeat.look(start + s(120), start, false), Beat::Idle);
    }

    #[test]
    fn whoever_is_given_up_is_not_looked_at_again() {
        let start = Instant::now();
        let mut heartbeat = heartbeat(0, 60, start);
        assert_eq!(heartbeat.look(start + s(60), start, false), Beat::Idle);
        assert_eq!(heartbeat.due(), None);
    }

    #[test]
    fn with_both_timers_off_nothing_is_ever_due() {
        assert_eq!(heartbeat(0, 0, Instant::now()).due(), None);
    }
}
