//! What a session does at a later time, and when. One alarm serves all of it. Pure: the time is passed in.

use std::time::{Duration, Instant};

use super::{
    behaviour::Action,
    delay_queue::DelayQueue,
    heartbeat::{Heartbeat, HeartbeatAction},
    reply::Received,
};

/// What waits behind the replies that are delayed.
pub(super) enum Scheduled {
    /// A reply, and the number of times that it is sent.
    Reply(Received<'static>, usize),
    /// What the URL asked for after a number of messages.
    Action(Action),
}

/// What is due.
pub(super) enum Due {
    /// A reply or an action that was delayed.
    Delayed(Scheduled),
    /// The time is sent unasked.
    Tick,
    /// What the URL asked for at this time.
    Action(Action),
    /// The connection is reset.
    Reset,
    /// The wait for the client is over.
    End,
}

/// The timers of one session.
pub(super) struct Schedule {
    heartbeat: Heartbeat,
    delayed: DelayQueue<Scheduled>,
    /// None in most sessions.
    rare: Option<Box<Rare>>,
    /// When the first of them is due. It is kept because it is compared at each poll.
    next: Option<Instant>,
}

#[derive(Default)]
struct Rare {
    tick: Option<(Duration, Instant)>,
    action: Option<(Action, Instant)>,
    reset: Option<Instant>,
    end: Option<Instant>,
}

impl Schedule {
    pub(super) fn new(heartbeat: Heartbeat) -> Self {
        Self {
            next: heartbeat.due(),
            heartbeat,
            delayed: DelayQueue::default(),
            rare: None,
        }
    }

    /// `scheduled` is due at `at`, or with what waits already if that is later. `bytes` is what it holds.
    pub(super) fn delay(&mut self, scheduled: Scheduled, at: Instant, bytes: usize) {
        self.delayed.push(at, bytes, scheduled);
        self.update();
    }

    /// Takes everything that was delayed, due or not.
    pub(super) fn take_delayed(&mut self) -> impl Iterator<Item = Scheduled> + use<> {
        let delayed = self.delayed.take();
        self.update();
        delayed
    }

    /// Whether nothing was delayed.
    pub(super) fn delays_nothing(&self) -> bool {
        self.delayed.is_empty()
    }

    /// Whether so much was delayed that no more messages are to be handled.
    pub(super) fn is_full(&self) -> bool {
        self.delayed.is_full()
    }

    /// Bytes that delayed replies hold.
    pub(super) fn delayed_bytes(&self) -> usize {
        self.delayed.bytes()
    }

    /// From now on the time is sent every `interval`.
    pub(super) fn tick_every(&mut self, interval: Duration, now: Instant) {
        self.set(|rare| rare.tick = Some((interval, now + interval)));
    }

    /// `action` happens at `at`.
    pub(super) fn act_at(&mut self, action: Action, at: Instant) {
        self.set(|rare| rare.action = Some((action, at)));
    }

    /// The connection is reset at `at`.
    pub(super) fn reset_at(&mut self, at: Instant) {
        self.set(|rare| rare.reset = Some(at));
    }

    /// The session ends at `at` at the latest.
    pub(super) fn end_at(&mut self, at: Instant) {
        self.set(|rare| rare.end = Some(at));
    }

    fn set(&mut self, set: impl FnOnce(&mut Rare)) {
        set(self.rare.get_or_insert_default());
        self.update();
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    fn update(&mut self) {
        let rare = self.rare.as_deref();
        let times = [
            self.heartbeat.due(),
            self.delayed.due(),
            rare.and_then(|rare| Some(rare.tick?.1)),
            rare.and_then(|rare| Some(rare.action.as_ref()?.1)),
            rare.and_then(|rare| rare.reset),
            rare.and_then(|rare| rare.end),
        ];
        self.next = times.into_iter().flatten().min();
    }

    /// Returns one thing that is due, besides the heartbeat.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Due> {
        let due = self.pop_due(now);
        self.update();
        due
    }

    fn pop_due(&mut self, now: Instant) -> Option<Due> {
        if let Some(scheduled) = self.delayed.pop(now) {
            return Some(Due::Delayed(scheduled));
        }
        let rare = self.rare.as_deref_mut()?;
        if let Some((interval, at)) = rare.tick
            && at <= now
        {
            // Each tick sets the next: a connection that was blocked does not catch up.
            rare.tick = Some((interval, now + interval));
            return Some(Due::Tick);
        }
        if let Some((action, _)) = rare.action.take_if(|(_, at)| *at <= now) {
            return Some(Due::Action(action));
        }
        if rare.reset.take_if(|at| *at <= now).is_some() {
            return Some(Due::Reset);
        }
        rare.end.take_if(|at| *at <= now).map(|_| Due::End)
    }

    /// Checks the heartbeat, if it is due. `received` is the time of the client's last bytes; `paused` is whether nothing is read.
    pub(super) fn check_heartbeat(
        &mut self,
        now: Instant,
        received: Instant,
        paused: bool,
    ) -> Option<HeartbeatAction> {
        let due = self.heartbeat.due().is_some_and(|due| due <= now);
        let action = due.then(|| self.heartbeat.check(now, received, paused));
        self.update();
        action
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Timer;

    const S: Duration = Duration::from_secs(1);

    fn schedule(now: Instant) -> Schedule {
        Schedule::new(Heartbeat::new(Timer::of(20 * S), Timer::of(60 * S), now))
    }

    #[test]
    fn the_alarm_is_set_to_what_is_due_first_and_each_comes_once() {
        let now = Instant::now();
        let mut schedule = schedule(now);
        assert_eq!(schedule.next(), Some(now + 20 * S));
        schedule.end_at(now + 5 * S);
        schedule.reset_at(now + 4 * S);
        schedule.act_at(Action::Abort, now + 3 * S);
        schedule.delay(Scheduled::Action(Action::Abort), now + 2 * S, 0);
        for (seconds, expected) in [(2, "delayed"), (3, "action"), (4, "reset"), (5, "end")] {
            let at = now + seconds * S;
            assert_eq!(schedule.next(), Some(at));
            assert!(schedule.pop(at - S / 2).is_none());
            let name = match schedule.pop(at) {
                Some(Due::Delayed(_)) => "delayed",
                Some(Due::Action(_)) => "action",
                Some(Due::Reset) => "reset",
                Some(Due::End) => "end",
                Some(Due::Tick) | None => "another",
            };
            assert_eq!(name, expected);
        }
        assert!(schedule.pop(now + 19 * S).is_none());
        assert_eq!(schedule.next(), Some(now + 20 * S));
    }

    #[test]
    fn a_tick_that_is_late_does_not_catch_up() {
        let now = Instant::now();
        let mut schedule = schedule(now);
        schedule.tick_every(S, now);
        assert!(matches!(schedule.pop(now + 10 * S), Some(Due::Tick)));
        assert!(schedule.pop(now + 10 * S).is_none());
        assert_eq!(schedule.next(), Some(now + 11 * S));
    }
}
