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
