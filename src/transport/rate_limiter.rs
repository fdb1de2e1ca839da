//! The limit of bytes a second that the server sends (`?rate=`).

use std::{
    num::NonZeroU32,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// Number of steps a second, at rates of at least as many bytes a second.
const STEPS: u32 = 20;

/// Limits the writes of one connection: a step of bytes, then a pause.
#[derive(Debug)]
pub(super) struct RateLimiter {
    /// Bytes of one step.
    step: u32,
    /// Length of the pause after a step.
    pause: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl RateLimiter {
    /// Allows `rate` bytes a second.
    pub(super) fn new(rate: NonZeroU32) -> Self {
        let step = (rate.get() / STEPS).max(1);
        Self {
            step,
            pause: Duration::from_secs(step.into()) / rate.get(),
            sleep: Box::pin(sleep_until(Instant::now())),
        }
    }

    /// Returns the number of bytes that may be written, once the pause is over.
    pub(super) fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        let step = usize::try_from(self.step).unwrap_or(usize::MAX);
        self.sleep.as_mut().poll(cx).map(|()| step)
    }

    /// Starts the pause after a write of `written` bytes, at most one step.
    pub(super) fn pause(&mut self, written: usize) {
        let time = self.time_of(written);
        self.sleep.as_mut().reset(Instant::now() + time);
    }

    /// Whether the next step has to wait.
    pub(super) fn is_paused(&self) -> bool {
        !self.sleep.is_elapsed()
    }

    fn time_of(&self, bytes: usize) -> Duration {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.step);
        self.pause * bytes / self.step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_take_the_time_that_the_rate_gives_them() {
        let limiter = |rate| RateLimiter::new(NonZeroU32::new(rate).unwrap());
        let ms = Duration::from_millis;
        assert_eq!(limiter(1000).time_of(50), ms(50));
        assert_eq!(limiter(1000).time_of(3), ms(3));
        assert_eq!(limiter(1).time_of(1), ms(1000));
        assert_eq!(limiter(u32::MAX).time_of(0), ms(0));
    }
}
