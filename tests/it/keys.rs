//! The list of query keys, and its copies in the documents and the page.

use std::path::Path;

use ws_echo::session::behaviour::{
    Behaviour,
    keys::{self, Form, Key, keys},
};

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn key(name: &str) -> &'static Key {
    keys::key(name).unwrap_or_else(|| panic!("{name} is no query key"))
}

fn parse(query: &str) -> Behaviour {
    Behaviour::from_query(query, 16 * 1024 * 1024, |unknown| panic!("{query}: {unknown}"))
        .unwrap_or_else(|error| panic!("{query}: {error}; {}", error.hint))
}

#[test]
fn every_example_and_every_value_in_the_list_has_an_effect() {
    for key in keys() {
        let other = key.needs.first().map_or(String::new(), |name| {
            let other = self::key(name);
            format!("&{}={}", other.name, other.example)
        });
        let values = key.forms.iter().flat_map(|form| match form {
            Form::Choice { values, .. } => *values,
            _ => &[],
        });
        for value in values.chain([&key.example]) {
            let query = format!("{}={value}{other}", key.name);
            // A default has no effect.
            if Some(*value) != key.default {
                assert_ne!(parse(&query), parse(other.trim_start_matches('&')), "{query}");
            }
        }
    }
}

#[test]
fn the_list_has_each_key_once_and_the_keys_of_a_group_together() {
    let mut groups: Vec<_> = keys().map(|key| key.group).collect();
    groups.dedup();
    for (position, group) in groups.iter().enumerate() {
        assert!(!groups[..position].contains(group), "{group:?}");
    }
    for (position, key) in keys().enumerate() {
        assert!(
            keys().take(position).all(|earlier| earlier.name != key.name),
            "{}",
            key.name
        );
    }
}

#[test]
fn keys_exclude_each_other_in_both_directions() {
    for key in keys() {
        for other in key.excludes {
            assert!(
                self::key(other).excludes.contains(&key.name),
                "{} and {other}",
                key.name
            );
            if *other != key.name {
                let query = format!(
                    "{}={}&{other}={}",
                    key.name,
                    key.example,
                    self::key(other).example
                );
                assert!(Behaviour::from_query(&query, 1, |_| {}).is_err(), "{query}");
            }
        }
    }
}

#[test]
fn the_tables_in_the_docs_have_every_key_in_order_with_its_words_and_a_section() {
    let docs = file("docs/behaviours.md");
    let mut named = Vec::new();
    for table in docs.split("\n| Key | Value | Default | Effect |\n").skip(1) {
        // | `delay=DURATION` | value | default | effect |
        for row in table.lines().skip(1).take_while(|line| !line.is_empty()) {
            let cells: Vec<_> = row.trim_start_matches("| ").split(" | ").collect();
            let form = cells[0].trim_matches('`');
            let name = form.split('=').next().unwrap();
            let key = key(name);
            assert_eq!(
                form.contains('='),
                !matches!(key.forms, [Form::Flag(_)]),
                "{form}"
            );
            if let [Form::Choice { values, .. }] = key.forms {
                let documented: Vec<_> = cells[1].split(", ").map(|word| word.trim_matches('`')).collect();
                assert_eq!(documented, *values, "{name}");
            }
            let heading = format!("\n### {name}\n");
            assert!(docs.contains(&heading), "{heading}");
            named.push(name);
        }
    }
    let expected: Vec<_> = keys().map(|key| key.name).collect();
    assert_eq!(named, expected, "docs/behaviours.md");
}

#[test]
fn the_query_of_every_example_is_valid() {
    for name in ["README.md", "README.zh-CN.md", "docs/behaviours.md"] {
        let text = file(name);
        let queries: Vec<_> = text
            .split("://localhost:3000/?")
            .skip(1)
            .filter_map(|tail| tail.split(['\'', '"', '`', ' ', ')', '\n']).next())
            .collect();
        assert!(!queries.is_empty(), "{name}");
        for query in queries {
            parse(query);
        }
    }
}

#[test]
fn the_drawer_of_the_page_has_a_label_for_every_key() {
    for language in ["en", "zh"] {
        let texts = file(&format!("static/js/drawer/strings.{language}.js"));
        for key in keys().filter(|key| key.name != "watch") {
            let label = format!("\"key.{}\": \"", key.name);
            assert!(texts.contains(&label), "{language}: {label}");
        }
    }
}
