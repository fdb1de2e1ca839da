//! The texts of the checks: what a check asks, what a finding means to an application, and what to change. They stand in
//! words/NAME.json, for the report, the docs and the page.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::report::{Fix, Verdict};

/// A text in the languages of the page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// English, which the command line has.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// The texts of one check.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// What the check asks.
    pub asks: Text,
    /// What it means if all is well.
    pub ok: Text,
    /// What it means if the answer is not known.
    pub unknown: Text,
    /// The findings by their keys.
    pub findings: BTreeMap<String, Finding>,
}

/// The texts of one finding.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// What it means to an application.
    pub meaning: Text,
    /// What to change, by program. Empty if no configuration changes it.
    #[serde(default)]
    pub fix: Vec<Fix>,
}

impl Words {
    /// Parses a words file. One that is invalid has no texts: a test holds that each is valid.
    pub fn parse(file: &str) -> Option<Self> {
        serde_json::from_str(file).ok()
    }

    /// Returns the meanings of these findings as one text, and what to change, with the changes of `between` first.
    pub fn describe(&self, verdict: Verdict, findings: &[&str], between: Option<&str>) -> (String, Vec<Fix>) {
        let found: Vec<_> = findings
            .iter()
            .filter_map(|key| self.findings.get(*key))
            .collect();
        if found.is_empty() {
            let text = if verdict == Verdict::Ok {
                &self.ok
            } else {
                &self.unknown
            };
            return (text.en.clone(), Vec::new());
        }
        let meanings: Vec<_> = found.iter().map(|finding| &*finding.meaning.en).collect();
        let mut fixes: Vec<Fix> = Vec::new();
        for fix in found.iter().flat_map(|finding| &finding.fix) {
            if !fixes.contains(fix) {
                fixes.push(fix.clone());
            }
        }
        let is_between = |fix: &Fix| {
            between.is_some_and(|between| {
                between
                    .to_ascii_lowercase()
                    .contains(&fix.place.to_ascii_lowercase())
            })
        };
        fixes.sort_by_key(|fix| !is_between(fix));
        (meanings.join(" "), fixes)
    }
}
