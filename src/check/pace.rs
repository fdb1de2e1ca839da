//! Whether messages that were sent at an interval arrive one by one, or in lumps. Pure.

use std::time::Duration;

/// Number of messages below which nothing is judged.
const FEWEST: usize = 5;

/// Lateness in milliseconds below which messages that arrive together are no lump: a busy machine is as late.
const LEAST_LATE: f64 = 30.0;

/// Returns a time of ws-echo: the milliseconds since 1970 in digits.
pub(super) fn milliseconds(digits: &[u8]) -> Option<f64> {
    let number = std::str::from_utf8(digits).ok()?.parse::<u64>().ok()?;
    #[allow(
        clippy::cast_precision_loss,
        reason = "an f64 has all milliseconds since 1970 exactly"
    )]
    Some(number as f64)
}

/// The times of messages, in milliseconds. The clocks of the two ends need not agree: only differences count.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Pace {
    sent: Vec<f64>,
    arrived: Vec<f64>,
}

impl Pace {
    /// Adds a message in the order of arrival.
    pub(super) fn add(&mut self, sent: f64, arrived: f64) {
        self.sent.push(sent);
        self.arrived.push(arrived);
    }

    /// Returns the number of messages.
    pub(super) fn count(&self) -> usize {
        self.sent.len()
    }

    /// Returns how much later than the fastest message the slowest one came.
    pub(super) fn most_late(&self) -> Duration {
        let travelled = || {
            self.arrived
                .iter()
                .zip(&self.sent)
                .map(|(arrived, sent)| arrived - sent)
        };
        let (min, max) = travelled().fold((f64::MAX, f64::MIN), |(min, max), time| {
            (min.min(time), max.max(time))
        });
        Duration::from_secs_f64((max - min).max(0.0) / 1000.0)
    }

    /// Returns the number of groups of messages that were sent apart and arrived together.
    pub(super) fn groups(&self) -> usize {
        self.count() - self.joined()
    }

    fn joined(&self) -> usize {
        let pairs = self.sent.windows(2).zip(self.arrived.windows(2));
        pairs
            .filter(|(sent, arrived)| arrived[1] - arrived[0] < (sent[1] - sent[0]) / 4.0)
            .count()
    }

    /// Returns whether two in five messages, or more, arrived together with the one before.
    pub(super) fn is_in_lumps(&self) -> bool {
        self.count() >= FEWEST
            && self.joined() * 5 >= self.count() * 2
            && self.most_late().as_secs_f64() * 1000.0 >= LEAST_LATE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(arrived: impl Fn(u32) -> f64) -> Pace {
        let mut pace = Pace::default();
        for index in 0..40 {
            // The clock of the sender is another one.
            pace.add(1e12 + f64::from(index) * 20.0, arrived(index));
        }
        pace
    }

    #[test]
    fn messages_that_come_as_they_were_sent_are_no_lumps() {
        let steady = pace(|index| 7.0 + f64::from(index) * 20.0);
        assert_eq!((steady.is_in_lumps(), steady.groups()), (false, 40));
        assert!(steady.most_late() < Duration::from_millis(1));
        // One pause of the machine: five messages wait for it.
        let paused = pace(|index| if index < 5 { 100.0 } else { f64::from(index) * 20.0 });
        assert!(!paused.is_in_lumps());
    }

    #[test]
    fn messages_that_come_together_are_lumps() {
        let lumps = pace(|index| f64::from(index / 10 + 1) * 200.0 + f64::from(index % 10) * 0.1);
        assert!(lumps.is_in_lumps());
        assert_eq!(lumps.groups(), 4);
        assert_eq!(lumps.most_late().as_millis(), 179);
        assert!(!Pace::default().is_in_lumps());
    }
}
