//! The limit on the bytes that the server sends a second (`?rate=`).

use std::{
    num::NonZeroU32,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// Number of steps a second. At a rate of fewer bytes a second, each byte is a step.
const STEPS: u32 = 20;

/// A limiter of one connection's writes: after each write of at most one step, it pauses.
#[derive(Debug)]
pub(super) struct RateLimiter {
    /// Number of bytes in one step.
    step: u32,
    /// Length of the pause after a complete step.
    pause: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl RateLimiter {
    /// Creates a limiter that allows `rate` bytes a second.
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

    /// Starts the pause for a write of `written` bytes, at most one step.
    pub(super) fn pause(&mut self, written: usize) {
        let duration = self.duration_of(written);
        self.sleep.as_mut().reset(Instant::now() + duration);
    }

    /// Returns whether the pause is not over.
    pub(super) fn is_paused(&self) -> bool {
        !self.sleep.is_elapsed()
    }

    fn duration_of(&self, bytes: usize) -> Duration {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.step);
        self.pause * bytes / self.step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_pause_is_the_number_of_bytes_divided_by_the_rate() {
        let limiter = |rate| RateLimiter::new(NonZeroU32::new(rate).unwrap());
        let ms = Duration::from_millis;
        assert_eq!(limiter(1000).duration_of(50), ms(50));
        assert_eq!(limiter(1000).duration_of(3), ms(3));
        assert_eq!(limiter(1).duration_of(1), ms(1000));
        assert_eq!(limiter(u32::MAX).duration_of(0), ms(0));
    }
}
