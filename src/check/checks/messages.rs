//! `messages`: messages of each kind and of each form of the length come back as they were sent.

use tokio::time::Instant;

use crate::{
    check::{
        definition::{Definition, Needs},
        far_end::leave,
        figures::{list, size},
        outcome::Outcome,
        target::Target,
    },
    client::{Connection, Event},
    protocol::{DataKind, Message},
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::WebSocket,
    words: include_str!("../words/messages.json"),
    run: |target| Box::pin(run(target)),
};

/// The edges of the three forms of a length (RFC 6455 section 5.2), and the empty message.
const LENGTHS: [usize; 6] = [0, 1, 125, 126, 65_535, 65_536];

/// Characters of one to four bytes.
const TEXT: &str = "a é 界 🦀 \u{10FFFF}";

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    if !target.echoes() {
        outcome.unknown("the far end does not echo");
        return outcome;
    }
    let mut connection = match target.echo(|_| {}).await {
        Ok(connection) => connection,
        Err(error) => {
            outcome.broken("lost", error.to_string());
            return outcome;
        }
    };
    let mut passed = Vec::new();
    match echoed(&mut connection, &Message::text(TEXT), target.deadline()).await {
        Ok(()) => passed.push("a text with characters of 1 to 4 bytes".to_owned()),
        Err(reason) => {
            return failed(
                target,
                outcome,
                "text",
                "a text with characters of 1 to 4 bytes",
                &reason,
            );
        }
    }
    for len in LENGTHS {
        // Each byte value, so that a byte that is changed shows.
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(len).collect();
        match echoed(&mut connection, &Message::binary(&bytes), target.deadline()).await {
            Ok(()) => passed.push(size(len)),
            Err(reason) => return failed(target, outcome, "lost", &size(len), &reason),
        }
    }
    outcome.ok(format!("{} came back whole", list(&passed)));
    leave(connection).await;
    outcome
}

fn failed(
    target: &Target,
    mut outcome: Outcome,
    finding: &'static str,
    message: &str,
    reason: &Failure,
) -> Outcome {
    let seen = format!("{message}: {}", reason.seen);
    let finding = if reason.is_changed { "changed" } else { finding };
    // A far end may have a limit of its own.
    outcome.broken_unless(reason.is_limit && !target.is_ws_echo(), finding, seen);
    outcome
}

/// The reason why a message did not come back.
struct Failure {
    seen: String,
    is_changed: bool,
    is_limit: bool,
}

impl Failure {
    fn new(seen: impl Into<String>) -> Self {
        Self {
            seen: seen.into(),
            is_changed: false,
            is_limit: false,
        }
    }
}

/// Sends a message, and waits for its echo.
async fn echoed(
    connection: &mut Connection,
    message: &Message<'_>,
    deadline: Instant,
) -> Result<(), Failure> {
    if let Err(error) = connection.send(message).await {
        return Err(Failure::new(format!("could not be sent: {error}")));
    }
    loop {
        return match connection.next_before(deadline).await {
            Some(Event::Message(reply, _)) if reply == *message => Ok(()),
            // A greeting of another server.
            Some(Event::Message(reply, _)) if reply.kind != message.kind && reply.kind == DataKind::Text => {
                continue;
            }
            Some(Event::Message(reply, _)) => Err(Failure {
                is_changed: true,
                ..Failure::new(difference(message, &reply))
            }),
            Some(Event::Frame(_) | Event::Ping(_) | Event::Pong(_)) => continue,
            Some(Event::Close(Some(frame))) => Err(Failure {
                is_limit: frame.code == 1009,
                ..Failure::new(format!("Close {} {}", frame.code, frame.reason))
            }),
            Some(Event::Close(None)) => Err(Failure::new("a Close without a code")),
            Some(Event::Violation(violation)) => Err(Failure {
                is_changed: true,
                ..Failure::new(format!("the reply is invalid: {violation}"))
            }),
            Some(Event::End(_)) => Err(Failure::new("the connection ended")),
            None => Err(Failure::new("no echo in time")),
        };
    }
}

/// Returns how an echo differs.
fn difference(sent: &Message<'_>, reply: &Message<'_>) -> String {
    if sent.kind != reply.kind {
        return format!("came back as {}, not {}", reply.kind.name(), sent.kind.name());
    }
    let at = sent.payload.iter().zip(&*reply.payload).position(|(a, b)| a != b);
    match at {
        Some(at) if sent.payload.len() == reply.payload.len() => format!("byte {at} was changed"),
        _ => format!("came back as {}", size(reply.payload.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_named() {
        let sent = Message::text("abc");
        assert_eq!(
            difference(&sent, &Message::binary(b"abc")),
            "came back as binary, not text"
        );
        assert_eq!(difference(&sent, &Message::text("abd")), "byte 2 was changed");
        assert_eq!(difference(&sent, &Message::text("ab")), "came back as 2 B");
    }
}
