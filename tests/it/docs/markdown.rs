//! What the tests read of a Markdown file: headings, tables and fenced blocks.

use std::path::{Path, PathBuf};

/// A Markdown file of the project.
pub(super) struct Document {
    pub(super) name: String,
    pub(super) text: String,
}

/// A table. The cells have their Markdown, without the spaces around it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// The text of the heading before it.
    pub(super) heading: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// A fenced block.
pub(super) struct Fence<'t> {
    pub(super) language: &'t str,
    pub(super) lines: Vec<&'t str>,
    /// The number of its first line, from 1.
    pub(super) line: usize,
}

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

impl Document {
    pub(super) fn read(name: &str) -> Self {
        let text =
            std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self {
            name: name.to_owned(),
            text,
        }
    }

    /// Returns each line outside of fences that is a heading: its level and its text.
    pub(super) fn headings(&self) -> Vec<(usize, String)> {
        self.lines_outside_of_fences()
            .filter_map(|line| {
                let level = line.bytes().take_while(|byte| *byte == b'#').count();
                let text = line[level..].strip_prefix(' ')?;
                (level > 0).then(|| (level, text.trim().to_owned()))
            })
            .collect()
    }

    pub(super) fn tables(&self) -> Vec<Table> {
        let mut tables: Vec<Table> = Vec::new();
        let mut heading = String::new();
        let mut open = false;
        for line in self.lines_outside_of_fences() {
            if line.starts_with('#') {
                heading = line.trim_start_matches('#').trim().to_owned();
            }
            match (line.starts_with('|'), open) {
                (false, _) => open = false,
                (true, false) => {
                    tables.push(Table {
                        heading: heading.clone(),
                        head: cells(line),
                        rows: Vec::new(),
                    });
                    open = true;
                }
                (true, true) if line.starts_with("|---") || line.starts_with("|:--") => {}
                (true, true) => tables.last_mut().unwrap().rows.push(cells(line)),
            }
        }
        tables
    }

    /// Returns the one table with this head.
    pub(super) fn table(&self, head: &[&str]) -> Table {
        let mut found: Vec<_> = self
            .tables()
            .into_iter()
            .filter(|table| table.head == head)
            .collect();
        assert_eq!(found.len(), 1, "{}: tables with the head {head:?}", self.name);
        found.remove(0)
    }

    pub(super) fn fences(&self) -> Vec<Fence<'_>> {
        let mut fences: Vec<Fence<'_>> = Vec::new();
        let mut open = false;
        for (index, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("```"), open) {
                (Some(language), false) => {
                    fences.push(Fence {
                        language,
                        lines: Vec::new(),
                        line: index + 2,
                    });
                    open = true;
                }
                (Some(_), true) => open = false,
                (None, true) => fences.last_mut().unwrap().lines.push(line),
                (None, false) => {}
            }
        }
        fences
    }

    fn lines_outside_of_fences(&self) -> impl Iterator<Item = &str> {
        let mut fenced = false;
        self.text.lines().filter(move |line| {
            if line.starts_with("```") {
                fenced = !fenced;
                return false;
            }
            !fenced
        })
    }
}

/// Splits a row of a table. A `\|` is a bar in a cell.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_start_matches('|').replace("\\|", "\u{0}");
    let line = line.strip_suffix('|').unwrap_or(&line);
    line.split('|')
        .map(|cell| cell.trim().replace('\u{0}', "|"))
        .collect()
}

/// Returns the code spans of a cell: the texts between backticks.
pub(super) fn code_spans(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Returns every Markdown file of the project, without build output.
pub(super) fn documents() -> Vec<Document> {
    let mut documents = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(&*name, "target" | ".git" | "node_modules" | "corpus") {
                    folders.push(path);
                }
            } else if name.ends_with(".md") {
                documents.push(Document::read(
                    path.strip_prefix(root()).unwrap().to_str().unwrap(),
                ));
            }
        }
    }
    documents.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(documents.len() > 10, "{}", documents.len());
    documents
}
