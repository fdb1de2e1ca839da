//! One WebSocket connection = one actix actor.
//!
//! The actor decides what is said and when; [`crate::wire`] has the frames, and the socket. Only this file touches the
//! actor's context: its neighbours are pure, or know nothing of actors.

pub mod behaviour;
mod client;
mod close;
mod connection;
mod delay_queue;
pub mod handshake;
mod heartbeat;
mod impairment;
pub(crate) mod refusal;
mod registry;
pub mod reply;
mod throttle;
pub mod watch;

use std::{
    net::SocketAddr,
    pin::{Pin, pin},
    rc::Rc,
    task::{Poll, ready},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use actix::{Actor, ActorContext, ActorFuture, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use actix_web::web;
use actix_web_actors::ws::CloseReason;
use log::{debug, info, log_enabled};
use serde_json::value::RawValue;
use tokio::{
    task::yield_now,
    time::{Sleep, sleep, sleep_until},
};

pub use registry::Registry;
pub use throttle::PerAddress;

use behaviour::{Action, Behaviour, CloseFrame, Trigger};
use close::Cause;
use delay_queue::DelayQueue;
use heartbeat::{Beat, Heartbeat};
use impairment::Impairer;
use registry::{Admission, Drain};
use reply::{Ingredients, Received, ReplyMode};
use throttle::Bucket;
use watch::Shown;

use crate::{
    metrics::{By, Code, DataKind, Label as _, Limit, Worker},
    state::State,
    wire::{End, Facts, Inbound, Incoming, Message, Outbound, Socket},
};

/// How long the server waits for the peer's Close after its own, so that it can be read in peace.
const LINGER: Duration = Duration::from_secs(2);

/// Most messages that a session hears before others have their turn.
const AT_ONCE: usize = 1024;

/// After more than so many bytes of them, inflated, it is the others' turn as well.
const AT_ONCE_BYTES: u64 = 1024 * 1024;

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
}

/// What of the URL's wishes is the session's to grant.
struct Manner {
    reply: ReplyMode,
    tick: Option<Duration>,
    action: Option<Action>,
    trigger: Trigger,
    pong: bool,
    close_reply: bool,
    /// What `reply=json` says of the connection.
    connection: Option<Box<RawValue>>,
}

impl Manner {
    fn new(behaviour: Behaviour, connection: Option<Box<RawValue>>) -> Self {
        Self {
            reply: behaviour.reply,
            tick: behaviour.tick,
            action: behaviour.action,
            trigger: behaviour.trigger,
            pong: behaviour.pong,
            close_reply: behaviour.close_reply,
            connection,
        }
    }
}

/// The two ends of the wire, and what is between them where it is ours.
struct Wire {
    inbound: Inbound<web::Payload>,
    outbound: Rc<Outbound>,
    socket: Option<Rc<Socket>>,
}

/// An open connection: what comes in, the replies, and the end.
///
/// Each line of the processor's cache that a message touches is one more to be fetched where many connections take turns.
/// So what is not for every message is in a box of its own.
pub(crate) struct EchoSession {
    state: web::Data<State>,
    worker: Worker,
    opening: Box<Opening>,
    manner: Manner,
    wire: Wire,
    heartbeat: Heartbeat,
    impairer: Impairer,
    /// Where messages may come only so fast.
    pace: Option<Box<Pace>>,
    delayed: DelayQueue<Due>,
    /// Messages whose replies went to the wire at once, and were not counted yet.
    prompt: u64,
    /// Our Close frame has gone: no frame of any kind may follow it (RFC 6455 section 5.5.1).
    closing: bool,
    tally: Tally,
}

/// How fast messages are taken.
struct Pace {
    bucket: Bucket,
    /// When the last one was taken: what waits to be read was not said this long ago.
    last: Instant,
    /// Until the next one may be.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    /// Ready once another message may be taken.
    #[cold]
    fn poll(&mut self, cx: &mut std::task::Context<'_>) -> Poll<()> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        Poll::Ready(())
    }
}

/// What waits for its time.
enum Due {
    /// A reply, and how often it is sent.
    Reply(Received<'static>, usize),
    /// What the URL asked for after so many messages.
    Action(Action),
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

type SessionContext = Context<EchoSession>;

impl EchoSession {
    fn new(
        state: web::Data<State>,
        worker: Worker,
        opening: Opening,
        manner: Manner,
        impairer: Impairer,
        wire: Wire,
        now: Instant,
    ) -> Self {
        let heartbeat = Heartbeat::new(state.config.ping_interval, state.config.idle_timeout, now);
        let pace = state.config.max_messages_per_second.limit().map(|rate| {
            Box::new(Pace {
                bucket: Bucket::new(rate, now),
                last: now,
                pause: None,
            })
        });
        Self {
            state,
            worker,
            opening: Box::new(opening),
            manner,
            wire,
            heartbeat,
            impairer,
            pace,
            delayed: DelayQueue::default(),
            prompt: 0,
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

    /// Answers a whole message, now or when its time comes.
    fn answer(&mut self, message: Message<'_>, facts: Facts, ctx: &mut SessionContext) {
        let bytes = message.payload.len();
        self.tally.messages += 1;
        self.tally.bytes += bytes as u64;
        if log_enabled!(log::Level::Debug) {
            self.log_message(&message);
        }
        let received = Received {
            message,
            seq: self.tally.messages,
            received_at: if self.manner.reply == ReplyMode::Json {
                now_ms()
            } else {
                0
            },
            facts,
        };
        self.keep_pace();
        let outcome = self.impairer.next_outcome();
        if outcome.wait.is_zero() && self.delayed.is_empty() {
            self.prompt += u64::from(self.reply(received, outcome.copies));
        } else {
            let received = Received {
                message: received.message.into_owned(),
                ..received
            };
            self.delay(outcome.wait, bytes, Due::Reply(received, outcome.copies), ctx);
        }
        if let (Some(action), Trigger::Messages(count)) = (&self.manner.action, self.manner.trigger)
            && count == self.tally.messages
        {
            let action = action.clone();
            if self.delayed.is_empty() {
                self.happen(action, ctx);
            } else {
                self.delay(Duration::ZERO, 0, Due::Action(action), ctx);
            }
        }
    }

    /// Takes nothing more from the peer, neither message nor control frame, until another message may come. Its bytes
    /// stay where they are: in this connection's chunk, which has a bound, then in the kernel's, then with the peer.
    fn keep_pace(&mut self) {
        let Some(pace) = &mut self.pace else { return };
        pace.last = Instant::now();
        // It is there: the last message waited for it.
        let _ = pace.bucket.take(pace.last);
        let wait = pace.bucket.wait(pace.last);
        if !wait.is_zero() && !self.wire.inbound.is_draining() {
            self.worker
                .count(|counters| &counters.limits[Limit::MaxMessagesPerSecond.index()]);
            pace.pause = Some(Box::pin(sleep(wait)));
        }
    }

    /// Ready where the pace allows another message, or no longer matters.
    fn poll_pace(&mut self, cx: &mut std::task::Context<'_>) -> Poll<()> {
        match &mut self.pace {
            Some(pace) if !self.wire.inbound.is_draining() => pace.poll(cx),
            _ => Poll::Ready(()),
        }
    }

    /// Puts it behind what waits.
    fn delay(&mut self, wait: Duration, bytes: usize, due: Due, ctx: &mut SessionContext) {
        let first = self.delayed.is_empty();
        self.delayed.push(Instant::now() + wait, bytes, due);
        self.wire.inbound.hold(self.delayed.is_full());
        if first {
            self.schedule_delayed(ctx);
        }
    }

    fn perform(&mut self, due: Due, ctx: &mut SessionContext) {
        match due {
            Due::Reply(received, copies) => {
                self.reply(received, copies);
            }
            Due::Action(action) => self.happen(action, ctx),
        }
    }

    /// Sends the reply so many times; true where there was one to send.
    fn reply(&self, received: Received<'_>, copies: usize) -> bool {
        if self.closing || copies == 0 {
            return false;
        }
        let with = Ingredients {
            prefix: &self.state.config.prefix,
            connection: self.manner.connection.as_deref(),
        };
        let mode = self.manner.reply;
        let now = if mode.tells_time() { now_ms() } else { 0 };
        let Some(reply) = mode.reply(received, with, now) else {
            return false;
        };
        for _ in 0..copies {
            self.wire.outbound.message(reply.kind, &reply.parts());
        }
        true
    }

    fn schedule_delayed(&self, ctx: &mut SessionContext) {
        if let Some(due) = self.delayed.due() {
            ctx.run_later(due.saturating_duration_since(Instant::now()), |session, ctx| {
                let now = Instant::now();
                while let Some(due) = session.delayed.pop(now) {
                    session.perform(due, ctx);
                }
                session.wire.inbound.hold(session.delayed.is_full());
                session.schedule_delayed(ctx);
            });
        }
    }

    /// What the URL asked to happen once.
    fn happen(&mut self, action: Action, ctx: &mut SessionContext) {
        if self.closing {
            return;
        }
        debug!(connection = self.id(), event:? = action; "as the URL asked");
        match action {
            Action::Close(CloseFrame { code, reason }) => {
                let reason = CloseReason {
                    code: code.into(),
                    description: Some(reason),
                };
                self.close_with(reason, ctx);
            }
            Action::Wire(fault) => {
                self.wire.outbound.broken(fault);
                if fault.is_close() {
                    self.tally.ended = Some(Ended::Broken);
                    self.wait_for_close(ctx);
                }
            }
            Action::Abort => {
                self.closing = true;
                self.tally.ended = Some(Ended::Aborted);
                ctx.run_later(ABORT_AFTER, |session, _| {
                    if let Some(socket) = &session.wire.socket {
                        socket.reset_on_drop();
                    }
                    session.wire.outbound.abort();
                });
            }
        }
    }

    /// Says the time unasked. Each tick sets the next: a connection that was held up does not catch up.
    fn tick(&mut self, ctx: &mut SessionContext) {
        if let (Some(tick), false) = (self.manner.tick, self.closing) {
            let now = now_ms().to_string();
            self.wire.outbound.message(DataKind::Text, &[now.as_bytes()]);
            ctx.run_later(tick, Self::tick);
        }
    }

    fn log_message(&self, message: &Message<'_>) {
        let bytes = &message.payload;
        let shown = &bytes[..bytes.len().min(LOGGED_PAYLOAD)];
        let mut payload = match message.kind {
            DataKind::Text => String::from_utf8_lossy(shown).into_owned(),
            DataKind::Binary => shown.escape_ascii().to_string(),
        };
        if bytes.len() > LOGGED_PAYLOAD {
            payload.push('…');
        }
        debug!(connection = self.id(), "type" = message.kind.name(), bytes = bytes.len(), payload; "message");
    }

    /// Sends the server's own Close, and gives the peer time to answer it.
    fn close(&mut self, cause: &Cause, ctx: &mut SessionContext) {
        if let (Some(limit), false) = (cause.limit(), self.closing) {
            self.worker.count(|counters| &counters.limits[limit.index()]);
        }
        self.close_with(cause.to_reason(), ctx);
    }

    fn close_with(&mut self, reason: CloseReason, ctx: &mut SessionContext) {
        if !self.closing {
            let description = reason.description.as_deref().unwrap_or_default();
            self.wire.outbound.close(Some((reason.code.into(), description)));
            self.tally.ended = Some(Ended::ByServer(reason));
            self.wait_for_close(ctx);
        }
    }

    fn wait_for_close(&mut self, ctx: &mut SessionContext) {
        self.closing = true;
        // Nothing of it will be sent; the peer's Close may stand behind what was held back.
        drop(self.delayed.take());
        self.wire.inbound.hold(false);
        ctx.run_later(LINGER, |_, ctx| ctx.stop());
    }

    /// Answers the peer's Close.
    fn closed_by_peer(&mut self, code: Option<u16>, ctx: &mut SessionContext) {
        self.tally.ended = Some(Ended::ByPeer(code));
        if !self.manner.close_reply {
            self.closing = true;
            let patience = self.state.config.idle_timeout.duration().unwrap_or(UNANSWERED);
            ctx.run_later(patience, |_, ctx| ctx.stop());
        } else {
            // "The status code it received" (RFC 6455 section 5.5.1), and an empty body to an empty one. The reason is the
            // peer's and is not repeated.
            self.wire.outbound.close(code.map(|code| (code, "")));
            self.closing = true;
            // The answer still goes out; then the server closes the TCP connection (RFC 6455 section 7.1.1).
            ctx.stop();
        }
    }

    /// Looks after the timers.
    fn beat(&mut self, ctx: &mut SessionContext) {
        let mut heard = self.wire.inbound.last_heard();
        let mut held = self.wire.inbound.is_held();
        if let Some(pace) = &self.pace {
            heard = heard.max(pace.last);
            held |= pace.pause.is_some();
        }
        self.wire.outbound.rest();
        match self.heartbeat.look(Instant::now(), heard, held) {
            _ if self.closing => {}
            Beat::Rest => {}
            Beat::Ping => self.wire.outbound.ping(),
            Beat::Idle => self.close(&Cause::Idle(self.state.config.idle_timeout), ctx),
        }
    }

    /// Hears what has come.
    fn poll_peer(&mut self, ctx: &mut SessionContext, cx: &mut std::task::Context<'_>) -> Poll<()> {
        ready!(self.poll_pace(cx));
        let mut ended = Poll::Pending;
        let mut chunk = self.wire.inbound.chunk();
        let enough = self.tally.bytes + AT_ONCE_BYTES;
        for heard in 1.. {
            match self.wire.inbound.poll_next(cx, &mut chunk) {
                Poll::Ready(Ok(incoming)) => self.hear(incoming, ctx),
                Poll::Ready(Err(end)) => {
                    self.heard_all(end, ctx);
                    ended = Poll::Ready(());
                    break;
                }
                Poll::Pending => break,
            }
            if ctx.waiting() || self.poll_pace(cx).is_pending() {
                break;
            }
            if heard == AT_ONCE || self.tally.bytes > enough {
                yield_to_others(cx);
                break;
            }
            if self.wire.outbound.is_full() {
                cx.waker().wake_by_ref();
                break;
            }
        }
        self.wire.inbound.rest(chunk);
        self.count_prompt();
        ended
    }

    fn hear(&mut self, incoming: Incoming<'_>, ctx: &mut SessionContext) {
        match incoming {
            // After our own Close only the peer's is waited for.
            Incoming::Close(_) if self.closing => ctx.stop(),
            _ if self.closing => {}
            Incoming::Message(message, facts) => self.answer(message, facts, ctx),
            Incoming::Ping(_) if !self.manner.pong => {}
            Incoming::Ping(payload) => self.wire.outbound.pong(payload),
            Incoming::Pong => {}
            Incoming::Close(code) => self.closed_by_peer(code, ctx),
        }
    }

    /// Nothing more will be heard.
    fn heard_all(&mut self, end: End<web::Payload>, ctx: &mut SessionContext) {
        let tail = match end {
            End::Violation(violation, tail) => {
                self.close(&Cause::Violation(violation), ctx);
                tail
            }
            End::Drained(tail) => {
                // What was received is answered, even where it should have waited longer.
                for due in self.delayed.take() {
                    self.perform(due, ctx);
                }
                self.close(&Cause::ShuttingDown, ctx);
                tail
            }
            End::Eof => return ctx.stop(),
        };
        // Read in peace what the peer still says, until its Close, its end, or the time that `close` has set.
        ctx.spawn(tail.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }

    /// One look at the clock for all that came at once: they are written at once.
    fn count_prompt(&mut self) {
        if self.prompt > 0 {
            let latency = self.wire.inbound.last_heard().elapsed();
            self.worker
                .replied_after(latency, std::mem::take(&mut self.prompt));
        }
    }
}

impl Actor for EchoSession {
    type Context = SessionContext;

    fn started(&mut self, ctx: &mut SessionContext) {
        let Opening {
            admission,
            peer,
            client,
            path,
            subprotocol,
            compressed,
            ..
        } = &*self.opening;
        admission.started(ctx.address().recipient());
        self.worker.count(|counters| &counters.opened);
        info!(
            connection = admission.id(), peer:%, client = client.as_deref(), path, subprotocol = subprotocol.as_deref().unwrap_or_default(),
            compression = if *compressed { "permessage-deflate" } else { "none" };
            "connection opened"
        );
        ctx.spawn(Hearing::default());
        if let Some(tick) = self.manner.tick {
            ctx.run_later(tick, Self::tick);
        }
        if let Some(action) = self.manner.action.clone() {
            match self.manner.trigger {
                Trigger::Handshake => self.happen(action, ctx),
                Trigger::Time(wait) => {
                    ctx.run_later(wait, |session, ctx| session.happen(action, ctx));
                }
                Trigger::Messages(_) => {}
            }
        }
    }

    fn stopped(&mut self, _: &mut SessionContext) {
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

/// Wakes this task once the runtime has looked which other sockets have something: by a plain wake it would be run again
/// before that, up to 61 times.
#[cold]
fn yield_to_others(cx: &mut std::task::Context<'_>) {
    let _ = pin!(yield_now()).poll(cx);
}

/// The future in the actor's context that hears the peer, and looks after its silence, for as long as the session lasts.
#[derive(Default)]
struct Hearing {
    /// For [`Heartbeat::due`]. It wakes by itself: as long as the peer speaks, nobody need ask it.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl ActorFuture<EchoSession> for Hearing {
    type Output = ();

    fn poll(
        mut self: Pin<&mut Self>,
        session: &mut EchoSession,
        ctx: &mut SessionContext,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<()> {
        let before = session.wire.inbound.last_heard();
        let ended = session.poll_peer(ctx, cx);
        let heard = session.wire.inbound.last_heard();
        let due = session.heartbeat.due();
        if self.alarm.is_none() || heard == before || due.is_some_and(|due| due <= heard) {
            self.poll_alarm(session, ctx, cx);
        }
        ended
    }
}

impl Hearing {
    fn poll_alarm(
        &mut self,
        session: &mut EchoSession,
        ctx: &mut SessionContext,
        cx: &mut std::task::Context<'_>,
    ) {
        while let Some(due) = session.heartbeat.due() {
            let alarm = self
                .alarm
                .get_or_insert_with(|| Box::pin(sleep_until(due.into())));
            if alarm.as_mut().poll(cx).is_pending() {
                break;
            }
            session.beat(ctx);
            if let Some(due) = session.heartbeat.due() {
                alarm.as_mut().reset(due.into());
            }
        }
    }
}

impl Handler<Drain> for EchoSession {
    type Result = ();

    fn handle(&mut self, _: Drain, _: &mut SessionContext) {
        self.wire.inbound.drain();
    }
}

/// Milliseconds since the Unix epoch, now.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
