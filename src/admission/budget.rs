//! The memory that all sessions together may hold for messages and replies.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use thiserror::Error;

use crate::config::Size;

/// The memory that all sessions together may hold, in bytes. A clone shares the same total.
#[derive(Debug, Clone)]
pub struct MemoryBudget(Arc<Total>);

#[derive(Debug)]
struct Total {
    /// `usize::MAX` if there is no limit.
    limit: usize,
    /// The sum of all reservations. It guards no other memory, so each access is relaxed.
    held: AtomicUsize,
}

impl MemoryBudget {
    /// Creates a budget of `limit` bytes; 0 means no limit.
    pub fn new(limit: Size) -> Self {
        Self(Arc::new(Total {
            limit: limit.limit(),
            held: AtomicUsize::new(0),
        }))
    }

    /// Creates a reservation of 0 bytes.
    pub fn reservation(&self) -> Reservation {
        Reservation {
            total: Arc::clone(&self.0),
            held: Cell::new(0),
        }
    }

    /// Returns the bytes that all reservations hold together.
    pub fn held(&self) -> usize {
        self.0.held.load(Ordering::Relaxed)
    }
}

/// The share of one session in the [`MemoryBudget`]. Dropping it releases the share.
#[derive(Debug)]
pub struct Reservation {
    total: Arc<Total>,
    held: Cell<usize>,
}

impl Reservation {
    /// Returns the bytes that this reservation holds.
    pub fn held(&self) -> usize {
        self.held.get()
    }

    /// Changes the size to `bytes`. An unchanged size costs no atomic operation. A smaller size always
    /// succeeds.
    ///
    /// # Errors
    /// If the sum of all reservations would exceed the limit. The reservation keeps its old size.
    #[inline]
    pub fn resize(&self, bytes: usize) -> Result<(), BudgetExceeded> {
        if bytes == self.held.get() {
            return Ok(());
        }
        self.change(bytes)
    }

    fn change(&self, bytes: usize) -> Result<(), BudgetExceeded> {
        let held = self.held.get();
        let limit = self.total.limit;
        if let Some(more) = bytes.checked_sub(held) {
            // No `fetch_add` that is undone past the limit: another worker could read the sum in between, and
            // fail.
            self.total
                .held
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |total| {
                    total.checked_add(more).filter(|total| *total <= limit)
                })
                .map_err(|_| BudgetExceeded { limit })?;
        } else {
            self.total.held.fetch_sub(held - bytes, Ordering::Relaxed);
        }
        self.held.set(bytes);
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // Shrinking always succeeds.
        let _ = self.resize(0);
    }
}

/// The error of a reservation that would exceed the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("all connections together have reached the memory limit of {limit} bytes")]
pub struct BudgetExceeded {
    /// The limit in bytes.
    pub limit: usize,
}

#[cfg(test)]
mod tests {
    use std::thread;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_resize_past_the_limit_fails_and_keeps_the_old_size() {
        let budget = MemoryBudget::new(Size::bytes(100));
        let (one, two) = (budget.reservation(), budget.reservation());
        assert_eq!(one.resize(60), Ok(()));
        assert_eq!(two.resize(40), Ok(()));
        assert_eq!(two.resize(41), Err(BudgetExceeded { limit: 100 }));
        assert_eq!(two.resize(usize::MAX), Err(BudgetExceeded { limit: 100 }));
        assert_eq!((two.held(), budget.held()), (40, 100));
        assert_eq!(one.resize(59), Ok(()));
        assert_eq!(two.resize(41), Ok(()));
        drop(one);
        assert_eq!(budget.held(), 41);
    }

    #[test]
    fn zero_is_no_limit() {
        let budget = MemoryBudget::new(Size::bytes(0));
        let (one, two) = (budget.reservation(), budget.reservation());
        assert_eq!(one.resize(usize::MAX), Ok(()));
        assert!(two.resize(1).is_err(), "the sum does not wrap around");
        drop(one);
        assert_eq!(two.resize(1), Ok(()));
    }

    #[test]
    fn the_limit_holds_for_all_threads_together() {
        let budget = MemoryBudget::new(Size::bytes(1000));
        thread::scope(|scope| {
            for thread in 0..4 {
                let budget = budget.clone();
                scope.spawn(move || {
                    let reservation = budget.reservation();
                    for step in 0..2000 {
                        let _ = reservation.resize((step * 37 + thread * 11) % 700);
                        assert!(budget.held() <= 1000);
                    }
                });
            }
        });
        assert_eq!(budget.held(), 0);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Resize(usize, usize),
        Renew(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (0..4_usize, prop_oneof![0..=400_usize, Just(usize::MAX)]).prop_map(|(who, bytes)| Step::Resize(who, bytes)),
            1 => (0..4_usize).prop_map(Step::Renew),
        ]
    }

    proptest! {
        #[test]
        fn the_sum_never_passes_the_limit_and_ends_at_zero(steps in prop::collection::vec(step(), 0..200)) {
            let limit = 1000;
            let budget = MemoryBudget::new(Size::bytes(limit));
            let mut reservations: Vec<_> = (0..4).map(|_| budget.reservation()).collect();
            for step in steps {
                match step {
                    Step::Resize(index, bytes) => {
                        let before = reservations[index].held();
                        let others = budget.held() - before;
                        let fits = others.checked_add(bytes).is_some_and(|sum| sum <= limit);
                        let resized = reservations[index].resize(bytes);
                        prop_assert_eq!(resized.is_ok(), fits);
                        prop_assert_eq!(reservations[index].held(), if fits { bytes } else { before });
                    }
                    Step::Renew(index) => reservations[index] = budget.reservation(),
                }
                prop_assert_eq!(budget.held(), reservations.iter().map(Reservation::held).sum::<usize>());
                prop_assert!(budget.held() <= limit);
            }
            drop(reservations);
            prop_assert_eq!(budget.held(), 0);
        }
    }
}
