//! The messages that the server sends before the client sends one: `hello`, `push`, and the first tick.

use std::time::Instant;

use fastrand::Rng;

use super::{
    behaviour::Hello,
    clock::now_ms,
    lifecycle::CloseOutcome,
    reply::{ReplyMode, describing},
    state::Session,
};
use crate::protocol::DataKind;

impl Session {
    /// Sends the first messages, and schedules the ticks.
    pub(super) fn send_first(&mut self, now: Instant) {
        let Some(mut first) = self.options.first.take() else {
            return;
        };
        if first.ends {
            self.end_by_fin(CloseOutcome::BrokenHandshake);
            return;
        }
        if let Some(head) = first.head.take() {
            // The first frame follows in the same buffer, and one call writes both.
            self.outbound.raw(&head.take());
        }
        match first.hello.take() {
            Some(Hello::Json) => {
                let json = describing(self.options.connection.as_deref());
                self.outbound.message(DataKind::Text, &[&json]);
            }
            Some(Hello::Time) => self.send_time(),
            Some(Hello::Text(text)) => self.outbound.message(DataKind::Text, &[text.as_bytes()]),
            None => {}
        }
        if self.options.reply != ReplyMode::Json {
            // Only `reply=json` needs it again.
            self.options.connection = None;
        }
        if let Some(interval) = first.tick {
            self.schedule.tick_every(interval, now);
        }
        if let Some(bytes) = first.push
            && self.push(bytes, first.seed)
        {
            first.pushed = Some(now);
            self.options.first = Some(first);
        }
    }

    /// Sends a binary message of random bytes, which compression does not make shorter. Returns whether the
    /// memory budget has room for it. If not, the read loop closes the session.
    fn push(&self, bytes: usize, seed: Option<u64>) -> bool {
        if !self.memory.has_room_for(bytes) {
            self.outbound.exceed_budget();
            return false;
        }
        let mut payload = vec![0; bytes];
        seed.map_or_else(Rng::new, Rng::with_seed).fill(&mut payload);
        self.outbound.message(DataKind::Binary, &[&payload]);
        self.outbound.await_written();
        true
    }

    /// Sends the milliseconds from the start of `push` until the kernel had all of its bytes.
    pub(super) fn on_written(&mut self) {
        let pushed = self.options.first.take().and_then(|first| first.pushed);
        if let Some(pushed) = pushed
            && self.lifecycle.may_send()
        {
            let ms = pushed.elapsed().as_millis().to_string();
            self.outbound.message(DataKind::Text, &[ms.as_bytes()]);
        }
    }

    /// Sends the time in milliseconds since the Unix epoch.
    pub(super) fn send_time(&self) {
        if self.lifecycle.may_send() {
            let now = now_ms().to_string();
            self.outbound.message(DataKind::Text, &[now.as_bytes()]);
        }
    }
}
