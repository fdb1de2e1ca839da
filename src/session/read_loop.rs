//! The loop that drives a session: it reads messages and runs what is scheduled.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Instant,
};

use actix::{Actor, ActorContext as _, ActorFuture};
use tokio::{
    task::yield_now,
    time::{Sleep, sleep_until},
};

use super::{
    close::CloseCause,
    heartbeat::HeartbeatAction,
    schedule::Scheduled,
    state::{Input, Session},
};
use crate::{protocol::Incoming, transport::InputEnd};

/// Messages that a session handles before it yields to the other connections of the thread.
const MAX_MESSAGES_PER_POLL: usize = 1024;

/// Payload bytes, after decompression, that a session handles before it yields.
const MAX_BYTES_PER_POLL: u64 = 1024 * 1024;

/// The functions that the loop calls.
pub(super) trait SessionEvents {
    fn on_incoming(&mut self, incoming: Incoming<'_>);
    fn on_input_end(&mut self, end: InputEnd);
    fn on_scheduled(&mut self, scheduled: Scheduled);
    fn on_written(&mut self);
    fn on_heartbeat(&mut self, action: HeartbeatAction);
    fn session(&mut self) -> &mut Session;
}

/// The one future in the actor's context.
#[derive(Default)]
pub(super) struct ReadLoop {
    /// The timer for what is scheduled next. It wakes the task when it fires, so the loop need not poll it
    /// while messages arrive.
    alarm: Option<Pin<Box<Sleep>>>,
    /// The time that `alarm` is set to.
    armed: Option<Instant>,
}

impl<A> ActorFuture<A> for ReadLoop
where
    A: SessionEvents + Actor<Context = actix::Context<A>>,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, actor: &mut A, ctx: &mut A::Context, cx: &mut Context<'_>) -> Poll<()> {
        if actor.session().outbound.take_written() {
            actor.on_written();
        }
        let before = actor.session().stats.received;
        poll_input(actor, cx);
        let session = actor.session();
        let received = session.stats.received;
        let next = session.schedule.next();
        if next != self.armed || received == before || next.is_some_and(|next| next <= received) {
            self.poll_alarm(actor, cx);
        }
        let session = actor.session();
        settle_memory(session, cx);
        if session.lifecycle.is_over() {
            ctx.stop();
        }
        Poll::Pending
    }
}

impl ReadLoop {
    fn poll_alarm(&mut self, actor: &mut impl SessionEvents, cx: &mut Context<'_>) {
        while let Some(next) = actor.session().schedule.next()
            && !actor.session().lifecycle.is_over()
        {
            if self.armed != Some(next) {
                self.armed = Some(next);
                match &mut self.alarm {
                    Some(alarm) => alarm.as_mut().reset(next.into()),
                    alarm @ None => *alarm = Some(Box::pin(sleep_until(next.into()))),
                }
            }
            if let Some(alarm) = &mut self.alarm
                && alarm.as_mut().poll(cx).is_pending()
            {
                break;
            }
            // A timer that has fired must be set again, even to the same time.
            self.armed = None;
            run_scheduled(actor, Instant::now());
        }
    }
}

fn poll_input(actor: &mut impl SessionEvents, cx: &mut Context<'_>) {
    let session = actor.session();
    match &mut session.input {
        Input::Messages(_) => poll_messages(actor, cx),
        Input::Discarding(discard) => {
            if Pin::new(discard).poll(cx).is_ready() {
                session.input = Input::Ended;
                session.lifecycle.end();
            }
        }
        Input::Ended => {}
    }
}

/// Handles the messages that have arrived.
fn poll_messages(actor: &mut impl SessionEvents, cx: &mut Context<'_>) {
    let session = actor.session();
    if session.poll_rate(cx).is_pending() {
        return;
    }
    let Input::Messages(inbound) = &mut session.input else {
        return;
    };
    let mut buffer = inbound.lend();
    let enough = session.stats.bytes + MAX_BYTES_PER_POLL;
    for handled in 1.. {
        let session = actor.session();
        let Input::Messages(inbound) = &mut session.input else {
            break;
        };
        match inbound.poll_next(cx, &mut buffer) {
            Poll::Ready(Ok(incoming)) => actor.on_incoming(incoming),
            Poll::Ready(Err(end)) => {
                session.stats.received = inbound.last_received();
                actor.on_input_end(end);
                // The next poll reads the rest of the input, or ends the session.
                cx.waker().wake_by_ref();
                break;
            }
            Poll::Pending => break,
        }
        let session = actor.session();
        if session.lifecycle.is_over() || session.poll_rate(cx).is_pending() {
            break;
        }
        if handled == MAX_MESSAGES_PER_POLL || session.stats.bytes > enough {
            yield_to_others(cx);
            break;
        }
        if session.outbound.is_full() {
            cx.waker().wake_by_ref();
            break;
        }
    }
    let session = actor.session();
    if let Input::Messages(inbound) = &mut session.input {
        inbound.take_back(buffer);
        session.stats.received = inbound.last_received();
    }
    session.record_latency();
}

/// Reports the memory that the session holds. If all sessions together would exceed `--max-buffered`, closes
/// this one.
fn settle_memory(session: &mut Session, cx: &mut Context<'_>) {
    let mut held = session.schedule.delayed_bytes();
    if let Input::Messages(inbound) = &session.input {
        held += inbound.buffered();
    }
    if held != session.held {
        session.held = held;
        if !session.memory.set_input(held) {
            session.outbound.exceed_budget();
        }
    }
    if session.outbound.is_over_budget() && session.lifecycle.may_send() {
        session.close_because(&CloseCause::MaxBuffered);
        if let Input::Messages(inbound) = &mut session.input
            && let Some(discard) = inbound.discard()
        {
            session.input = Input::Discarding(discard);
        }
        session.held = 0;
        session.memory.set_input(0);
        // The next poll discards the rest of the input.
        cx.waker().wake_by_ref();
    }
}

/// Runs everything that is due.
fn run_scheduled(actor: &mut impl SessionEvents, now: Instant) {
    while let Some(scheduled) = actor.session().schedule.pop(now) {
        actor.on_scheduled(scheduled);
    }
    let session = actor.session();
    session.pause_input(session.schedule.is_full());
    let (received, paused) = activity(session);
    if let Some(action) = session.schedule.check_heartbeat(now, received, paused) {
        actor.on_heartbeat(action);
    }
}

/// Returns the time of the client's last activity, and whether the server has paused reading.
fn activity(session: &Session) -> (Instant, bool) {
    let (mut received, mut paused) = match &session.input {
        Input::Messages(inbound) => (inbound.last_received(), inbound.is_paused()),
        Input::Discarding(_) | Input::Ended => (session.stats.received, false),
    };
    if let Some(rate) = &session.rate {
        received = received.max(rate.last_message());
        paused |= rate.is_paused();
    }
    (received, paused)
}

/// Wakes this task after tokio's driver has polled the other sockets. After a plain wake tokio would run the
/// task again before that, up to 61 times.
#[cold]
fn yield_to_others(cx: &mut Context<'_>) {
    let _ = pin!(yield_now()).poll(cx);
}
