//! One WebSocket connection = one actix actor.
//!
//! This file has the actor: one function for each event, one `match` over text, binary, Ping, Pong and Close.
//! `read_loop` calls these functions. `replies` makes and delays replies, `ending` closes the connection.
//! [`reply`], [`behaviour`], `close`, `schedule`, `lifecycle` and `heartbeat` are pure. [`crate::protocol`]
//! encodes and decodes frames, [`crate::transport`] has the socket.

pub mod behaviour;
pub mod clock;
mod close;
mod context;
mod delay_queue;
mod ending;
mod first;
mod heartbeat;
mod impairment;
mod lifecycle;
mod log_lines;
mod memory;
mod message_rate;
mod observer;
mod options;
mod read_loop;
mod replies;
pub mod reply;
mod schedule;
mod state;
mod stats;
pub mod watch;

use std::time::Instant;

use actix::{Actor, ActorContext as _, AsyncContext as _, Context, Handler};

pub use context::SessionContext;
pub(crate) use memory::SessionMemory;
pub(crate) use observer::SessionObserver;
pub(crate) use options::{GluedHead, Opened, SessionDetails, SessionSetup};
pub(crate) use state::{FrameIo, Inbound, Outbound, Session};

use crate::{
    admission::Drain,
    protocol::{
        DataKind::{Binary, Text},
        Incoming, Message,
    },
    transport::InputEnd,
};
use behaviour::Trigger;
use close::CloseCause;
use heartbeat::HeartbeatAction;
use read_loop::{ReadLoop, SessionEvents};
use schedule::{DelayedItem, Scheduled};
use state::Input;

/// The actor of one connection.
pub(crate) struct EchoSession(Session);

impl EchoSession {
    pub(crate) fn new(session: Session) -> Self {
        Self(session)
    }
}

impl SessionEvents for EchoSession {
    /// Handles a message or a control frame.
    fn on_incoming(&mut self, incoming: Incoming<'_>) {
        let session = &mut self.0;
        match incoming {
            Incoming::Close(body) => session.on_close(body.as_ref()),
            // RFC 6455 section 5.5.1: the server sends no frame after its Close frame.
            _ if !session.lifecycle.may_send() => {}
            Incoming::Message(text @ Message { kind: Text, .. }, meta) => session.reply_to(text, meta),
            Incoming::Message(binary @ Message { kind: Binary, .. }, meta) => session.reply_to(binary, meta),
            Incoming::Ping(payload) if session.options.pong => session.outbound.pong(payload),
            // A Pong needs no action: the heartbeat uses the time of the last received bytes.
            Incoming::Ping(_) | Incoming::Pong(_) => {}
        }
    }

    /// Handles the end of the input.
    fn on_input_end(&mut self, end: InputEnd) {
        self.0.input = match end {
            InputEnd::Eof(_) => {
                self.0.lifecycle.end();
                Input::Ended
            }
            InputEnd::Violation(violation, discard) => {
                self.0.close_because(&CloseCause::Violation(violation));
                Input::Discarding(discard)
            }
            InputEnd::Drained(discard) => {
                // Each message that was received gets its reply, even if the reply is due later.
                for item in self.0.schedule.take_delayed() {
                    self.on_scheduled(Scheduled::Delayed(item));
                }
                self.0.close_because(&CloseCause::ShuttingDown);
                Input::Discarding(discard)
            }
        };
    }

    /// Runs a scheduled reply, action, tick, reset or end.
    fn on_scheduled(&mut self, scheduled: Scheduled) {
        let session = &mut self.0;
        match scheduled {
            Scheduled::Delayed(DelayedItem::Reply(received, copies)) => {
                session.send_reply(received, copies);
            }
            Scheduled::Delayed(DelayedItem::Action(action)) | Scheduled::Action(action) => {
                session.run_action(action)
            }
            Scheduled::Tick => session.send_time(),
            Scheduled::CloseAnswer(body) => session.answer_close(body.as_ref()),
            Scheduled::Reset => session.reset(),
            Scheduled::End => session.lifecycle.end(),
        }
    }

    /// Handles that the kernel has all bytes of `push`.
    fn on_written(&mut self) {
        self.0.on_written();
    }

    /// Acts on the result of the heartbeat's check.
    fn on_heartbeat(&mut self, action: HeartbeatAction) {
        let session = &mut self.0;
        session.outbound.release_idle_context();
        match action {
            _ if !session.lifecycle.may_send() => {}
            HeartbeatAction::None => {}
            HeartbeatAction::SendPing => session.outbound.ping(),
            HeartbeatAction::TimedOut => {
                session.close_because(&CloseCause::Idle(session.context.idle_timeout))
            }
        }
    }

    fn session(&mut self) -> &mut Session {
        &mut self.0
    }
}

impl Actor for EchoSession {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let session = &mut self.0;
        session.details.permit.started(ctx.address().recipient());
        session.record_open();
        let now = Instant::now();
        session.send_first(now);
        if let Some((action, trigger)) = session.options.action.as_deref().cloned() {
            match trigger {
                Trigger::Handshake => session.run_action(action),
                Trigger::Time(wait) => session.schedule.act_at(action, now + wait),
                // `reply_to` checks each message.
                Trigger::Messages(_) | Trigger::Text(_) => {}
            }
        }
        ctx.spawn(ReadLoop::default());
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.0.record_close();
    }
}

impl Handler<Drain> for EchoSession {
    type Result = ();

    fn handle(&mut self, _: Drain, ctx: &mut Self::Context) {
        let session = &mut self.0;
        session.answer_close_early();
        if session.lifecycle.drain()
            && let Input::Messages(inbound) = &mut session.input
        {
            inbound.drain();
        }
        if session.lifecycle.is_over() {
            ctx.stop();
        }
    }
}
