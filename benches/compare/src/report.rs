//! Markdown tables, and the statistics in them.

use crate::meter::Outcome;

/// Prints a table whose column names are separated by " | ". The first column is text, the others are figures.
pub fn table(head: &str, rows: &[Vec<String>]) {
    println!("| {head} |\n|---|{}", "---:|".repeat(head.matches(" | ").count()));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
    println!();
}

/// Formats a whole number with commas, as 1,234,567.
pub fn whole(value: f64) -> String {
    // Adding zero turns -0 into 0.
    let digits = places(value.round() + 0.0, 0);
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if (digits.len() - at).is_multiple_of(3) && text.ends_with(|last: char| last.is_ascii_digit()) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub fn places(value: f64, places: usize) -> String {
    if value.is_finite() {
        format!("{value:.places$}")
    } else {
        "–".to_owned()
    }
}

pub fn percent(share: f64) -> String {
    if share.is_finite() {
        format!("{:.0} %", share * 100.0)
    } else {
        "–".to_owned()
    }
}

/// Returns the middle value, or the mean of the two middle values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        length => f64::midpoint(values[(length - 1) / 2], values[length / 2]),
    }
}

/// Returns the distance from the least to the greatest value, as a share of the median.
pub fn spread(values: &[f64]) -> f64 {
    let most = values.iter().copied().fold(f64::MIN, f64::max);
    let least = values.iter().copied().fold(f64::MAX, f64::min);
    (most - least) / median(values.to_vec())
}

/// The outcomes of a server in all rounds.
#[derive(Debug, Default)]
pub struct Samples(pub Vec<Outcome>);

impl Samples {
    pub fn median(&self, value: fn(&Outcome) -> f64) -> f64 {
        median(self.0.iter().map(value).collect())
    }

    pub fn spread(&self) -> f64 {
        spread(&self.0.iter().map(|outcome| outcome.rate).collect::<Vec<_>>())
    }

    /// Returns the median of the ratios within each round: a drift of the machine between the rounds does not change
    /// them.
    pub fn ratio(&self, other: &Self, value: fn(&Outcome) -> f64) -> f64 {
        let pairs = self.0.iter().zip(&other.0);
        median(pairs.map(|(ours, theirs)| value(ours) / value(theirs)).collect())
    }

    /// Formats the rate and its spread.
    pub fn rate(&self) -> [String; 2] {
        [whole(self.median(|outcome| outcome.rate)), percent(self.spread())]
    }

    /// Formats latency, the server's processor time, and the shares of [`Self::busy`].
    pub fn costs(&self, decimals: usize) -> Vec<String> {
        let latency = [self.median(|of| of.p50), self.median(|of| of.p99)].map(|value| places(value, 0));
        let cost = places(self.median(|outcome| outcome.cost), decimals);
        [&latency[..], &[cost], &self.busy()].concat()
    }

    /// Formats the shares of the server, of the load generator and of other processes.
    pub fn busy(&self) -> [String; 3] {
        let shares: [fn(&Outcome) -> f64; 3] = [|of| of.server_busy, |of| of.load_busy, |of| of.disturbed];
        shares.map(|share| percent(self.median(share)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_formatted() {
        assert_eq!(whole(1_234_567.2), "1,234,567");
        assert_eq!(whole(999.6), "1,000");
        assert_eq!(whole(-123.0), "-123");
        assert_eq!(whole(-1234.0), "-1,234");
        assert_eq!(whole(f64::NAN), "–");
        assert_eq!(percent(0.256), "26 %");
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(vec![]).is_nan());
        assert_eq!(spread(&[90.0, 100.0, 110.0]), 0.2);
    }
}
