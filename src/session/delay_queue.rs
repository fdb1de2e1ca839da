//! A bounded queue of items that are due later, in the order in which they were added.

use std::{collections::VecDeque, time::Instant};

/// Items that wait until they are due.
///
/// [`Self::push`] accepts every item, because a message that was read needs its reply. Instead, the owner
/// stops reading while the queue is full.
#[derive(Debug)]
pub(super) struct DelayQueue<T> {
    queue: VecDeque<Entry<T>>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry<T> {
    due: Instant,
    bytes: usize,
    item: T,
}

impl<T> Default for DelayQueue<T> {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
        }
    }
}

impl<T> DelayQueue<T> {
    /// Number of items at which the queue is full.
    const MAX_ITEMS: usize = 1024;
    /// Number of bytes at which the queue is full.
    const MAX_BYTES: usize = 1024 * 1024;

    /// Appends an item of `bytes` bytes. It is due at `due`, or together with the item before it if that is
    /// later: a reply must not overtake the reply to an earlier message.
    pub(super) fn push(&mut self, due: Instant, bytes: usize, item: T) {
        let due = self.queue.back().map_or(due, |last| due.max(last.due));
        self.bytes += bytes;
        self.queue.push_back(Entry { due, bytes, item });
    }

    /// Returns the time at which the first item is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.queue.front().map(|first| first.due)
    }

    /// Removes and returns the first item if it is due at `now`.
    pub(super) fn pop(&mut self, now: Instant) -> Option<T> {
        let Entry { bytes, item, .. } = self.queue.pop_front_if(|first| first.due <= now)?;
        self.bytes -= bytes;
        Some(item)
    }

    /// Removes and returns all items, due or not.
    pub(super) fn take(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.bytes = 0;
        std::mem::take(&mut self.queue)
            .into_iter()
            .map(|entry| entry.item)
    }

    /// Returns the sum of the bytes of all items that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns whether the queue holds [`Self::MAX_ITEMS`] items or [`Self::MAX_BYTES`] bytes.
    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= Self::MAX_ITEMS || self.bytes() >= Self::MAX_BYTES
    }

    /// Returns whether no item waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn no_item_overtakes_an_earlier_one() {
        let now = Instant::now();
        let mut queue = DelayQueue::default();
        queue.push(now + 2 * SECOND, 1, "slow");
        queue.push(now + SECOND, 1, "quick");
        assert_eq!(queue.pop(now + SECOND), None);
        assert_eq!(queue.due(), Some(now + 2 * SECOND));
        assert_eq!(queue.pop(now + 2 * SECOND), Some("slow"));
        assert_eq!(queue.pop(now + 2 * SECOND), Some("quick"));
        assert!(queue.is_empty());
    }

    #[test]
    fn the_bytes_that_wait_are_counted() {
        let now = Instant::now();
        let mut queue = DelayQueue::default();
        queue.push(now, 3, "abc");
        queue.push(now + SECOND, 2, "de");
        assert_eq!(queue.bytes(), 5);
        assert_eq!(queue.pop(now), Some("abc"));
        assert_eq!(queue.bytes(), 2);
        assert_eq!(queue.take().collect::<Vec<_>>(), ["de"]);
        assert_eq!(queue.bytes(), 0);
    }

    #[test]
    fn the_queue_is_full_at_1_mib_or_1024_items() {
        let now = Instant::now();
        let mut queue = DelayQueue::default();
        queue.push(now, 1024 * 1024 - 1, ());
        assert!(!queue.is_full());
        queue.push(now, 1, ());
        assert!(queue.is_full());
        assert_eq!(queue.take().count(), 2);
        for _ in 0..1023 {
            queue.push(now, 0, ());
        }
        assert!(!queue.is_full());
        queue.push(now, 0, ());
        assert!(queue.is_full());
    }
}
