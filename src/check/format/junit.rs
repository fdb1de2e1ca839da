//! JUnit's XML, as CI systems read it.

use std::fmt::Write as _;

use crate::check::report::{Report, Verdict};

/// Returns one test suite with a test case for each check. What is broken is a failure, what is unknown or did not run is skipped.
pub fn write(report: &Report) -> String {
    let time: f64 = report.checks.iter().map(|check| check.took.as_secs_f64()).sum();
    let skipped = report.count(Verdict::Unknown) + report.count(Verdict::Skipped);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"ws-echo check {}\" tests=\"{}\" \
         failures=\"{}\" errors=\"0\" skipped=\"{skipped}\" time=\"{time:.3}\">\n",
        xml(&report.target),
        report.checks.len(),
        report.count(Verdict::Broken)
    );
    for check in &report.checks {
        let _ = write!(
            text,
            "<testcase classname=\"ws-echo check\" name=\"{}\" time=\"{:.3}\">",
            check.name,
            check.took.as_secs_f64()
        );
        let seen = xml(&check.seen);
        let mut details = check.meaning.clone();
        for fix in &check.fix {
            let _ = write!(details, "\n\n{}:\n{}", fix.place, fix.change);
        }
        if let Some(direct) = &check.direct {
            let _ = write!(details, "\n\nwithout the proxy {direct}");
        }
        let details = xml(&details);
        let _ = match check.verdict {
            Verdict::Broken => write!(text, "<failure message=\"{seen}\">{details}</failure>"),
            Verdict::Unknown | Verdict::Skipped => write!(text, "<skipped message=\"{seen}\"/>"),
            Verdict::Differs => write!(text, "<system-out>differs: {seen}\n{details}</system-out>"),
            Verdict::Ok => write!(text, "<system-out>{seen}</system-out>"),
        };
        text.push_str("</testcase>\n");
    }
    text.push_str("</testsuite>\n</testsuites>\n");
    text
}

/// Returns a text for an attribute or an element. Control characters are escaped before; XML 1.0 forbids two more.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            char => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_the_far_end_is_no_markup() {
        assert_eq!(
            xml("<a b=\"&\">\u{FFFF}"),
            "&lt;a b=&quot;&amp;&quot;&gt;\u{FFFD}"
        );
    }
}
