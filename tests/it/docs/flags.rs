//! The flags, variables and defaults in the documents, against `ws-echo --help`.

use super::markdown::{Document, Table, code_spans};
use crate::support::process::ws_echo;

/// A flag as `--help` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Flag {
    heading: String,
    /// The flag and its value, such as `--listen ADDR:PORT`.
    form: String,
    variable: String,
    default: Option<String>,
}

/// Reads the flags of `--help`, in order. Flags without a variable (`--help`, `--version`) are left out.
async fn flags() -> Vec<Flag> {
    let output = ws_echo().arg("--help").output().await.unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let mut flags: Vec<Flag> = Vec::new();
    let mut heading = "";
    for line in help.lines() {
        let text = line.trim();
        if line.ends_with(':') && !line.starts_with(' ') {
            heading = line.trim_end_matches(':');
        } else if text.starts_with("--") {
            flags.push(Flag {
                heading: heading.to_owned(),
                form: text.replace(['<', '>'], ""),
                variable: String::new(),
                default: None,
            });
        } else if let Some(flag) = flags.last_mut() {
            let value = |name: &str| {
                let (_, tail) = text.split_once(&format!("[{name}: "))?;
                Some(tail.split_once(']')?.0.to_owned())
            };
            if let Some(variable) = value("env") {
                flag.variable = variable.split('=').next().unwrap().to_owned();
            }
            flag.default = flag.default.take().or_else(|| value("default"));
        }
    }
    flags.retain(|flag| !flag.variable.is_empty());
    assert!(flags.len() > 20, "{flags:#?}");
    flags
}

/// Asserts that a cell has the default of `--help`. A cell may describe a default that is no value, such as `none`.
fn assert_default(cell: &str, flag: &Flag, place: &str) {
    match &flag.default {
        Some(default) if cell.starts_with('`') => {
            assert_eq!(code_spans(cell), [default.as_str()], "{place}: {}", flag.form);
        }
        Some(default) => assert!(
            default.contains(' ') || default == cell,
            "{place}: {} has the default {default:?}",
            flag.form
        ),
        None => assert!(
            !cell.starts_with('`') || cell == "`false`",
            "{place}: {} has no default",
            flag.form
        ),
    }
}

#[actix_rt::test]
async fn configuration_md_has_every_flag_under_its_heading_in_order() {
    let flags = flags().await;
    let document = Document::read("docs/configuration.md");
    let rows: Vec<(String, Vec<String>)> = document
        .tables()
        .into_iter()
        .filter(|table| table.head == ["Flag", "Variable", "Default", "Meaning"])
        .flat_map(|Table { heading, rows, .. }| rows.into_iter().map(move |row| (heading.clone(), row)))
        .collect();
    let documented: Vec<_> = rows
        .iter()
        .map(|(heading, row)| {
            (
                heading.as_str(),
                row[0].trim_matches('`'),
                row[1].trim_matches('`'),
            )
        })
        .collect();
    let expected: Vec<_> = flags
        .iter()
        .map(|flag| (flag.heading.as_str(), flag.form.as_str(), flag.variable.as_str()))
        .collect();
    assert_eq!(documented, expected);
    for ((_, row), flag) in rows.iter().zip(&flags) {
        assert_default(&row[2], flag, "docs/configuration.md");
    }
}

#[actix_rt::test]
async fn the_tables_of_both_readmes_have_the_same_flags_with_their_defaults() {
    let flags = flags().await;
    let english = Document::read("README.md").table(&["Flag", "Default", "Meaning"]);
    let chinese = Document::read("README.zh-CN.md").table(&["参数", "默认值", "含义"]);
    assert_eq!(english.rows.len(), chinese.rows.len());
    for (row, other) in english.rows.iter().zip(&chinese.rows) {
        let form = row[0].trim_matches('`');
        let flag = flags
            .iter()
            .find(|flag| flag.form == form)
            .unwrap_or_else(|| panic!("{form} is no flag"));
        assert_eq!(other[0], row[0], "README.zh-CN.md");
        assert_default(&row[1], flag, "README.md");
        if row[1].starts_with('`') {
            assert_eq!(other[1], row[1], "README.zh-CN.md");
        }
    }
}

#[actix_rt::test]
async fn every_variable_in_a_document_exists() {
    let flags = flags().await;
    // Of docker-compose.yml, of `ws-echo healthcheck` and of the tests.
    let others = [
        "WS_ECHO_PORT",
        "WS_ECHO_TLS_PORT",
        "WS_ECHO_SCALE_PORT",
        "WS_ECHO_HEALTHCHECK_URL",
        "WS_ECHO_AUTOBAHN_SHARDS",
        "WS_ECHO_BIN",
        "WS_ECHO_TEST_RUNNER",
    ];
    for document in super::markdown::documents() {
        for (position, _) in document.text.match_indices("WS_ECHO_") {
            let name: String = document.text[position..]
                .chars()
                .take_while(|c| c.is_ascii_uppercase() || *c == '_')
                .collect();
            let known = name == "WS_ECHO_" // of all variables: WS_ECHO_*
                || others.contains(&name.as_str())
                || flags.iter().any(|flag| flag.variable == name);
            assert!(known, "{}: {name}", document.name);
        }
    }
}
