//! The result of all checks. Pure. Each text in it may contain bytes from the far end, and is escaped here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{config::CheckName, escape::escaped};

/// Maximum length of a text from a check, in bytes.
const MAX_TEXT: usize = 1000;

/// The verdict of a check. The later one is the graver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It did not run.
    Skipped,
    /// The far end gets what was sent, and the client gets the answer.
    Ok,
    /// The answer is not known: the far end cannot give it.
    Unknown,
    /// Something between changes what was sent, and an application works nevertheless.
    Differs,
    /// An application would fail.
    Broken,
}

impl Verdict {
    /// Returns the name, as in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Differs => "differs",
            Self::Broken => "broken",
        }
    }
}

/// A change of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// The program to configure, such as `nginx`.
    #[serde(rename = "where")]
    pub place: String,
    /// The lines of its configuration, or where they are set.
    pub change: String,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// Its verdict.
    pub verdict: Verdict,
    /// The observations, with figures and units.
    pub seen: String,
    /// The meaning to an application.
    pub meaning: String,
    /// The changes, those of the program in between first.
    pub fix: Vec<Fix>,
    /// The number of changes at the start of `fix` that are for a program that the response names.
    #[serde(skip)]
    pub known: usize,
    /// The observations without the proxy, with `--direct`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direct: Option<String>,
    /// The time that it took.
    #[serde(skip)]
    pub took: Duration,
}

impl Check {
    /// Creates a result. `seen` is escaped and cut.
    pub fn new(name: CheckName, verdict: Verdict, seen: &str, took: Duration) -> Self {
        Self {
            name: name.as_str(),
            verdict,
            seen: shown(seen),
            meaning: String::new(),
            fix: Vec::new(),
            known: 0,
            direct: None,
            took,
        }
    }

    /// Returns whether `other`, of the same check without the proxy, says the same.
    pub fn equals(&self, other: &Self) -> bool {
        (self.verdict, &self.meaning) == (other.verdict, &other.meaning)
    }
}

/// The result of all checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The URL.
    pub target: String,
    /// The gravest verdict of a check.
    pub verdict: Verdict,
    /// The results, in the order of the checks.
    pub checks: Vec<Check>,
}

impl Report {
    /// Creates a report.
    pub fn new(target: &str, checks: Vec<Check>) -> Self {
        let verdicts = checks.iter().map(|check| check.verdict);
        Self {
            target: shown(target),
            // A report in which no check ran knows nothing.
            verdict: match verdicts.max() {
                None | Some(Verdict::Skipped) => Verdict::Unknown,
                Some(verdict) => verdict,
            },
            checks,
        }
    }

    /// Returns the number of checks with this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.checks
            .iter()
            .filter(|check| check.verdict == verdict)
            .count()
    }
}

/// Returns a text that no terminal executes, of a bounded length.
pub fn shown(text: &str) -> String {
    let text = escaped(text);
    let cut = &text[..text.floor_char_boundary(MAX_TEXT)];
    if cut.len() < text.len() {
        format!("{cut}…")
    } else {
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_verdict_is_that_of_the_report() {
        use Verdict::{Broken, Differs, Ok, Skipped, Unknown};
        let report = |verdicts: &[Verdict]| {
            let check = |verdict: &Verdict| Check::new(CheckName::Headers, *verdict, "", Duration::ZERO);
            Report::new("ws://a/", verdicts.iter().map(check).collect()).verdict
        };
        assert_eq!(report(&[Ok, Skipped]), Ok);
        assert_eq!(report(&[Ok, Unknown]), Unknown);
        assert_eq!(report(&[Unknown, Differs, Ok]), Differs);
        assert_eq!(report(&[Broken, Differs]), Broken);
        assert_eq!(report(&[Skipped]), Unknown);
    }

    #[test]
    fn a_text_from_the_far_end_is_escaped_and_cut() {
        let check = Check::new(CheckName::Headers, Verdict::Ok, "\x1b[2J\r\n", Duration::ZERO);
        assert_eq!(check.seen, r"\u{1b}[2J\r\n");
        assert!(shown(&"é".repeat(2000)).len() <= MAX_TEXT + "…".len());
    }
}
