//! The replies of a session, sent at once or delayed.

use std::{
    task::{Context, Poll},
    time::{Duration, Instant},
};

use super::{
    behaviour::Action,
    clock::now_ms,
    reply::{Received, ReplyContext, ReplyMode},
    schedule::DelayedItem,
    state::{Input, Session},
};
use crate::{
    metrics::Limit,
    protocol::{Message, MessageMeta},
};

impl Session {
    /// Sends or delays the reply to a message. Then runs the action if this message triggers it.
    pub(super) fn reply_to(&mut self, message: Message<'_>, meta: MessageMeta) {
        let bytes = message.payload.len();
        self.stats.count(bytes);
        self.log_message(&message);
        let received = Received {
            message,
            seq: self.stats.messages,
            received_at: if self.options.reply == ReplyMode::Json {
                now_ms()
            } else {
                0
            },
            meta,
        };
        let triggered = self.triggered_action(&received.message);
        self.apply_rate_limit();
        let outcome = self.impairer.next_outcome();
        if outcome.wait.is_zero() && self.schedule.delays_nothing() {
            self.stats.undelayed_replies += u64::from(self.send_reply(received, outcome.copies));
        } else {
            let received = Received {
                message: received.message.into_owned(),
                ..received
            };
            self.delay(outcome.wait, bytes, DelayedItem::Reply(received, outcome.copies));
        }
        if let Some(action) = triggered {
            if self.schedule.delays_nothing() {
                self.run_action(action);
            } else {
                self.delay(Duration::ZERO, 0, DelayedItem::Action(action));
            }
        }
    }

    /// Returns the action if this message triggers it. It runs once.
    fn triggered_action(&mut self, message: &Message<'_>) -> Option<Action> {
        let number = self.stats.messages;
        let action = self
            .options
            .action
            .take_if(|action| action.1.is_message(message, number))?;
        Some(action.0)
    }

    /// Sends the reply to a message `copies` times. Returns whether a reply was sent.
    pub(super) fn send_reply(&self, received: Received<'_>, copies: usize) -> bool {
        if copies == 0 || !self.lifecycle.may_send() {
            return false;
        }
        let context = ReplyContext {
            prefix: &self.context.prefix,
            connection: self.options.connection.as_deref(),
        };
        // The read loop closes a session that exceeds the memory budget at the end of this poll.
        if !self.memory.has_room_for(copies * received.message.payload.len()) {
            self.outbound.exceed_budget();
            return false;
        }
        let mode = self.options.reply;
        let now = if mode.has_timestamp() { now_ms() } else { 0 };
        let Some(reply) = mode.reply(received, context, now) else {
            return false;
        };
        for _ in 0..copies {
            self.outbound.message(reply.kind, &reply.parts());
        }
        true
    }

    fn delay(&mut self, wait: Duration, bytes: usize, item: DelayedItem) {
        self.schedule.delay(item, Instant::now() + wait, bytes);
        self.pause_input(self.schedule.is_full());
    }

    /// Records the time from the last received bytes to the replies, once for all messages of a poll: their
    /// replies are written together.
    #[inline]
    pub(super) fn record_latency(&mut self) {
        let replies = std::mem::take(&mut self.stats.undelayed_replies);
        if replies > 0 {
            self.context
                .counters
                .replied_after(self.stats.received.elapsed(), replies);
        }
    }

    /// Returns Ready if the rate allows the next message. A drain ignores the rate.
    pub(super) fn poll_rate(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match (&mut self.rate, &self.input) {
            (Some(rate), Input::Messages(inbound)) if !inbound.is_draining() => rate.poll(cx),
            _ => Poll::Ready(()),
        }
    }

    /// Counts a message. If the rate is exceeded, the input pauses, control frames included, until the next
    /// message is allowed. Unread bytes fill this connection's bounded read buffer, then the kernel's
    /// buffers. Then the client's writes block.
    fn apply_rate_limit(&mut self) {
        if let Some(rate) = &mut self.rate
            && rate.count_message(Instant::now())
        {
            self.context
                .counters
                .count(|counters| &counters.limits[Limit::MaxMessagesPerSecond.index()]);
        }
    }
}
