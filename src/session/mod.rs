//! One WebSocket connection = one actix actor.
//!
//! The actor decides what is said and when; [`crate::wire`] judges what comes in before it is decoded. Only this file
//! touches the actor's context: its neighbours are pure, or know nothing of actors.

mod assembler;
mod behaviour;
mod close;
pub mod handshake;
mod heartbeat;
mod registry;
mod reply;

use std::{
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Handler, StreamHandler, WrapFuture};
use actix_web::web;
use actix_web_actors::ws::{self, CloseReason, ProtocolError, WebsocketContext};
use log::{debug, info, log_enabled};

pub use registry::Registry;
pub use reply::stamped;

use assembler::{Assembler, Message};
use behaviour::Behaviour;
use close::Cause;
use heartbeat::{Beat, Heartbeat};
use registry::{Admission, Drain};

use crate::{
    state::State,
    wire::{End, Link, Violation},
};

/// How long the server waits for the peer's Close after its own, so that it can be read in peace.
const LINGER: Duration = Duration::from_secs(2);

/// Most bytes of a message that the log shows.
const LOGGED_PAYLOAD: usize = 128;

/// What the handshake learned, which the actor starts with.
struct Opening {
    admission: Admission,
    peer: SocketAddr,
    path: String,
    subprotocol: Option<String>,
    compressed: bool,
    behaviour: Behaviour,
}

/// An open connection: what comes in, the replies, and the end.
pub(crate) struct EchoSession {
    state: web::Data<State>,
    opening: Opening,
    link: Rc<Link<web::Payload>>,
    assembler: Assembler,
    heartbeat: Heartbeat,
    /// Our Close frame has gone: no frame of any kind may follow it (RFC 6455 section 5.5.1).
    closing: bool,
    tally: Tally,
}

/// For the line in the log that ends a connection.
struct Tally {
    opened: Instant,
    messages: u64,
    bytes: u64,
    ended: Option<Ended>,
}

/// How a connection ended, as the server saw it first.
enum Ended {
    /// The peer sent a Close frame.
    ByPeer(Option<u16>),
    /// The server sent one first.
    ByServer(CloseReason),
}

type Context = WebsocketContext<EchoSession>;

impl EchoSession {
    fn new(state: web::Data<State>, opening: Opening, link: Rc<Link<web::Payload>>, now: Instant) -> Self {
        let heartbeat = Heartbeat::new(state.config.ping_interval, state.config.idle_timeout, now);
        Self {
            state,
            opening,
            link,
            assembler: Assembler::default(),
            heartbeat,
            closing: false,
            tally: Tally {
                opened: now,
                messages: 0,
                bytes: 0,
                ended: None,
            },
        }
    }

    fn id(&self) -> u64 {
        self.opening.admission.id()
    }

    /// Answers a whole message.
    fn answer(&mut self, message: Message, ctx: &mut Context) {
        self.tally.messages += 1;
        self.tally.bytes += message.bytes().len() as u64;
        if log_enabled!(log::Level::Debug) {
            self.log_message(&message);
        }
        match self
            .opening
            .behaviour
            .reply
            .reply(message, &self.state.config.prefix, now_ms())
        {
            Message::Text(text) => ctx.text(text),
            Message::Binary(bytes) => ctx.binary(bytes),
        }
    }

    fn log_message(&self, message: &Message) {
        let kind = match message {
            Message::Text(_) => "text",
            Message::Binary(_) => "binary",
        };
        let bytes = message.bytes();
        let shown = &bytes[..bytes.len().min(LOGGED_PAYLOAD)];
        let shown = match message {
            // Escaping leaves readable what is readable in any script, and no line can be forged.
            Message::Text(_) => String::from_utf8_lossy(shown).escape_debug().to_string(),
            Message::Binary(_) => shown.escape_ascii().to_string(),
        };
        let more = if bytes.len() > LOGGED_PAYLOAD { "…" } else { "" };
        debug!(
            "connection {} {kind} {} bytes: {shown}{more}",
            self.id(),
            bytes.len()
        );
    }

    /// Sends the server's own Close, and gives the peer time to answer it.
    fn close(&mut self, cause: &Cause, ctx: &mut Context) {
        if self.closing {
            return;
        }
        self.closing = true;
        let reason = cause.to_reason();
        ctx.close(Some(reason.clone()));
        self.tally.ended.get_or_insert(Ended::ByServer(reason));
        ctx.run_later(LINGER, |_, ctx| ctx.stop());
    }

