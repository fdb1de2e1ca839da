//! `headers`: the fields that the far end received.

use serde_json::Value;

use crate::{
    check::{
        definition::{Definition, Needs},
        far_end::{description, leave},
        outcome::Outcome,
        target::Target,
    },
    client::Connection,
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::WebSocket,
    words: include_str!("../words/headers.json"),
    run: |target| Box::pin(run(target)),
};

/// Fields that an application may need, and their values. Each is sent unless the user has set it.
const SENT: [(&str, &str); 3] = [
    ("Cookie", "ws-echo-check=1"),
    ("Authorization", "Bearer ws-echo-check"),
    ("X-Ws-Echo-Check", "1"),
];

/// Fields that belong to one hop, so that a proxy replaces them.
const HOP_BY_HOP: [&str; 5] = [
    "connection",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-extensions",
    "keep-alive",
];

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    if !target.is_ws_echo() {
        outcome.unknown("the far end does not show the request that it received");
        return outcome;
    }
    let all = target
        .connect_with("hello=json", |options| {
            for (name, value) in SENT {
                if !options
                    .headers
                    .iter()
                    .any(|(other, _)| other.eq_ignore_ascii_case(name))
                {
                    options.headers.push((name.to_owned(), value.to_owned()));
                }
            }
            // The far end's own origin, which most servers allow.
            let scheme = if target.url.is_tls() { "https" } else { "http" };
            let own = format!("{scheme}://{}", target.url.authority());
            options.origin.get_or_insert(own);
        })
        .await;
    let connection = match all {
        Ok(connection) => Ok(connection),
        // A proxy that checks credentials or origins.
        Err(error) => {
            outcome.unknown(format!("with Cookie, Authorization and Origin: {error}"));
            target.connect("hello=json").await
        }
    };
    match connection {
        Ok(connection) => compare(connection, &mut outcome).await,
        Err(error) => outcome.unknown(error.to_string()),
    }
    outcome
}

async fn compare(mut connection: Connection, outcome: &mut Outcome) {
    let hello = connection.next_message().await;
    let Some(seen) = hello.as_ref().and_then(description) else {
        outcome.unknown("the far end did not describe the connection");
        return;
    };
    let sent = fields_of(&connection.facts().request);
    let seen = fields_in(&seen);
    let difference = Difference::between(&sent, &seen);
    leave(connection).await;
    if !difference.lost.is_empty() {
        outcome.broken("lost", format!("{} went missing", difference.lost.join(", ")));
    }
    if !difference.changed.is_empty() {
        outcome.differs(
            "changed",
            format!("{} was changed", difference.changed.join(", ")),
        );
    }
    if !difference.added.is_empty() {
        let names = difference.added.join(", ");
        outcome.differs("added", format!("{names} {} added", was(difference.added.len())));
    }
    if difference.lost.is_empty() && difference.changed.is_empty() && difference.added.is_empty() {
        outcome.ok(format!("all {} fields came as they were sent", sent.len()));
    }
    if difference.reordered {
        outcome.ok("in another order");
    }
}

fn was(count: usize) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

type Fields = Vec<(String, String)>;

/// Returns the fields of a request.
fn fields_of(request: &[u8]) -> Fields {
    let text = String::from_utf8_lossy(request);
    let lines = text.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect()
}

/// Returns the fields in the description of a connection.
fn fields_in(description: &Value) -> Fields {
    let fields = description["headers"].as_array().into_iter().flatten();
    fields
        .filter_map(|field| {
            Some((
                field[0].as_str()?.to_ascii_lowercase(),
                field[1].as_str()?.to_owned(),
            ))
        })
        .collect()
}

/// The difference between two header sections.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    lost: Vec<String>,
    /// Names with the values before and after.
    changed: Vec<String>,
    /// Names with their values.
    added: Vec<String>,
    reordered: bool,
}

impl Difference {
    fn between(sent: &Fields, seen: &Fields) -> Self {
        let mut difference = Self::default();
        let value = |fields: &Fields, name: &str| -> Option<String> {
            // Several lines of one field are one list (RFC 9110 section 5.3).
            let lines: Vec<_> = fields
                .iter()
                .filter(|(other, _)| other == name)
                .map(|(_, value)| &**value)
                .collect();
            (!lines.is_empty()).then(|| lines.join(", "))
        };
        for name in names(sent) {
            if HOP_BY_HOP.contains(&&*name) {
                continue;
            }
            let before = value(sent, &name).unwrap_or_default();
            match value(seen, &name) {
                None => difference.lost.push(shown_name(&name)),
                Some(after) if after == before || after == format!("(hidden, {} bytes)", before.len()) => {}
                Some(after) => {
                    let name = shown_name(&name);
                    difference
                        .changed
                        .push(format!("{name} ({before} came as {after})"));
                }
            }
        }
        for name in names(seen) {
            if value(sent, &name).is_none() && !HOP_BY_HOP.contains(&&*name) {
                let value = value(seen, &name).unwrap_or_default();
                difference.added.push(format!("{}: {value}", shown_name(&name)));
            }
        }
        let common = |fields: &Fields, other: &Fields| -> Vec<String> {
            names(fields)
                .into_iter()
                .filter(|name| other.iter().any(|(other, _)| other == name))
                .collect()
        };
        difference.reordered = common(sent, seen) != common(seen, sent);
        difference
    }
}

/// Returns the names in order, each once.
fn names(fields: &Fields) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in fields {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// Returns a name as it is usually written: `X-Forwarded-For`.
fn shown_name(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + chars.as_str()
        })
    });
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[(&str, &str)]) -> Fields {
        lines
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn lost_changed_and_added_fields_are_named() {
        let sent = fields(&[
            ("host", "a"),
            ("cookie", "b=c"),
            ("origin", "o"),
            ("upgrade", "websocket"),
            ("x-a", "1"),
        ]);
        let seen = fields(&[
            ("cookie", "(hidden, 3 bytes)"),
            ("host", "z"),
            ("x-a", "1"),
            ("via", "1.1 p"),
        ]);
        let difference = Difference::between(&sent, &seen);
        assert_eq!(difference.lost, ["Origin"]);
        assert_eq!(difference.changed, ["Host (a came as z)"]);
        assert_eq!(difference.added, ["Via: 1.1 p"]);
        assert!(difference.reordered);
        assert_eq!(Difference::between(&sent, &sent), Difference::default());
    }

    #[test]
    fn lines_of_one_field_are_one_list() {
        let two = fields(&[("a", "1"), ("a", "2")]);
        assert_eq!(
            Difference::between(&two, &fields(&[("a", "1, 2")])),
            Difference::default()
        );
    }
}
