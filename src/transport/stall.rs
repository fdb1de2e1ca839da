//! The deadline for a peer that reads nothing (`--stall-timeout`). The server measures it without the kernel, on every system.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep};

/// A deadline that counts from the last time at which the kernel accepted bytes for the peer.
#[derive(Debug)]
pub(super) struct StallDeadline {
    /// `None` if there is no limit.
    timeout: Option<Duration>,
    /// `None` unless a write is pending.
    timer: Option<Pin<Box<Sleep>>>,
    /// Value of `progress` at the last poll.
    progress: u32,
}

impl StallDeadline {
    pub(super) fn new(timeout: Option<Duration>) -> Self {
        Self {
            timeout,
            timer: None,
            progress: 0,
        }
    }

    /// Stops the timer. To be called when no write is pending.
    pub(super) fn clear(&mut self) {
        self.timer = None;
    }

    /// Returns `Ready` once `progress` has not changed for the timeout. To be called while a write is pending.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, progress: u32) -> Poll<()> {
        let Some(timeout) = self.timeout else {
            return Poll::Pending;
        };
        let timer = match &mut self.timer {
            Some(timer) => {
                if progress != self.progress {
                    timer.as_mut().reset(Instant::now() + timeout);
                }
                timer
            }
            timer @ None => timer.insert(Box::pin(sleep(timeout))),
        };
        self.progress = progress;
        timer.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn progress_restarts_the_timeout_and_the_deadline_passes_without_progress() {
        let timeout = Duration::from_secs(30);
        let mut stall = StallDeadline::new(Some(timeout));
        let start = Instant::now();
        assert!(poll_fn(|cx| Poll::Ready(stall.poll(cx, 0))).await.is_pending());
        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(poll_fn(|cx| Poll::Ready(stall.poll(cx, 1))).await.is_pending());
        poll_fn(|cx| stall.poll(cx, 1)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(59));
        stall.clear();
        assert!(poll_fn(|cx| Poll::Ready(stall.poll(cx, 1))).await.is_pending());
    }
}