    /// Looks after the timers, now and whenever they are next due.
    fn beat(&mut self, ctx: &mut Context) {
        let now = Instant::now();
        match self.heartbeat.look(now, self.link.last_heard()) {
            _ if self.closing => return,
            Beat::Rest => {}
            Beat::Ping => ctx.ping(b""),
            Beat::Idle => return self.close(&Cause::Idle(self.state.config.idle_timeout), ctx),
        }
        self.schedule_beat(now, ctx);
    }

    fn schedule_beat(&self, now: Instant, ctx: &mut Context) {
        if let Some(due) = self.heartbeat.due() {
            ctx.run_later(due.saturating_duration_since(now), Self::beat);
        }
    }
}

impl Actor for EchoSession {
    type Context = Context;

    fn started(&mut self, ctx: &mut Context) {
        let Opening {
            admission,
            peer,
            path,
            subprotocol,
            compressed,
            ..
        } = &self.opening;
        admission.started(ctx.address().recipient());
        info!(
            "connection {} opened: peer={peer} path={path:?} subprotocol={:?} compression={}",
            admission.id(),
            subprotocol.as_deref().unwrap_or_default(),
            if *compressed { "permessage-deflate" } else { "none" },
        );
        self.schedule_beat(Instant::now(), ctx);
    }

    fn stopped(&mut self, _: &mut Context) {
        let Tally {
            opened,
            messages,
            bytes,
            ended,
        } = &self.tally;
        let (code, by, reason) = match ended {
            Some(Ended::ByPeer(code)) => (code.unwrap_or(1005), "peer", ""),
            Some(Ended::ByServer(CloseReason { code, description })) => (
                u16::from(*code),
                "server",
                description.as_deref().unwrap_or_default(),
            ),
            // RFC 6455 section 7.1.5: no Close frame came.
            None => (1006, "peer", "gone without a Close frame"),
        };
        info!(
            "connection {} closed: code={code} by={by} reason={reason:?} messages={messages} bytes={bytes} duration={:?}",
            self.id(),
            opened.elapsed(),
        );
    }
}

impl StreamHandler<Result<ws::Message, ProtocolError>> for EchoSession {
    fn handle(&mut self, item: Result<ws::Message, ProtocolError>, ctx: &mut Context) {
        let message = match item {
            // After our own Close only the peer's is waited for.
            Ok(ws::Message::Close(_)) | Err(_) if self.closing => return ctx.stop(),
            _ if self.closing => return,
            Ok(message) => message,
            Err(error) => {
                // `wire` has refused all that the codec refuses, but for a whole text that is not UTF-8.
                debug!("connection {}: {error}", self.id());
                return self.close(&Cause::Violation(Violation::Utf8), ctx);
            }
        };
        match message {
            ws::Message::Text(text) => self.answer(Message::Text(text), ctx),
            ws::Message::Binary(bytes) => self.answer(Message::Binary(bytes), ctx),
            ws::Message::Continuation(item) => match self.assembler.push(item) {
                Ok(Some(message)) => self.answer(message, ctx),
                Ok(None) => {}
                Err(assembler::NotUtf8) => self.close(&Cause::Violation(Violation::Utf8), ctx),
            },
            ws::Message::Ping(payload) => ctx.write_raw(ws::Message::Pong(payload)),
            ws::Message::Pong(_) | ws::Message::Nop => {}
            ws::Message::Close(reason) => {
                self.closing = true;
                self.tally.ended = Some(Ended::ByPeer(reason.as_ref().map(|reason| reason.code.into())));
                ctx.close(close::echo(reason.as_ref()));
                // The answer still goes out; then the server closes the TCP connection (RFC 6455 section 7.1.1).
                ctx.stop();
            }
        }
    }

    fn finished(&mut self, ctx: &mut Context) {
        let tail = match self.link.take_end() {
            Some(End::Violation(violation, tail)) => {
                self.close(&Cause::Violation(violation), ctx);
                tail
            }
            Some(End::Drained(tail)) => {
                self.close(&Cause::ShuttingDown, ctx);
                tail
            }
            Some(End::Eof) | None => return ctx.stop(),
        };
        // Read in peace what the peer still says, until its Close, its end, or the time that `close` has set.
        ctx.spawn(tail.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

impl Handler<Drain> for EchoSession {
    type Result = ();

    fn handle(&mut self, _: Drain, _: &mut Context) {
        self.link.drain();
    }
}

/// Milliseconds since the Unix epoch, now.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
