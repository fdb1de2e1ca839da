//! What the server counts of itself, and nothing about how it is told.
//!
//! Each worker counts for itself: its counters have one writer, so that counting is a load and a store of its own
//! memory, without a lock and without a cache line that cores must pass to each other. Who asks adds them up.

mod counter;
mod histogram;
mod labels;

use std::{
    marker::PhantomData,
    ops::Deref,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

pub use counter::Counter;
use histogram::Histogram;
pub use labels::{CloseCodeLabel, ClosedBy, FrameKind, Label, Limit, MessageType, RefusalReason};

/// All workers' counters.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Those of a worker that is gone are kept: a counter never falls.
    workers: Mutex<Vec<Arc<Counters>>>,
}

impl Metrics {
    /// The counters of one more worker.
    pub fn local(&self) -> LocalCounters {
        let counters = Arc::<Counters>::default();
        self.lock().push(Arc::clone(&counters));
        LocalCounters {
            counters,
            _one_thread: PhantomData,
        }
    }

    /// The sum of what `read` finds with each worker.
    pub fn sum(&self, read: impl Fn(&Counters) -> &Counter) -> u64 {
        let workers = self.lock();
        workers.iter().map(|counters| read(counters).get()).sum()
    }

    /// Reply latencies: their sum, and how many were within each bound and above the one before it; the last bound is
    /// infinite.
    pub fn latency(&self) -> (Duration, Vec<(f64, u64)>) {
        let workers = self.lock();
        histogram::sum(workers.iter().map(|counters| &counters.latency))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Counters>>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The counters of one worker, in that worker's hands. It cannot leave its thread, which makes it their only writer.
#[derive(Debug, Clone)]
pub struct LocalCounters {
    counters: Arc<Counters>,
    _one_thread: PhantomData<Rc<()>>,
}

impl LocalCounters {
    /// Counts some more.
    pub(crate) fn add(&self, read: impl FnOnce(&Counters) -> &Counter, more: u64) {
        read(&self.counters).add(more);
    }

    /// Counts one more.
    pub(crate) fn count(&self, read: impl FnOnce(&Counters) -> &Counter) {
        self.add(read, 1);
    }

    /// Counts messages whose replies were ready so long after the last of them had come.
    pub(crate) fn replied_after(&self, latency: Duration, messages: u64) {
        self.counters.latency.observe(latency, messages);
    }
}

/// For reading.
impl Deref for LocalCounters {
    type Target = Counters;

    fn deref(&self) -> &Counters {
        &self.counters
    }
}

/// What one worker has counted.
#[derive(Debug, Default)]
pub struct Counters {
    /// WebSocket connections that were opened.
    pub opened: Counter,
    /// Those that have ended, by who closed and by the code.
    pub closed: [[Counter; CloseCodeLabel::COUNT]; ClosedBy::COUNT],
    /// Handshakes that were refused.
    pub refused: [Counter; RefusalReason::COUNT],
    /// What was hit of what the operator allows.
    pub limits: [Counter; Limit::COUNT],
    /// From the peers.
    pub received: Traffic,
    /// To the peers.
    pub sent: Traffic,
    latency: Histogram,
}

/// What went one way.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Whole messages.
    pub messages: [Counter; MessageType::COUNT],
    /// Their payload bytes, as the application sees them.
    pub bytes: [Counter; MessageType::COUNT],
    /// Frames on the wire.
    pub frames: [Counter; FrameKind::COUNT],
    /// Of compressed messages, the payload bytes before compression.
    pub deflate_plain: Counter,
    /// Of compressed messages, the payload bytes on the wire.
    pub deflate_compressed: Counter,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_workers_count_adds_up_and_outlives_them() {
        let metrics = Metrics::default();
        let (one, two) = (metrics.local(), metrics.local());
        one.count(|counters| &counters.opened);
        two.add(|counters| &counters.opened, 2);
        one.count(|counters| &counters.closed[ClosedBy::Peer.index()][CloseCodeLabel::of(1000).index()]);
        drop((one, two));
        assert_eq!(metrics.sum(|counters| &counters.opened), 3);
        assert_eq!(
            metrics
                .sum(|counters| &counters.closed[ClosedBy::Peer.index()][CloseCodeLabel::of(1000).index()]),
            1
        );
    }
}
