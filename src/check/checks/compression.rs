//! `compression`: permessage-deflate, as it is offered, negotiated and used.

use serde_json::Value;
use tokio::time::Instant;

use crate::{
    check::{
        definition::{Definition, Needs},
        far_end::{description, leave},
        figures::size,
        outcome::Outcome,
        target::Target,
    },
    client::{Connection, Event, Frame, HandshakeError, Options, Reason},
    protocol::{Message, Violation, deflate::Deflate, frame::RSV1},
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::WebSocket,
    words: include_str!("../words/compression.json"),
    run: |target| Box::pin(run(target)),
};

const ANSWER_LOST: &str = "permessage-deflate was accepted, and the answer did not come back";

/// Size of the message that is compressed.
const MESSAGE: usize = 4096;

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    let connected = target.connect_with("hello=json&reply=verbatim", offer).await;
    let mut connection = match connected {
        Ok(connection) => connection,
        Err(error) => {
            match &error.reason {
                Reason::Handshake(HandshakeError::Extension(_)) => {
                    outcome.broken("negotiation", error.to_string())
                }
                _ => outcome.broken(
                    "negotiation",
                    format!("the handshake fails with an offer: {error}"),
                ),
            }
            return outcome;
        }
    };
    let described = if target.is_ws_echo() {
        hello(&mut connection, target.deadline(), &mut outcome).await
    } else {
        None
    };
    let answered = connection.negotiated().deflate.is_some();
    if let Some(described) = described {
        if !negotiated(&described, answered, &mut outcome) {
            return outcome;
        }
    } else if outcome.is_broken() {
        return outcome;
    } else if !answered {
        outcome.unknown("permessage-deflate was offered and not accepted, maybe by the far end");
        return outcome;
    }
    if target.echoes() {
        exchange(&mut connection, target.deadline(), &mut outcome).await;
        if target.is_ws_echo() {
            received(target, &mut outcome).await;
        }
    } else {
        outcome.unknown("permessage-deflate was accepted; the far end does not echo");
    }
    leave(connection).await;
    outcome
}

fn offer(options: &mut Options) {
    options.extensions = vec![Deflate::OFFER.to_owned()];
    options.frames = true;
}

/// Returns what ws-echo says of the connection.
async fn hello(connection: &mut Connection, deadline: Instant, outcome: &mut Outcome) -> Option<Value> {
    loop {
        match connection.next_before(deadline).await? {
            Event::Message(message, _) => return description(&message),
            // ws-echo compresses its description, and this end has learned nothing of that.
            Event::Violation(Violation::ReservedBits) => {
                outcome.broken("answer-lost", ANSWER_LOST);
                return None;
            }
            Event::Frame(_) | Event::Ping(_) | Event::Pong(_) => {}
            Event::Close(_) | Event::Violation(_) | Event::End(_) => return None,
        }
    }
}

/// Adds how the offer and the answer passed. Returns whether both ends compress.
fn negotiated(described: &Value, answered: bool, outcome: &mut Outcome) -> bool {
    let offers = described["extensions"]["offered"]
        .as_array()
        .into_iter()
        .flatten();
    let arrived = offers
        .filter_map(Value::as_str)
        .any(|line| line.contains("permessage-deflate"));
    let chosen = described["extensions"]["chosen"].as_str();
    match (arrived, chosen, answered) {
        (false, _, _) => outcome.broken("offer-lost", "permessage-deflate was offered and did not arrive"),
        (true, Some(_), false) => {
            outcome.broken("answer-lost", ANSWER_LOST);
        }
        (true, None, _) => outcome.differs("declined", "permessage-deflate arrived and was declined"),
        (true, Some(_), true) => {
            outcome.ok("permessage-deflate arrived and came back");
            return true;
        }
    }
    false
}

/// Sends a compressed message, and looks at its echo.
async fn exchange(connection: &mut Connection, deadline: Instant, outcome: &mut Outcome) {
    let text = "ws-echo ".repeat(MESSAGE / 8);
    if let Err(error) = connection.send(&Message::text(&text)).await {
        outcome.broken(
            "message",
            format!("a compressed message could not be sent: {error}"),
        );
        return;
    }
    let mut frames: Vec<Frame> = Vec::new();
    loop {
        match connection.next_before(deadline).await {
            Some(Event::Frame(frame)) => frames.push(frame),
            Some(Event::Message(message, _)) if message.payload == text.as_bytes() => break,
            // Another server may send more than the echo.
            Some(Event::Message(..)) => frames.clear(),
            Some(Event::Ping(_) | Event::Pong(_)) => frames.clear(),
            Some(Event::Close(Some(frame))) => {
                outcome.broken(
                    "message",
                    format!("a compressed message got Close {} {}", frame.code, frame.reason),
                );
                return;
            }
            Some(Event::Violation(violation)) => {
                outcome.broken(
                    "message",
                    format!("the echo of a compressed message is invalid: {violation}"),
                );
                return;
            }
            Some(Event::Close(None) | Event::End(_)) | None => {
                outcome.broken("message", "a compressed message did not come back");
                return;
            }
        }
    }
    let wire: u64 = frames.iter().map(|frame| frame.len).sum();
    let compressed = frames.first().is_some_and(|frame| frame.rsv & RSV1 != 0);
    let len = size(text.len());
    if compressed {
        outcome.ok(format!("{len} came back as {wire} B"));
    } else {
        // A server need not compress each message.
        outcome.ok(format!("{len} came back uncompressed"));
    }
}

/// Asks ws-echo whether the message arrived compressed.
async fn received(target: &Target, outcome: &mut Outcome) {
    let text = "ws-echo ".repeat(MESSAGE / 8);
    let Ok(mut connection) = target.connect_with("reply=json", offer).await else {
        outcome.unknown("no second connection");
        return;
    };
    let _ = connection.send(&Message::text(&text)).await;
    let reply = connection.next_message().await;
    let reply: Option<Value> = reply.and_then(|reply| serde_json::from_slice(&reply.payload).ok());
    match reply.as_ref().and_then(|reply| reply["compressed"].as_bool()) {
        Some(true) => outcome.ok("a message arrived compressed"),
        Some(false) => outcome.differs(
            "recompressed",
            "a message that was sent compressed arrived uncompressed",
        ),
        None => outcome.broken("message", "a compressed message got no reply"),
    }
    leave(connection).await;
}
