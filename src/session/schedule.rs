//! The timers of a session: delayed replies, actions, ticks, timeouts and the heartbeat share one alarm.
//! Pure: the caller passes the time.

use std::time::{Duration, Instant};

use super::{
    behaviour::Action,
    delay_queue::DelayQueue,
    heartbeat::{Heartbeat, HeartbeatAction},
    reply::Received,
};
use crate::protocol::CloseFrame;

/// An entry of the queue of delayed replies.
pub(super) enum DelayedItem {
    /// A reply, and the number of times that it is sent.
    Reply(Received<'static>, usize),
    /// The action whose trigger is a number of messages.
    Action(Action),
}

/// A result of the timers: what the session must do now.
pub(super) enum Scheduled {
    /// Handle this item of the delay queue.
    Delayed(DelayedItem),
    /// Send the time (`?tick=`).
    Tick,
    /// Run the action whose trigger is a duration.
    Action(Action),
    /// Answer the client's Close frame, with this body.
    CloseAnswer(Option<CloseFrame<'static>>),
    /// Reset the connection.
    Reset,
    /// End the session, because a timeout has expired.
    End,
}

/// The timers of one session.
pub(super) struct Schedule {
    heartbeat: Heartbeat,
    delayed: DelayQueue<DelayedItem>,
    /// None in most sessions.
    rare: Option<Box<RareTimers>>,
    /// The earliest time of all timers. Stored, because each poll reads it.
    next: Option<Instant>,
}

#[derive(Default)]
struct RareTimers {
    tick: Option<(Duration, Instant)>,
    action: Option<(Action, Instant)>,
    close_answer: Option<(Option<CloseFrame<'static>>, Instant)>,
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

    /// Queues `item`, which holds `bytes` bytes. It is due at `at`, or together with the entry before it if
    /// that is later.
    pub(super) fn delay(&mut self, item: DelayedItem, at: Instant, bytes: usize) {
        self.delayed.push(at, bytes, item);
        self.update();
    }

    /// Removes and returns all items of the delay queue, due or not.
    pub(super) fn take_delayed(&mut self) -> impl Iterator<Item = DelayedItem> + use<> {
        let delayed = self.delayed.take();
        self.update();
        delayed
    }

    /// Returns whether the delay queue is empty.
    pub(super) fn delays_nothing(&self) -> bool {
        self.delayed.is_empty()
    }

    /// Returns whether the delay queue is full. The session then handles no more messages.
    pub(super) fn is_full(&self) -> bool {
        self.delayed.is_full()
    }

    /// Returns the bytes that delayed replies hold.
    pub(super) fn delayed_bytes(&self) -> usize {
        self.delayed.bytes()
    }

    /// Schedules a tick every `interval`.
    pub(super) fn tick_every(&mut self, interval: Duration, now: Instant) {
        self.set(|rare| rare.tick = Some((interval, now + interval)));
    }

    /// Schedules `action` at `at`.
    pub(super) fn act_at(&mut self, action: Action, at: Instant) {
        self.set(|rare| rare.action = Some((action, at)));
    }

    /// Schedules the answer to the client's Close frame at `at`.
    pub(super) fn answer_close_at(&mut self, body: Option<CloseFrame<'static>>, at: Instant) {
        self.set(|rare| rare.close_answer = Some((body, at)));
    }

    /// Removes and returns the answer that [`Self::answer_close_at`] has scheduled.
    pub(super) fn take_close_answer(&mut self) -> Option<Option<CloseFrame<'static>>> {
        let (body, _) = self.rare.as_deref_mut()?.close_answer.take()?;
        self.update();
        Some(body)
    }

    /// Schedules a reset of the connection at `at`.
    pub(super) fn reset_at(&mut self, at: Instant) {
        self.set(|rare| rare.reset = Some(at));
    }

    /// Schedules the end of the session at `at`.
    pub(super) fn end_at(&mut self, at: Instant) {
        self.set(|rare| rare.end = Some(at));
    }

    fn set(&mut self, set: impl FnOnce(&mut RareTimers)) {
        set(self.rare.get_or_insert_default());
        self.update();
    }

    /// Returns the time at which the next timer fires.
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
            rare.and_then(|rare| Some(rare.close_answer.as_ref()?.1)),
            rare.and_then(|rare| rare.reset),
            rare.and_then(|rare| rare.end),
        ];
        self.next = times.into_iter().flatten().min();
    }

    /// Returns what is due at `now`, one thing a call. Excludes the heartbeat.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Scheduled> {
        let due = self.pop_due(now);
        self.update();
        due
    }

    fn pop_due(&mut self, now: Instant) -> Option<Scheduled> {
        if let Some(item) = self.delayed.pop(now) {
            return Some(Scheduled::Delayed(item));
        }
        let rare = self.rare.as_deref_mut()?;
        if let Some((interval, at)) = rare.tick
            && at <= now
        {
            // The next interval starts now: a connection that was blocked does not send the missed ticks.
            rare.tick = Some((interval, now + interval));
            return Some(Scheduled::Tick);
        }
        if let Some((action, _)) = rare.action.take_if(|(_, at)| *at <= now) {
            return Some(Scheduled::Action(action));
        }
        if let Some((body, _)) = rare.close_answer.take_if(|(_, at)| *at <= now) {
            return Some(Scheduled::CloseAnswer(body));
        }
        if rare.reset.take_if(|at| *at <= now).is_some() {
            return Some(Scheduled::Reset);
        }
        rare.end.take_if(|at| *at <= now).map(|_| Scheduled::End)
    }

    /// Checks the heartbeat if it is due. `received` is the time of the client's last bytes, `paused` whether
    /// reading is paused.
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
    fn the_alarm_is_set_to_the_earliest_timer_and_each_fires_once() {
        let now = Instant::now();
        let mut schedule = schedule(now);
        assert_eq!(schedule.next(), Some(now + 20 * S));
        schedule.end_at(now + 5 * S);
        schedule.reset_at(now + 4 * S);
        schedule.answer_close_at(None, now + 3 * S + S / 2);
        schedule.act_at(Action::Abort, now + 3 * S);
        schedule.delay(DelayedItem::Action(Action::Abort), now + 2 * S, 0);
        for (halves, expected) in [
            (4, "delayed"),
            (6, "action"),
            (7, "answer"),
            (8, "reset"),
            (10, "end"),
        ] {
            let at = now + halves * S / 2;
            assert_eq!(schedule.next(), Some(at));
            assert!(schedule.pop(at - S / 4).is_none());
            let name = match schedule.pop(at) {
                Some(Scheduled::Delayed(_)) => "delayed",
                Some(Scheduled::Action(_)) => "action",
                Some(Scheduled::CloseAnswer(None)) => "answer",
                Some(Scheduled::Reset) => "reset",
                Some(Scheduled::End) => "end",
                Some(Scheduled::Tick | Scheduled::CloseAnswer(_)) | None => "another",
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
        assert!(matches!(schedule.pop(now + 10 * S), Some(Scheduled::Tick)));
        assert!(schedule.pop(now + 10 * S).is_none());
        assert_eq!(schedule.next(), Some(now + 11 * S));
    }
}
