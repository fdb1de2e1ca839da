//! One WebSocket connection = one actix actor.
//!
//! The actor decides what is said and when; [`crate::wire`] judges what comes in before it is decoded. Only this file
//! touches the actor's context: its neighbours are pure, or know nothing of actors.

mod assembler;
pub(crate) mod behaviour;
mod client;
mod close;
mod connection;
mod fate;
pub mod handshake;
mod heartbeat;
pub(crate) mod refusal;
mod registry;
mod reply;
mod throttle;
pub mod watch;

use std::{
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Handler, StreamHandler, WrapFuture};
use actix_web::web;
use actix_web_actors::ws::{self, CloseReason, ProtocolError, WebsocketContext};
use bytes::Bytes;
use log::{debug, info, log_enabled};
use serde_json::value::RawValue;

pub use registry::Registry;
pub use reply::stamped;
pub use throttle::PerAddress;

use assembler::{Assembler, Message};
use behaviour::{After, Behaviour, Event};
use close::Cause;
use fate::{Delayed, Fates};
use heartbeat::{Beat, Heartbeat};
use registry::{Admission, Drain};
use reply::{Ingredients, Received};
use throttle::Bucket;
use watch::Shown;

use crate::{
    metrics::{By, Code, DataKind, FrameKind, Label as _, Limit, Worker},
    state::State,
    wire::{End, Link, Outlet, Socket, Source, Violation, tap::FactsQueue},
};

/// How long the server waits for the peer's Close after its own, so that it can be read in peace.
const LINGER: Duration = Duration::from_secs(2);

/// A reply of more than this is on its way before the next message is read: what is waiting in one chunk may inflate to
/// a thousand times its size, and actix would collect sixteen replies before it sends the first.
const ONE_AT_A_TIME: usize = 64 * 1024;

/// Most bytes of a message that the log shows.
const LOGGED_PAYLOAD: usize = 128;

/// How soon an abort follows what was said before it: once the actor has been run again, that has been written.
const ABORT_AFTER: Duration = Duration::from_millis(1);

/// How long a connection whose Close was left unanswered may stay where no idle timeout says so.
const UNANSWERED: Duration = Duration::from_secs(60);

/// What the handshake learned, which the actor starts with.
struct Opening {
    /// Where the client has chosen a key. Before the admission, for fields are dropped in their order: whoever waits for
    /// the last session to end must not miss what is told of its end.
    shown: Option<Shown>,
    admission: Admission,
    peer: SocketAddr,
    /// Where a trusted proxy named another one than the peer.
    client: Option<String>,
    path: String,
    subprotocol: Option<String>,
    compressed: bool,
    behaviour: Behaviour,
    /// Where replies or watchers want to know how messages came.
    facts: Option<FactsQueue>,
    /// What `reply=json` says of the connection.
    connection: Option<Box<RawValue>>,
}

/// The two ends of the wire that the actor's context knows nothing of.
struct Ends {
    link: Rc<Link<Source<web::Payload>>>,
    outlet: Rc<Outlet>,
    socket: Option<Rc<Socket>>,
}

/// An open connection: what comes in, the replies, and the end.
pub(crate) struct EchoSession {
    state: web::Data<State>,
    worker: Worker,
    opening: Opening,
    ends: Ends,
    assembler: Assembler,
    heartbeat: Heartbeat,
    fates: Fates,
    /// Where messages may come only so fast.
    pace: Option<Pace>,
    delayed: Delayed<Due>,
    /// Frames given to the codec.
    frames_sent: u64,
    /// Our Close frame has gone: no frame of any kind may follow it (RFC 6455 section 5.5.1).
    closing: bool,
    tally: Tally,
}

/// How fast messages are taken.
struct Pace {
    bucket: Bucket,
    /// When the last one was taken: what waits to be read was not said this long ago.
    last: Instant,
}

/// What waits for its time.
enum Due {
    /// A reply, and how often it is sent.
    Reply(Received, usize),
    /// What the URL asked for after so many messages.
    Event(Event),
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
    /// The server sent one that is none, on request.
    Broken,
    /// The server reset the connection, on request.
    Aborted,
}

type Context = WebsocketContext<EchoSession>;

