//! Dropped, duplicated and delayed replies. A seed repeats the same outcomes.

use std::time::Duration;

use fastrand::Rng;

use super::behaviour::Impairment;

/// Chooses the outcome of each reply of one connection, in the order of its messages.
#[derive(Debug)]
pub(super) struct Impairer {
    /// `None` if every reply is sent once, without delay. In a box, because most connections have none.
    impaired: Option<Box<Impaired>>,
}

#[derive(Debug)]
struct Impaired {
    impairment: Impairment,
    rng: Rng,
}

/// How one reply is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Number of times that the reply is sent.
    pub(super) copies: usize,
    /// Delay before it is sent.
    pub(super) wait: Duration,
}

impl Impairer {
    pub(super) fn new(impairment: Impairment) -> Self {
        let impaired = (impairment != Impairment::default()).then(|| {
            let rng = impairment.seed.map_or_else(Rng::new, Rng::with_seed);
            Box::new(Impaired { impairment, rng })
        });
        Self { impaired }
    }

    /// Returns the outcome of the next message's reply.
    pub(super) fn next_outcome(&mut self) -> Outcome {
        let Some(impaired) = &mut self.impaired else {
            return Outcome {
                copies: 1,
                wait: Duration::ZERO,
            };
        };
        let Impaired { impairment, rng } = &mut **impaired;
        // Each message takes three random numbers in this order, even if a key is not set. An outcome then
        // depends only on the seed and on the message's number. A key that is added to the URL does not
        // change the outcomes of the others.
        let (drop, duplicate, jitter) = (rng.f64(), rng.f64(), rng.f64());
        let copies = match (drop < impairment.drop, duplicate < impairment.duplicate) {
            (true, _) => 0,
            (false, true) => 2,
            (false, false) => 1,
        };
        Outcome {
            copies,
            wait: impairment.delay + impairment.jitter.mul_f64(jitter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(impairment: Impairment) -> Vec<Outcome> {
        let mut impairer = Impairer::new(impairment);
        (0..1000).map(|_| impairer.next_outcome()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_outcomes_and_another_seed_others() {
        let impairment = Impairment {
            jitter: Duration::from_secs(1),
            drop: 0.3,
            duplicate: 0.3,
            seed: Some(7),
            ..Impairment::default()
        };
        let other_seed = Impairment {
            seed: Some(8),
            ..impairment
        };
        assert_eq!(outcomes(impairment), outcomes(impairment));
        assert_ne!(outcomes(impairment), outcomes(other_seed));
    }

    #[test]
    fn the_drops_of_a_seed_do_not_depend_on_the_other_keys() {
        let impairment = Impairment {
            jitter: Duration::from_secs(1),
            drop: 0.3,
            duplicate: 0.3,
            seed: Some(7),
            ..Impairment::default()
        };
        let drops_alone = Impairment {
            jitter: Duration::ZERO,
            duplicate: 0.0,
            ..impairment
        };
        let dropped = |impairment| -> Vec<_> {
            let outcomes = outcomes(impairment);
            outcomes.iter().map(|outcome| outcome.copies == 0).collect()
        };
        assert_eq!(dropped(impairment), dropped(drops_alone));
    }

    #[test]
    fn the_outcomes_of_a_seed_are_those_of_every_version() {
        let impairment = Impairment {
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
        let actual: Vec<_> = outcomes(impairment)
            .iter()
            .take(expected.len())
            .map(|outcome| (outcome.copies, outcome.wait.as_millis()))
            .collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn a_probability_of_1_is_certain() {
        let drop = Impairment {
            drop: 1.0,
            ..Impairment::default()
        };
        assert!(outcomes(drop).iter().all(|outcome| outcome.copies == 0));
        let duplicate = Impairment {
            duplicate: 1.0,
            ..Impairment::default()
        };
        assert!(outcomes(duplicate).iter().all(|outcome| outcome.copies == 2));
    }

    #[test]
    fn every_wait_is_from_delay_to_delay_plus_jitter() {
        let (delay, jitter) = (Duration::from_secs(2), Duration::from_secs(1));
        let impairment = Impairment {
            delay,
            jitter,
            ..Impairment::default()
        };
        assert!(
            outcomes(impairment)
                .iter()
                .all(|outcome| outcome.copies == 1 && (delay..delay + jitter).contains(&outcome.wait))
        );
    }
}
