//! The counters of the server, without their exposition.
//!
//! A set of counters belongs to one worker thread. Each counter then has one writer, and counting is a load and a store,
//! without a lock and without a cache line that cores share. A reader adds up all sets.

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

/// The counters of all worker threads.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Includes those of threads that have ended, because a counter must never fall.
    sets: Mutex<Vec<Arc<Counters>>>,
}

impl Metrics {
    /// Creates a set of counters for the calling thread.
    pub fn local(&self) -> LocalCounters {
        let counters = Arc::<Counters>::default();
        self.lock().push(Arc::clone(&counters));
        LocalCounters {
            counters,
            _one_thread: PhantomData,
        }
    }

    /// Returns the sum over all sets, of the counter that `read` selects.
    pub fn sum(&self, read: impl Fn(&Counters) -> &Counter) -> u64 {
        let sets = self.lock();
        sets.iter().map(|counters| read(counters).get()).sum()
    }

    /// Returns the sum of the reply latencies, and the count of each bucket with its upper bound. The last bound is infinite.
    pub fn latency(&self) -> (Duration, Vec<(f64, u64)>) {
        let sets = self.lock();
        histogram::sum(sets.iter().map(|counters| &counters.latency))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Counters>>> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A set of counters, for writing. The type cannot leave its thread, so each counter has one writer.
#[derive(Debug, Clone)]
pub struct LocalCounters {
    counters: Arc<Counters>,
    _one_thread: PhantomData<Rc<()>>,
}

impl LocalCounters {
    /// Adds `more` to a counter.
    pub(crate) fn add(&self, read: impl FnOnce(&Counters) -> &Counter, more: u64) {
        read(&self.counters).add(more);
    }

    /// Adds one to a counter.
    pub(crate) fn count(&self, read: impl FnOnce(&Counters) -> &Counter) {
        self.add(read, 1);
    }

    /// Records `messages` replies that were ready this long after the last received byte.
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

/// A set of counters.
#[derive(Debug, Default)]
pub struct Counters {
    /// WebSocket connections that were opened.
    pub opened: Counter,
    /// WebSocket connections that have ended, by the side that closed first and by the close code.
    pub closed: [[Counter; CloseCodeLabel::COUNT]; ClosedBy::COUNT],
    /// Handshakes that were refused.
    pub refused: [Counter; RefusalReason::COUNT],
    /// Times that a configured limit was reached.
    pub limits: [Counter; Limit::COUNT],
    /// Received from peers.
    pub received: Traffic,
    /// Sent to peers.
    pub sent: Traffic,
    latency: Histogram,
}

/// The counters of one direction.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Complete messages.
    pub messages: [Counter; MessageType::COUNT],
    /// Payload bytes of messages, after decompression.
    pub bytes: [Counter; MessageType::COUNT],
    /// Frames.
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
    fn a_sum_includes_the_counters_of_ended_threads() {
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
