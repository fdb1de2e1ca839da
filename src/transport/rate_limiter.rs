//! Limits the bytes a second towards the peer (`?rate=`).

use std::{
    num::NonZeroU32,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// Steps a second, if the rate allows as many.
const STEPS: u32 = 20;

/// Tells how many bytes may be written, and when.
#[derive(Debug)]
pub(super) struct RateLimiter {
    /// Bytes of one step.
    step: u32,
    /// The time that a step takes.
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

    /// Returns how many bytes may be written, once any may.
    pub(super) fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        let step = usize::try_from(self.step).unwrap_or(usize::MAX);
        self.sleep.as_mut().poll(cx).map(|()| step)
    }

    /// Notes that `written` bytes were written, at most one step.
    pub(super) fn pause(&mut self, written: usize) {
        let time = self.time_of(written);
        self.sleep.as_mut().reset(Instant::now() + time);
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
