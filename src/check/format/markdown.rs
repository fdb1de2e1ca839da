//! Markdown, for issues and pull requests.

use std::fmt::Write as _;

use crate::check::report::{Report, Verdict};

/// Returns a heading, a table of all checks, and a section for each finding.
pub fn write(report: &Report) -> String {
    let mut text = format!(
        "# ws-echo check {}\n\n**{}**\n\n| verdict | check | what was seen |\n|---|---|---|\n",
        code(&report.target),
        report.verdict.as_str()
    );
    for check in &report.checks {
        let direct = check
            .direct
            .as_ref()
            .map(|direct| format!("; without the proxy {direct}"))
            .unwrap_or_default();
        let seen = cell(&format!("{}{direct}", check.seen));
        let _ = writeln!(text, "| {} | {} | {seen} |", check.verdict.as_str(), check.name);
    }
    for check in &report.checks {
        if !matches!(check.verdict, Verdict::Broken | Verdict::Differs) {
            continue;
        }
        let _ = write!(
            text,
            "\n## {}: {}\n\n{}\n",
            check.name,
            check.verdict.as_str(),
            check.meaning
        );
        for fix in &check.fix {
            let _ = write!(text, "\n{}:\n\n```\n{}\n```\n", fix.place, fix.change);
        }
    }
    text
}

/// Returns a text that is one cell of a table, and no markup.
fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(char, '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '&') {
            cell.push('\\');
        }
        cell.push(char);
    }
    cell
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_the_far_end_is_no_markup() {
        assert_eq!(cell("a|b<img>[x](y)"), r"a\|b\<img\>\[x\](y)");
        assert_eq!(code("a`b"), "`a'b`");
    }
}
