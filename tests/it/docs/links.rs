//! The links between the documents.

use super::markdown::{Document, documents, root};

/// The anchor that GitHub makes of a heading: lower case, without punctuation, spaces as hyphens.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// Returns the targets of `](target)` outside of code.
fn targets(document: &Document) -> Vec<String> {
    let mut fenced = false;
    let mut targets = Vec::new();
    for line in document.text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for tail in line.split("](").skip(1) {
            targets.push(tail.split(')').next().unwrap().to_owned());
        }
    }
    targets
}

#[test]
fn every_link_to_a_file_of_the_project_has_its_target_and_heading() {
    let mut checked = 0;
    for document in documents() {
        let folder = root().join(&document.name).parent().unwrap().to_owned();
        for target in targets(&document) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, heading) = target.split_once('#').unwrap_or((&target, ""));
            let file = if path.is_empty() {
                root().join(&document.name)
            } else {
                folder.join(path)
            };
            assert!(file.exists(), "{}: no file for the link {target}", document.name);
            if !heading.is_empty() && file.extension().is_some_and(|extension| extension == "md") {
                let name = file.canonicalize().unwrap();
                let linked = Document::read(
                    name.strip_prefix(root().canonicalize().unwrap())
                        .unwrap()
                        .to_str()
                        .unwrap(),
                );
                let anchors: Vec<_> = linked.headings().iter().map(|(_, text)| anchor(text)).collect();
                assert!(
                    anchors.contains(&heading.to_owned()),
                    "{}: no heading for the link {target}: {anchors:#?}",
                    document.name
                );
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
}

/// The beginnings of such names that are metrics, labels or parameters of permessage-deflate.
const OTHER_NAMES: [&str; 5] = ["ws_echo_", "process_", "max_", "client_", "server_"];

/// A code span of at least four words in snake case, such as `tls::wss_echoes_over_tls`, is the name of a test.
#[test]
fn every_test_that_a_document_names_exists() {
    let mut sources = String::new();
    for folder in ["src", "tests", "benches", "fuzz/fuzz_targets"] {
        read_sources(&root().join(folder), &mut sources);
    }
    let mut checked = 0;
    let mut missing: Vec<String> = Vec::new();
    for document in documents() {
        for span in document.text.split('`').skip(1).step_by(2) {
            let name = span.rsplit("::").next().unwrap();
            let words = name.split('_').count();
            let snake = name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            if snake && words >= 4 && !OTHER_NAMES.iter().any(|prefix| name.starts_with(prefix)) {
                if !sources.contains(&format!("fn {name}")) {
                    missing.push(format!("{}: {span}", document.name));
                }
                checked += 1;
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
    assert!(checked > 20, "{checked}");
}

fn read_sources(folder: &std::path::Path, sources: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                read_sources(&path, sources);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}
