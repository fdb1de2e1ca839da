//! `handshake`: the response to the opening handshake.

use std::time::Duration;

use serde_json::Value;

use crate::{
    check::{
        definition::{Definition, Needs},
        far_end::leave,
        figures::time,
        outcome::Outcome,
        target::Target,
    },
    client::{Connection, Facts, HandshakeError, Reason},
    protocol::deflate::Deflate,
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::Http,
    words: include_str!("../words/handshake.json"),
    run: |target| Box::pin(run(target)),
};

/// Number of characters of a refusal's body in the report.
const SHOWN_BODY: usize = 200;

async fn run(target: &Target) -> Outcome {
    let mut options = target.options.clone();
    // As browsers do.
    options.extensions = vec![Deflate::OFFER.to_owned()];
    match Connection::connect(&target.url, &options).await {
        Ok(connection) => {
            let seen = format!(
                "101 after {}; Accept is right",
                after(connection.facts().times.response)
            );
            leave(connection).await;
            Outcome::one(|outcome| outcome.ok(seen))
        }
        Err(error) => Outcome::one(|outcome| {
            let Reason::Handshake(reason) = &error.reason else {
                // It was there a moment ago.
                outcome.broken("failed", error.to_string());
                return;
            };
            match reason {
                HandshakeError::Status(status) => {
                    let (finding, seen) = refusal(*status, &error.facts);
                    outcome.broken(finding, seen);
                }
                HandshakeError::HttpVersion
                | HandshakeError::NoUpgrade
                | HandshakeError::Upgrade(_)
                | HandshakeError::NoConnectionUpgrade => {
                    outcome.broken("response-upgrade", reason.to_string())
                }
                HandshakeError::NoAccept | HandshakeError::Accept { .. } | HandshakeError::SeveralAccepts => {
                    outcome.broken("accept", reason.to_string());
                }
                HandshakeError::Extension(_) => outcome.broken("extension", reason.to_string()),
                HandshakeError::Subprotocol(_) | HandshakeError::SeveralSubprotocols => {
                    outcome.broken("subprotocol", reason.to_string());
                }
            }
        }),
    }
}

/// Returns the finding of a response other than 101, and what was seen.
fn refusal(status: u16, facts: &Facts) -> (&'static str, String) {
    let after = after(facts.times.response);
    let head = facts.response.as_ref();
    if let (300..400, Some(location)) = (status, head.and_then(|head| head.value("location"))) {
        return ("redirect", format!("{status} after {after}, to {location}"));
    }
    let server = head
        .and_then(|head| head.value("server"))
        .map(|server| format!(" from {server}"))
        .unwrap_or_default();
    let body = String::from_utf8_lossy(&facts.body);
    let missing = missing(&facts.body);
    let shown = match &missing {
        Some((error, _)) => error.clone(),
        None => text_of(&body),
    };
    let finding = match (missing, status) {
        (Some((_, Missing::Upgrade)), _) => "upgrade",
        (Some((_, Missing::Http11)), _) => "http-version",
        (Some((_, Missing::Key)), _) => "key",
        (_, 401 | 407) => "credentials",
        (_, 403) => "forbidden",
        (_, 404) => "not-found",
        (_, 429) => "limited",
        (_, 502..=504) => "upstream",
        // A server of HTTP alone, which received no Upgrade.
        (_, 200..300 | 400 | 405 | 426) => "upgrade",
        _ => "refused",
    };
    let shown = if shown.is_empty() {
        "no body".to_owned()
    } else {
        shown
    };
    (finding, format!("{status}{server} after {after}: {shown}"))
}

/// The part that the request lacks, as ws-echo names it in a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Upgrade,
    Http11,
    Key,
    Other,
}

/// Returns the error of a refusal by ws-echo, and what it says is missing.
fn missing(body: &[u8]) -> Option<(String, Missing)> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let error = body["error"].as_str()?;
    body["hint"].as_str()?;
    let missing = if error.contains("Upgrade") {
        Missing::Upgrade
    } else if error.contains("HTTP version") {
        Missing::Http11
    } else if error.contains("Sec-WebSocket-") {
        Missing::Key
    } else {
        Missing::Other
    };
    Some((error.to_owned(), missing))
}

fn after(duration: Option<Duration>) -> String {
    time(duration.unwrap_or_default())
}

/// Returns the start of a body, without the tags of a page and without line breaks.
fn text_of(body: &str) -> String {
    let (mut text, mut in_tag) = (String::new(), false);
    for char in body.chars() {
        match char {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                text.push(' ');
            }
            _ if in_tag => {}
            char => text.push(char),
        }
    }
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().take(SHOWN_BODY).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_shown_as_its_text() {
        let page = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body><hr>nginx</body>";
        assert_eq!(text_of(page), "404 Not Found nginx");
    }

    #[test]
    fn the_error_of_ws_echo_names_what_is_missing() {
        let missing = |error: &str| {
            missing(format!("{{\"error\":\"{error}\",\"hint\":\"x\"}}").as_bytes())
                .unwrap()
                .1
        };
        assert_eq!(missing("no Upgrade: websocket header"), Missing::Upgrade);
        assert_eq!(missing("no Connection: Upgrade header"), Missing::Upgrade);
        assert_eq!(missing("shutting down"), Missing::Other);
        assert_eq!(super::missing(b"<html>"), None);
    }
}
