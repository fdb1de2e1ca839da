//! `--max-messages-per-second`: the server reads no faster, so the client's writes block. No message is
//! dropped.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use tokio::time::{Sleep, sleep};

use crate::{admission::MessageRate, config::Rate};

/// Limits the messages of one connection.
pub(super) struct MessageRateLimit {
    rate: MessageRate,
    last_message: Instant,
    /// Present while reading is paused.
    pause: Option<Pin<Box<Sleep>>>,
}

impl MessageRateLimit {
    /// Returns None if there is no limit.
    pub(super) fn new(rate: Rate, now: Instant) -> Option<Self> {
        Some(Self {
            rate: MessageRate::new(rate)?,
            last_message: now,
            pause: None,
        })
    }

    /// Returns the time of the last message. A client whose messages wait to be read is not idle.
    pub(super) fn last_message(&self) -> Instant {
        self.last_message
    }

    pub(super) fn is_paused(&self) -> bool {
        self.pause.is_some()
    }

    /// Counts a message. Returns whether the next message must wait.
    pub(super) fn count_message(&mut self, now: Instant) -> bool {
        self.last_message = now;
        self.pause = self.rate.take().map(|wait| Box::pin(sleep(wait)));
        self.pause.is_some()
    }

    /// Returns Ready once the next message may be handled.
    #[cold]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        Poll::Ready(())
    }
}
