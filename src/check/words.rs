//! The texts of the checks: what a check asks, what a finding means to an application, and what to change. They stand in
//! words/NAME.json, for the report, the docs and the page.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::report::{Check, Fix, Verdict};

/// A text in the languages of the page.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// English, which the command line has.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// The texts of one check.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// The question of the check.
    pub asks: Text,
    /// The meaning if all is well.
    pub ok: Text,
    /// The meaning if the answer is not known.
    pub unknown: Text,
    /// The findings by their keys.
    pub findings: BTreeMap<String, Finding>,
}

/// The texts of one finding.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The meaning to an application.
    pub meaning: Text,
    /// The changes, by program. Empty if no configuration helps.
    #[serde(default)]
    pub fix: Vec<Fix>,
}

impl Words {
    /// Parses a words file. One that is invalid has no texts: a test holds that each is valid.
    pub fn parse(file: &str) -> Option<Self> {
        serde_json::from_str(file).ok()
    }

    /// Adds to a check what its findings mean, and what to change, with the changes of `between` first.
    pub fn describe(&self, check: &mut Check, findings: &[&str], between: Option<&str>) {
        let found: Vec<_> = findings
            .iter()
            .filter_map(|key| self.findings.get(*key))
            .collect();
        let meanings: Vec<_> = found.iter().map(|finding| &*finding.meaning.en).collect();
        check.meaning = match check.verdict {
            Verdict::Skipped => String::new(),
            Verdict::Ok => self.ok.en.clone(),
            _ if meanings.is_empty() => self.unknown.en.clone(),
            _ => meanings.join(" "),
        };
        for fix in found.iter().flat_map(|finding| &finding.fix) {
            if !check.fix.contains(fix) {
                check.fix.push(fix.clone());
            }
        }
        let between = between.unwrap_or_default().to_ascii_lowercase();
        let is_between = |fix: &Fix| between.contains(&fix.place.to_ascii_lowercase());
        check.fix.sort_by_key(|fix| !is_between(fix));
        check.known = check.fix.iter().filter(|fix| is_between(fix)).count();
    }
}
