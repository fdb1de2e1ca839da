//! The files that the server sends: static/ with its modules joined to bundles and its stylesheets to one.

use std::collections::{BTreeMap, BTreeSet};

use super::bundle::bundles;

/// Files by name, with `/` between the parts.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

const INDEX: &str = "index.html";
const MAIN: &str = "js/main.js";
/// The stylesheets that index.html names, as one file.
const STYLE: &str = "css/page.css";

/// Replaces modules by bundles and stylesheets by one, and names these in index.html.
///
/// # Errors
/// If a file is not as the page's style has it.
pub(crate) fn packed(mut files: Files) -> Result<Files, String> {
    let mut sources = BTreeMap::new();
    for name in files
        .keys()
        .filter(|name| name.ends_with(".js"))
        .cloned()
        .collect::<Vec<_>>()
    {
        sources.insert(name.clone(), text(&mut files, &name)?);
    }
    // For Node, which runs the modules in tests.
    files.remove("js/package.json");
    let (bundles, owner) = bundles(&sources, MAIN)?;
    files.extend(
        bundles
            .into_iter()
            .map(|(name, script)| (name, script.into_bytes())),
    );

    let mut page = String::new();
    let (mut style, mut announced) = (String::new(), BTreeSet::from([MAIN.to_owned()]));
    for line in text(&mut files, INDEX)?.lines() {
        if let Some(name) = href(line, "<link rel=\"stylesheet\" href=\"") {
            if style.is_empty() {
                page.push_str(&format!("<link rel=\"stylesheet\" href=\"{STYLE}\">\n"));
            }
            style.push_str(&minified_style(&text(&mut files, name)?));
        } else if let Some(name) = href(line, "<link rel=\"modulepreload\" href=\"") {
            let bundle = owner
                .get(name)
                .ok_or_else(|| format!("{INDEX}: no module {name}"))?;
            if announced.insert(bundle.clone()) {
                page.push_str(&format!("<link rel=\"modulepreload\" href=\"{bundle}\">\n"));
            }
        } else {
            page.push_str(line);
            page.push('\n');
        }
    }
    for name in files
        .keys()
        .filter(|name| name.ends_with(".css"))
        .cloned()
        .collect::<Vec<_>>()
    {
        let style = minified_style(&text(&mut files, &name)?);
        files.insert(name, style.into_bytes());
    }
    files.insert(STYLE.to_owned(), style.into_bytes());
    files.insert(INDEX.to_owned(), page.into_bytes());
    Ok(files)
}

/// Takes a file out.
fn text(files: &mut Files, name: &str) -> Result<String, String> {
    let bytes = files
        .remove(name)
        .ok_or_else(|| format!("static/{name} is missing"))?;
    String::from_utf8(bytes).map_err(|_| format!("static/{name} is not UTF-8"))
}

fn href<'l>(line: &'l str, start: &str) -> Option<&'l str> {
    line.trim().strip_prefix(start)?.strip_suffix("\">")
}

/// Returns a stylesheet without comments, indentation, and white space beside punctuation. White space before a colon stays,
/// because it stands between two selectors.
fn minified_style(style: &str) -> String {
    let mut short = String::new();
    let mut rest = style;
    while let Some(first) = rest.chars().next() {
        let len = if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first.is_whitespace() {
            let len = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
            let follows_mark = short.ends_with(['{', '}', ';', ',', ':', ' ']) || short.is_empty();
            if !follows_mark && !rest[len..].starts_with(['{', '}', ';', ',']) {
                short.push(' ');
            }
            len
        } else if matches!(first, '"' | '\'') {
            let len = rest[1..].find(first).map_or(rest.len(), |end| end + 2);
            short.push_str(&rest[..len]);
            len
        } else {
            if first == '}' && short.ends_with(';') {
                short.pop();
            }
            short.push(first);
            first.len_utf8()
        };
        rest = &rest[len..];
    }
    short
}
