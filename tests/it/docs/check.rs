//! docs/check.md has the words of the checks, and the flags of `ws-echo check`.

use clap::ValueEnum as _;
use ws_echo::{
    check::{checks::definition, words::Words},
    config::CheckName,
};

use super::markdown::{Document, code_spans};
use crate::command_line::run;

/// Returns the text between a heading of level 2 and the next one.
fn section<'t>(text: &'t str, name: &str) -> &'t str {
    let start = format!("\n## {name}\n");
    let (_, section) = text
        .split_once(&start)
        .unwrap_or_else(|| panic!("no section {name}"));
    section
        .split_once("\n## ")
        .map_or(section, |(section, _)| section)
}

#[test]
fn each_check_has_a_section_with_its_words() {
    let document = Document::read("docs/check.md");
    for name in CheckName::value_variants() {
        let words: Words = serde_json::from_str(definition(*name).words).unwrap();
        let section = section(&document.text, name.as_str());
        let mut texts = vec![words.asks.en, words.ok.en, words.unknown.en];
        for finding in words.findings.values() {
            texts.push(finding.meaning.en.clone());
            for fix in &finding.fix {
                texts.push(format!("{}:\n\n```", fix.place));
                texts.push(format!("\n{}\n```\n", fix.change));
            }
        }
        for text in texts {
            assert!(
                section.contains(&text),
                "docs/check.md, {}: not there: {text}",
                name.as_str()
            );
        }
    }
}

#[actix_rt::test]
async fn the_flags_of_check_are_those_of_its_help() {
    let (_, help, _) = run(&["check", "--help"], &[]).await;
    let mut expected: Vec<_> = help
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--"))
        .filter_map(|line| line.split([' ', ',']).next())
        .map(|flag| format!("--{flag}"))
        .collect();
    let document = Document::read("docs/check.md");
    let tables = document.tables();
    let table = tables.iter().find(|table| table.head[0] == "flag").unwrap();
    let mut documented: Vec<_> = table
        .rows
        .iter()
        .map(|row| code_spans(&row[0])[0].split(' ').next().unwrap().to_owned())
        .collect();
    expected.sort();
    documented.sort();
    assert_eq!(documented, expected);
}
