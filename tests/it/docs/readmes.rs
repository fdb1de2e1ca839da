//! The README in two languages: the same headings and tables in the same order.

use super::markdown::Document;

#[test]
fn both_readmes_have_the_same_headings_and_tables_in_the_same_order() {
    let english = Document::read("README.md");
    let chinese = Document::read("README.zh-CN.md");
    let levels = |document: &Document| -> Vec<usize> {
        document.headings().into_iter().map(|(level, _)| level).collect()
    };
    assert_eq!(
        levels(&chinese),
        levels(&english),
        "{:#?}\n{:#?}",
        chinese.headings(),
        english.headings()
    );
    // The position of a table is the number of its heading; its shape is its columns and its first cells with code.
    let shapes = |document: &Document| -> Vec<(usize, Vec<String>)> {
        document
            .tables()
            .into_iter()
            .map(|table| {
                let first = table.rows.iter().map(|row| {
                    if row[0].contains('`') {
                        row[0].clone()
                    } else {
                        String::new()
                    }
                });
                (table.head.len(), first.collect())
            })
            .collect()
    };
    let (chinese, english) = (shapes(&chinese), shapes(&english));
    assert_eq!(chinese.len(), english.len());
    for (chinese, english) in chinese.iter().zip(&english) {
        assert_eq!(chinese.0, english.0, "columns of {english:?}");
        assert_eq!(chinese.1.len(), english.1.len(), "rows of {english:?}");
        for (cell, other) in english.1.iter().zip(&chinese.1) {
            // A cell of code alone has nothing to translate.
            if cell.starts_with('`') && cell.ends_with('`') && cell.matches('`').count() == 2 {
                assert_eq!(other, cell);
            }
        }
    }
}

#[test]
fn a_readme_has_at_most_150_lines() {
    for name in ["README.md", "README.zh-CN.md", "ARCHITECTURE.md"] {
        let lines = Document::read(name).text.lines().count();
        assert!(lines <= 150, "{name} has {lines} lines");
    }
}