impl EchoSession {
    fn new(state: web::Data<State>, worker: Worker, opening: Opening, ends: Ends, now: Instant) -> Self {
        let heartbeat = Heartbeat::new(state.config.ping_interval, state.config.idle_timeout, now);
        let fates = Fates::new(opening.behaviour.fate);
        let pace = state.config.max_messages_per_second.limit().map(|rate| Pace {
            bucket: Bucket::new(rate, now),
            last: now,
        });
        Self {
            state,
            worker,
            opening,
            ends,
            assembler: Assembler::default(),
            heartbeat,
            fates,
            pace,
            delayed: Delayed::default(),
            frames_sent: 0,
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

    /// Gives the codec a frame: the only way to it.
    fn send(&mut self, frame: ws::Message, ctx: &mut Context) {
        self.frames_sent += 1;
        self.count_sent(&frame);
        ctx.write_raw(frame);
    }

    fn count_sent(&self, frame: &ws::Message) {
        let (kind, data) = match frame {
            ws::Message::Text(text) => (FrameKind::Text, Some((DataKind::Text, text.len()))),
            ws::Message::Binary(bytes) => (FrameKind::Binary, Some((DataKind::Binary, bytes.len()))),
            ws::Message::Continuation(_) => (FrameKind::Continuation, None),
            ws::Message::Ping(_) => (FrameKind::Ping, None),
            ws::Message::Pong(_) => (FrameKind::Pong, None),
            ws::Message::Close(_) => (FrameKind::Close, None),
            ws::Message::Nop => return,
        };
        self.worker.count(|counters| &counters.sent.frames[kind.index()]);
        if let Some((kind, bytes)) = data {
            self.worker
                .count(|counters| &counters.sent.messages[kind.index()]);
            self.worker
                .add(|counters| &counters.sent.bytes[kind.index()], bytes as u64);
        }
    }

    /// Answers a whole message, now or when its time comes.
    fn answer(&mut self, message: Message, ctx: &mut Context) {
        self.tally.messages += 1;
        self.tally.bytes += message.bytes().len() as u64;
        if log_enabled!(log::Level::Debug) {
            self.log_message(&message);
        }
        let facts = self
            .opening
            .facts
            .as_ref()
            .and_then(|facts| facts.borrow_mut().pop_front());
        let received = Received {
            message,
            seq: self.tally.messages,
            // Who does not ask how messages came does not ask when.
            received_at: facts.map_or(0, |_| now_ms()),
            frames: facts.map_or(1, |facts| facts.frames),
            compressed: facts.is_some_and(|facts| facts.compressed),
        };
        self.keep_pace(ctx);
        let lot = self.fates.draw();
        let bytes = received.message.bytes().len();
        let sent = self.frames_sent;
        self.when_due(lot.wait, bytes, Due::Reply(received, lot.copies), ctx);
        if self.frames_sent > sent {
            self.worker.replied_after(self.ends.link.last_heard().elapsed());
        }
        if let Some((event, After::Messages(count))) = &self.opening.behaviour.event
            && *count == self.tally.messages
        {
            self.when_due(Duration::ZERO, 0, Due::Event(event.clone()), ctx);
        }
    }

    /// Takes nothing more from the peer, neither message nor control frame, until another message may come. Its bytes
    /// stay where they are: in this connection's buffers, which have a bound, then in the kernel's, then with the peer.
    fn keep_pace(&mut self, ctx: &mut Context) {
        let Some(pace) = &mut self.pace else { return };
        pace.last = Instant::now();
        // It is there: the last message waited for it.
        let _ = pace.bucket.take(pace.last);
        let wait = pace.bucket.wait(pace.last);
        if !wait.is_zero() && !self.ends.link.is_draining() {
            self.worker
                .count(|counters| &counters.limits[Limit::MaxMessagesPerSecond.index()]);
            ctx.wait(tokio::time::sleep(wait).into_actor(self));
        }
    }

    /// Does it now where nothing waits before it, else puts it behind what waits.
    fn when_due(&mut self, wait: Duration, bytes: usize, due: Due, ctx: &mut Context) {
        if wait.is_zero() && self.delayed.is_empty() {
            return self.perform(due, ctx);
        }
        let first = self.delayed.is_empty();
        self.delayed.push(Instant::now() + wait, bytes, due);
        self.ends.link.hold(self.delayed.is_full());
        if first {
            self.schedule_delayed(ctx);
        }
    }

    fn perform(&mut self, due: Due, ctx: &mut Context) {
        if self.closing {
            return;
        }
        match due {
            Due::Reply(received, copies) => {
                let with = Ingredients {
                    prefix: &self.state.config.prefix,
                    connection: self.opening.connection.as_deref(),
                };
                if copies == 0 {
                    return;
                }
                let mode = self.opening.behaviour.reply;
                let now = if mode.tells_time() { now_ms() } else { 0 };
                let Some(reply) = mode.reply(received, with, now) else {
                    return;
                };
                if reply.bytes().len() > ONE_AT_A_TIME {
                    ctx.wait(tokio::task::yield_now().into_actor(self));
                }
                for _ in 1..copies {
                    self.send(reply.clone().into(), ctx);
                }
                self.send(reply.into(), ctx);
            }
            Due::Event(event) => self.happen(event, ctx),
        }
    }

    fn schedule_delayed(&self, ctx: &mut Context) {
        if let Some(due) = self.delayed.due() {
            ctx.run_later(due.saturating_duration_since(Instant::now()), |session, ctx| {
                let now = Instant::now();
                while let Some(due) = session.delayed.pop(now) {
                    session.perform(due, ctx);
                }
                session.ends.link.hold(session.delayed.is_full());
                session.schedule_delayed(ctx);
            });
        }
    }

    /// What the URL asked to happen once.
    fn happen(&mut self, event: Event, ctx: &mut Context) {
        if self.closing {
            return;
        }
        debug!(connection = self.id(), event:?; "as the URL asked");
        match event {
            Event::Close(reason) => self.close_with(reason, ctx),
            Event::Wire(fault) => {
                self.ends.outlet.break_after(fault, self.frames_sent);
                if fault.is_close() {
                    self.tally.ended = Some(Ended::Broken);
                    self.wait_for_close(ctx);
                }
            }
            Event::Abort => {
                self.closing = true;
                self.tally.ended = Some(Ended::Aborted);
                ctx.run_later(ABORT_AFTER, |session, _| {
                    if let Some(socket) = &session.ends.socket {
                        socket.reset_on_drop();
                    }
                    session.ends.outlet.abort();
                });
            }
        }
    }

    /// Says the time unasked. Each tick sets the next: a connection that was held up does not catch up.
    fn tick(&mut self, ctx: &mut Context) {
        if let (Some(tick), false) = (self.opening.behaviour.tick, self.closing) {
            self.send(ws::Message::Text(now_ms().to_string().into()), ctx);
            ctx.run_later(tick, Self::tick);
        }
    }

    fn log_message(&self, message: &Message) {
        let kind = match message {
            Message::Text(_) => "text",
            Message::Binary(_) => "binary",
        };
        let bytes = message.bytes();
        let shown = &bytes[..bytes.len().min(LOGGED_PAYLOAD)];
        let mut payload = match message {
            Message::Text(_) => String::from_utf8_lossy(shown).into_owned(),
            Message::Binary(_) => shown.escape_ascii().to_string(),
        };
        if bytes.len() > LOGGED_PAYLOAD {
            payload.push('…');
        }
        debug!(connection = self.id(), "type" = kind, bytes = bytes.len(), payload; "message");
    }

    /// Sends the server's own Close, and gives the peer time to answer it.
    fn close(&mut self, cause: &Cause, ctx: &mut Context) {
        if let (Some(limit), false) = (cause.limit(), self.closing) {
            self.worker.count(|counters| &counters.limits[limit.index()]);
        }
        self.close_with(cause.to_reason(), ctx);
    }

    fn close_with(&mut self, reason: CloseReason, ctx: &mut Context) {
        if !self.closing {
            self.send(ws::Message::Close(Some(reason.clone())), ctx);
            self.tally.ended = Some(Ended::ByServer(reason));
            self.wait_for_close(ctx);
        }
    }

    fn wait_for_close(&mut self, ctx: &mut Context) {
        self.closing = true;
        ctx.run_later(LINGER, |_, ctx| ctx.stop());
    }

    /// Answers the peer's Close.
    fn closed_by_peer(&mut self, reason: Option<&CloseReason>, ctx: &mut Context) {
        self.tally.ended = Some(Ended::ByPeer(reason.map(|reason| reason.code.into())));
        if self.opening.behaviour.no_close_reply {
            self.closing = true;
            let patience = self.state.config.idle_timeout.duration().unwrap_or(UNANSWERED);
            ctx.run_later(patience, |_, ctx| ctx.stop());
        } else {
            self.send(ws::Message::Close(close::echo(reason)), ctx);
            self.closing = true;
            // The answer still goes out; then the server closes the TCP connection (RFC 6455 section 7.1.1).
            ctx.stop();
        }
    }

    /// Looks after the timers, now and whenever they are next due.
    fn beat(&mut self, ctx: &mut Context) {
        let now = Instant::now();
        let heard = self.ends.link.last_heard();
        let heard = self.pace.as_ref().map_or(heard, |pace| pace.last.max(heard));
        match self.heartbeat.look(now, heard) {
            _ if self.closing => return,
            Beat::Rest => {}
            Beat::Ping => self.send(ws::Message::Ping(Bytes::new()), ctx),
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
            client,
            path,
            subprotocol,
            compressed,
            ..
        } = &self.opening;
        admission.started(ctx.address().recipient());
        self.worker.count(|counters| &counters.opened);
        info!(
            connection = admission.id(), peer:%, client = client.as_deref(), path, subprotocol = subprotocol.as_deref().unwrap_or_default(),
            compression = if *compressed { "permessage-deflate" } else { "none" };
            "connection opened"
        );
        self.schedule_beat(Instant::now(), ctx);
        if let Some(tick) = self.opening.behaviour.tick {
            ctx.run_later(tick, Self::tick);
        }
        match self.opening.behaviour.event.clone() {
            Some((event, After::Handshake)) => self.happen(event, ctx),
            Some((event, After::Time(wait))) => {
                ctx.run_later(wait, |session, ctx| session.happen(event, ctx));
            }
            Some((_, After::Messages(_))) | None => {}
        }
    }

    fn stopped(&mut self, _: &mut Context) {
        let Tally {
            opened,
            messages,
            bytes,
            ended,
        } = &self.tally;
        let (code, by, reason) = match ended {
            Some(Ended::ByPeer(code)) => (code.unwrap_or(1005), By::Peer, ""),
            Some(Ended::ByServer(CloseReason { code, description })) => (
                u16::from(*code),
                By::Server,
                description.as_deref().unwrap_or_default(),
            ),
            Some(Ended::Broken) => (1005, By::Server, "a broken Close frame, as the URL asked"),
            // RFC 6455 section 7.1.5: no Close frame came.
            Some(Ended::Aborted) => (1006, By::Server, "reset, as the URL asked"),
            None => (1006, By::Peer, "gone without a Close frame"),
        };
        self.worker
            .count(|counters| &counters.closed[by.index()][Code::of(code).index()]);
        let by = by.name();
        let duration_ms = u64::try_from(opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        info!(connection = self.id(), code, by, reason, messages, bytes, duration_ms; "connection closed");
        let (connection, messages, bytes) = (self.id(), *messages, *bytes);
        if let Some(shown) = &mut self.opening.shown {
            shown.end(&watch::End {
                connection,
                at: now_ms(),
                code,
                by,
                reason,
                messages,
                bytes,
            });
        }
    }
}

impl StreamHandler<Result<ws::Message, ProtocolError>> for EchoSession {
    fn handle(&mut self, item: Result<ws::Message, ProtocolError>, ctx: &mut Context) {
        self.ends.link.taken();
        let message = match item {
            // After our own Close only the peer's is waited for.
            Ok(ws::Message::Close(_)) | Err(_) if self.closing => return ctx.stop(),
            _ if self.closing => return,
            Ok(message) => message,
            Err(error) => {
                // `wire` has refused all that the codec refuses, but for a whole text that is not UTF-8.
                debug!(connection = self.id(), error:%; "refused by the codec");
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
            ws::Message::Ping(_) if self.opening.behaviour.no_pong => {}
            ws::Message::Ping(payload) => self.send(ws::Message::Pong(payload), ctx),
            ws::Message::Pong(_) | ws::Message::Nop => {}
            ws::Message::Close(reason) => self.closed_by_peer(reason.as_ref(), ctx),
        }
    }

    fn finished(&mut self, ctx: &mut Context) {
        let tail = match self.ends.link.take_end() {
            Some(End::Violation(violation, tail)) => {
                self.close(&Cause::Violation(violation), ctx);
                tail
            }
            Some(End::Drained(tail)) => {
                // What was received is answered, even where it should have waited longer.
                for due in self.delayed.take() {
                    self.perform(due, ctx);
                }
                self.close(&Cause::ShuttingDown, ctx);
                tail
            }
            Some(End::Eof) | None => return ctx.stop(),
        };
        // Read in peace what the peer still says, until its Close, its end, or the time that `close` has set.
        ctx.spawn(tail.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

impl From<Message> for ws::Message {
    fn from(message: Message) -> Self {
        match message {
            Message::Text(text) => Self::Text(text),
            Message::Binary(bytes) => Self::Binary(bytes),
        }
    }
}

impl Handler<Drain> for EchoSession {
    type Result = ();

    fn handle(&mut self, _: Drain, _: &mut Context) {
        self.ends.link.drain();
    }
}

/// Milliseconds since the Unix epoch, now.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
