//! What becomes of each reply: lost, doubled, late. Repeatable where a seed was given.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use fastrand::Rng;

use super::behaviour::Fate;

/// The fates of one connection's replies, in the order of its messages.
#[derive(Debug)]
pub(super) struct Fates {
    /// None where each reply is sent once, at once.
    urn: Option<Box<Urn>>,
}

/// Where lots are drawn from.
#[derive(Debug)]
struct Urn {
    fate: Fate,
    rng: Rng,
}

/// What becomes of one reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lot {
    /// How often it is sent.
    pub(super) copies: usize,
    /// How much later.
    pub(super) wait: Duration,
}

impl Fates {
    pub(super) fn new(fate: Fate) -> Self {
        let urn = (fate != Fate::default()).then(|| {
            let rng = fate.seed.map_or_else(Rng::new, Rng::with_seed);
            Box::new(Urn { fate, rng })
        });
        Self { urn }
    }

    /// The next message's lot.
    pub(super) fn draw(&mut self) -> Lot {
        let Some(urn) = &mut self.urn else {
            return Lot {
                copies: 1,
                wait: Duration::ZERO,
            };
        };
        let Urn { fate, rng } = &mut **urn;
        // Each message takes three numbers, needed or not: its fate hangs on the seed and its place alone.
        let (drop, duplicate, jitter) = (rng.f64(), rng.f64(), rng.f64());
        let copies = match (drop < fate.drop, duplicate < fate.duplicate) {
            (true, _) => 0,
            (false, true) => 2,
            (false, false) => 1,
        };
        Lot {
            copies,
            wait: fate.delay + fate.jitter.mul_f64(jitter),
        }
    }
}

/// What is due later, in order: nothing overtakes what came before it.
#[derive(Debug)]
pub(super) struct Delayed<T> {
    queue: VecDeque<(Instant, usize, T)>,
    bytes: usize,
}

impl<T> Default for Delayed<T> {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
        }
    }
}

impl<T> Delayed<T> {
    /// From so many on, input is held back.
    const FULL_ITEMS: usize = 1024;
    /// From so many bytes on, input is held back.
    const FULL_BYTES: usize = 1024 * 1024;

    /// Puts an item of `bytes` bytes behind the others; due at `due`, or with the last one where that is later.
    pub(super) fn push(&mut self, due: Instant, bytes: usize, item: T) {
        let due = self.queue.back().map_or(due, |(last, ..)| due.max(*last));
        self.bytes += bytes;
        self.queue.push_back((due, bytes, item));
    }

    /// When the first item is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.queue.front().map(|(due, ..)| *due)
    }

    /// The first item, where it is due.
    pub(super) fn pop(&mut self, now: Instant) -> Option<T> {
        let (_, bytes, item) = self.queue.pop_front_if(|(due, ..)| *due <= now)?;
        self.bytes -= bytes;
        Some(item)
    }

    /// Everything, due or not.
    pub(super) fn take(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.bytes = 0;
        std::mem::take(&mut self.queue).into_iter().map(|(.., item)| item)
    }

    /// Whether nothing more should come in for now.
    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= Self::FULL_ITEMS || self.bytes >= Self::FULL_BYTES
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lots(fate: Fate) -> Vec<Lot> {
        let mut fates = Fates::new(fate);
        (0..1000).map(|_| fates.draw()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_fates_and_another_one_others() {
        let fate = Fate {
            jitter: Duration::from_secs(1),
            drop: 0.3,
            duplicate: 0.3,
            seed: Some(7),
            ..Fate::default()
        };
        assert_eq!(lots(fate), lots(fate));
        assert_ne!(
            lots(fate),
            lots(Fate {
                seed: Some(8),
                ..fate
            })
        );
        // What is dropped does not hang on what else is asked for.
        let dropped = |fate| lots(fate).iter().map(|lot| lot.copies == 0).collect::<Vec<_>>();
        assert_eq!(
            dropped(fate),
            dropped(Fate {
                jitter: Duration::ZERO,
                duplicate: 0.0,
                ..fate
            })
        );
    }

    #[test]
    fn seed_7_gives_the_outcomes_that_it_always_gave() {
        let fate = Fate {
            delay: Duration::from_millis(100),
            jitter: Duration::from_secs(1),
            drop: 0.3,
            duplicate: 0.3,
            seed: Some(7),
        };
        // Copies and milliseconds.
        let expected: [(usize, u128); 12] = [
            (2, 818),
            (2, 265),
            (2, 238),
            (1, 128),
            (1, 590),
            (1, 528),
            (1, 1033),
            (2, 416),
            (0, 714),
            (1, 545),
            (1, 573),
            (2, 331),
        ];
        let outcomes: Vec<_> = lots(fate)
            .iter()
            .take(expected.len())
            .map(|lot| (lot.copies, lot.wait.as_millis()))
            .collect();
        assert_eq!(outcomes, expected);
    }

    #[test]
    fn certainties_are_certain_and_waits_within_their_bounds() {
        assert!(
            lots(Fate {
                drop: 1.0,
                ..Fate::default()
            })
            .iter()
            .all(|lot| lot.copies == 0)
        );
        assert!(
            lots(Fate {
                duplicate: 1.0,
                ..Fate::default()
            })
            .iter()
            .all(|lot| lot.copies == 2)
        );
        let (delay, jitter) = (Duration::from_secs(2), Duration::from_secs(1));
        let lots = lots(Fate {
            delay,
            jitter,
            ..Fate::default()
        });
        assert!(
            lots.iter()
                .all(|lot| lot.copies == 1 && (delay..delay + jitter).contains(&lot.wait))
        );
    }

    #[test]
    fn nothing_overtakes_and_the_bound_is_told() {
        let now = Instant::now();
        let s = Duration::from_secs;
        let mut delayed = Delayed::default();
        delayed.push(now + s(2), 1, "slow");
        delayed.push(now + s(1), 1, "quick");
        assert_eq!(delayed.pop(now + s(1)), None);
        assert_eq!(delayed.due(), Some(now + s(2)));
        assert_eq!(delayed.pop(now + s(2)), Some("slow"));
        assert_eq!(delayed.pop(now + s(2)), Some("quick"));
        assert!(delayed.is_empty());
        delayed.push(now, 1024 * 1024 - 1, "");
        assert!(!delayed.is_full());
        delayed.push(now, 1, "");
        assert!(delayed.is_full());
        assert_eq!(delayed.take().count(), 2);
        assert!(!delayed.is_full());
        for _ in 0..1024 {
            delayed.push(now, 0, "");
        }
        assert!(delayed.is_full());
    }
}
