//! The answer of one check: what was seen, and which findings of its words file that is. Pure.

use std::cmp::Reverse;

use super::report::Verdict;

/// The observations of a check in order. The gravest one is the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub(super) verdict: Verdict,
    seen: Vec<(Verdict, String)>,
    /// The keys of the words file, in the order of the observations, each once.
    pub(super) findings: Vec<&'static str>,
}

impl Default for Outcome {
    fn default() -> Self {
        Self {
            verdict: Verdict::Skipped,
            seen: Vec::new(),
            findings: Vec::new(),
        }
    }
}

impl Outcome {
    /// Adds an observation that is as it should be.
    pub fn ok(&mut self, seen: impl Into<String>) {
        self.add(Verdict::Ok, None, seen.into());
    }

    /// Adds an observation that an application must know of, and can live with.
    pub fn differs(&mut self, finding: &'static str, seen: impl Into<String>) {
        self.add(Verdict::Differs, Some(finding), seen.into());
    }

    /// Adds an observation that breaks an application.
    pub fn broken(&mut self, finding: &'static str, seen: impl Into<String>) {
        self.add(Verdict::Broken, Some(finding), seen.into());
    }

    /// Adds what could not be seen, with the reason.
    pub fn unknown(&mut self, seen: impl Into<String>) {
        self.add(Verdict::Unknown, None, seen.into());
    }

    /// Adds the reason why the check has nothing to see.
    pub fn skipped(&mut self, seen: impl Into<String>) {
        self.add(Verdict::Skipped, None, seen.into());
    }

    /// Adds an observation that is broken with ws-echo at the far end, and its own choice with any other server.
    pub fn broken_unless(&mut self, is_other: bool, finding: &'static str, seen: impl Into<String>) {
        if is_other {
            self.unknown(seen);
        } else {
            self.broken(finding, seen);
        }
    }

    /// Returns whether something is broken.
    pub fn is_broken(&self) -> bool {
        self.verdict == Verdict::Broken
    }

    /// Returns the outcome of one observation.
    pub fn one(add: impl FnOnce(&mut Self)) -> Self {
        let mut outcome = Self::default();
        add(&mut outcome);
        outcome
    }

    /// Adds the observations of another outcome, which was made at the same time.
    pub fn extend(&mut self, other: Self) {
        self.verdict = self.verdict.max(other.verdict);
        self.seen.extend(other.seen);
        for finding in other.findings {
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
    }

    /// Returns what was seen as one line, the gravest first.
    pub fn seen(&self) -> String {
        let mut seen: Vec<_> = self.seen.iter().collect();
        seen.sort_by_key(|(verdict, _)| Reverse(*verdict));
        let seen: Vec<_> = seen.into_iter().map(|(_, seen)| &**seen).collect();
        seen.join("; ")
    }

    fn add(&mut self, verdict: Verdict, finding: Option<&'static str>, seen: String) {
        self.verdict = self.verdict.max(verdict);
        self.seen.push((verdict, seen));
        if let Some(finding) = finding
            && !self.findings.contains(&finding)
        {
            self.findings.push(finding);
        }
    }
}
