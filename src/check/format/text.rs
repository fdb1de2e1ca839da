//! Text for a terminal: a line for each check as it ends, and what to change at the end.

use std::{fmt::Write as _, time::Duration};

use crate::check::report::{Check, Report, Verdict};

const BOLD: &str = "\x1B[1m";
const PLAIN: &str = "\x1B[0m";

/// Returns the colour of a verdict (ECMA-48 SGR).
fn colour(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "\x1B[32m",
        Verdict::Differs => "\x1B[33m",
        Verdict::Broken => "\x1B[1;31m",
        Verdict::Unknown | Verdict::Skipped => "\x1B[2m",
    }
}

/// Returns the line of a check. `is_compared` leaves out a check that is the same without the proxy.
pub fn line(check: &Check, is_compared: bool) -> Option<String> {
    if check.verdict == Verdict::Skipped || is_compared && check.direct.is_none() {
        return None;
    }
    let (colour, verdict) = (colour(check.verdict), check.verdict.as_str());
    let mut line = format!("{colour}{verdict:<8}{PLAIN} {:<12} {}\n", check.name, check.seen);
    if let Some(direct) = &check.direct {
        let _ = writeln!(line, "{:<8} {:<12} without the proxy {direct}", "", "");
    }
    Some(line)
}

/// Returns the end of the report: what to change, and a summary.
pub fn end(report: &Report, took: Duration) -> String {
    let mut text = skipped(report);
    let found = report
        .checks
        .iter()
        .filter(|check| matches!(check.verdict, Verdict::Broken | Verdict::Differs));
    for check in found {
        let (colour, verdict) = (colour(check.verdict), check.verdict.as_str());
        let _ = writeln!(
            text,
            "\n{BOLD}{}{PLAIN} {colour}{verdict}{PLAIN}\n  {}",
            check.name, check.meaning
        );
        // The program in between is known, or any may be.
        let shown = if check.known > 0 {
            check.known
        } else {
            check.fix.len()
        };
        for fix in &check.fix[..shown] {
            let change = fix.change.replace('\n', "\n      ");
            let _ = writeln!(text, "  {BOLD}{}{PLAIN}\n      {change}", fix.place);
        }
    }
    let counts = [
        (Verdict::Broken, "broken"),
        (Verdict::Differs, "differ"),
        (Verdict::Ok, "ok"),
        (Verdict::Unknown, "unknown"),
    ];
    let mut counts: Vec<_> = counts
        .into_iter()
        .map(|(verdict, word)| (report.count(verdict), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if counts.is_empty() {
        counts.push("no check ran".to_owned());
    }
    let _ = writeln!(text, "\n{} in {:.1} s", counts.join(", "), took.as_secs_f64());
    text
}

/// Returns one line for all checks that did not run for the same reason.
fn skipped(report: &Report) -> String {
    let mut text = String::new();
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for check in report
        .checks
        .iter()
        .filter(|check| check.verdict == Verdict::Skipped)
    {
        match reasons.iter_mut().find(|(reason, _)| *reason == check.seen) {
            Some((_, names)) => names.push(check.name),
            None => reasons.push((&check.seen, vec![check.name])),
        }
    }
    for (reason, names) in reasons {
        let _ = writeln!(text, "{}: {reason}", names.join(", "));
    }
    text
}
