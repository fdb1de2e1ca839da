//! `ping`: Pings each way, their payloads, and who answers.

use std::time::{Duration, Instant};

use futures_util::future::join;
use tokio::time::timeout;

use crate::{
    check::{
        definition::{Definition, Needs},
        far_end::leave,
        figures::time,
        outcome::Outcome,
        target::Target,
    },
    client::{Connection, Event, RawFrame},
    protocol::{
        Message,
        frame::{MAX_CONTROL_PAYLOAD, PING},
    },
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::WebSocket,
    words: include_str!("../words/ping.json"),
    run: |target| Box::pin(run(target)),
};

const TEXT: &str = "ws-echo check";

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    if !target.is_ws_echo() {
        up(target, &mut outcome).await;
        if !outcome.is_broken() {
            outcome.unknown("who answers is not known, and whether Pings of the far end arrive");
        }
        return outcome;
    }
    let mut from = Outcome::default();
    let to = async {
        if up(target, &mut outcome).await {
            answered_by(target, &mut outcome).await;
        }
    };
    join(to, down(target, &mut from)).await;
    outcome.extend(from);
    outcome
}

/// Sends Pings, and compares their Pongs. Returns whether each came.
async fn up(target: &Target, outcome: &mut Outcome) -> bool {
    let is_other = !target.is_ws_echo();
    let mut connection = match target.echo(|_| {}).await {
        Ok(connection) => connection,
        Err(error) => {
            outcome.unknown(error.to_string());
            return false;
        }
    };
    let longest = [b'p'; MAX_CONTROL_PAYLOAD];
    let mut first = None;
    for payload in [TEXT.as_bytes(), b"", &longest] {
        let start = Instant::now();
        let sent = connection.send_frame(RawFrame::new(PING, payload)).await;
        let pong = timeout(target.timeout(), pong(&mut connection)).await;
        let len = payload.len();
        match pong {
            Ok(Ok(pong)) if pong == payload => {
                first.get_or_insert(start.elapsed());
            }
            Ok(Ok(pong)) => {
                let seen = format!(
                    "a Ping of {len} B got a Pong of {} B with another payload",
                    pong.len()
                );
                outcome.broken_unless(is_other, "payload", seen);
                return false;
            }
            Ok(Err(end)) => {
                let reason = sent.err().map_or(end, |error| error.to_string());
                let seen = format!("a Ping of {len} B ended the connection: {reason}");
                outcome.broken_unless(is_other, "lost", seen);
                return false;
            }
            Err(_) => {
                let seen = format!("a Ping of {len} B got no Pong within {}", time(target.timeout()));
                outcome.broken_unless(is_other, "lost", seen);
                return false;
            }
        }
    }
    let after = time(first.unwrap_or_default());
    outcome.ok(format!(
        "Pings of 0 to 125 B got their Pongs, the first after {after}"
    ));
    leave(connection).await;
    true
}

/// Returns the payload of the next Pong, or how the connection ended before it.
async fn pong(connection: &mut Connection) -> Result<Vec<u8>, String> {
    loop {
        match connection.next().await {
            Some(Event::Pong(payload)) => return Ok(payload),
            Some(Event::Close(Some(frame))) => return Err(format!("Close {}", frame.code)),
            Some(Event::Close(None)) => return Err("a Close without a code".to_owned()),
            Some(Event::Violation(violation)) => return Err(violation.to_string()),
            Some(Event::End(_)) | None => return Err("the TCP connection ended".to_owned()),
            Some(Event::Frame(_) | Event::Message(..) | Event::Ping(_)) => {}
        }
    }
}

/// Finds out who answers: the far end leaves the Pings of this connection without an answer.
async fn answered_by(target: &Target, outcome: &mut Outcome) {
    let mut connection = match target.connect("reply=verbatim&pong=off").await {
        Ok(connection) => connection,
        Err(error) => return outcome.unknown(error.to_string()),
    };
    let _ = connection.send_frame(RawFrame::new(PING, TEXT.as_bytes())).await;
    let _ = connection.send(&Message::text(TEXT)).await;
    let deadline = target.deadline();
    // The Pong of a proxy comes before the echo, too.
    loop {
        match connection.next_before(deadline).await {
            Some(Event::Pong(_)) => {
                let seen = "something in between answered a Ping that the far end leaves without an answer";
                outcome.differs("answered", seen);
                break;
            }
            Some(Event::Message(..)) => {
                outcome.ok("the far end answered");
                break;
            }
            Some(Event::Frame(_) | Event::Ping(_)) => {}
            Some(Event::Close(_) | Event::Violation(_) | Event::End(_)) | None => {
                outcome.unknown("who answers is not known: the connection ended");
                break;
            }
        }
    }
    leave(connection).await;
}

/// Waits for a Ping of the far end.
async fn down(target: &Target, outcome: &mut Outcome) {
    /// The shortest interval of `?ping=`.
    const INTERVAL: Duration = Duration::from_secs(1);
    let mut connection = match target.connect("reply=none&ping=1s").await {
        Ok(connection) => connection,
        Err(error) => return outcome.unknown(error.to_string()),
    };
    let limit = INTERVAL + target.timeout();
    let ping = timeout(limit, async {
        loop {
            match connection.next().await {
                Some(Event::Ping(payload)) => return Some(payload),
                Some(Event::Frame(_) | Event::Message(..) | Event::Pong(_)) => {}
                Some(Event::Close(_) | Event::Violation(_) | Event::End(_)) | None => return None,
            }
        }
    });
    match ping.await {
        Ok(Some(payload)) if payload.is_empty() => outcome.ok("a Ping of the far end came"),
        Ok(Some(payload)) => outcome.broken(
            "payload",
            format!("an empty Ping of the far end came with {} B", payload.len()),
        ),
        Ok(None) => outcome.broken(
            "swallowed",
            "the connection ended before a Ping of the far end came",
        ),
        Err(_) => outcome.broken(
            "swallowed",
            format!(
                "no Ping of the far end came within {}, one a second was sent",
                time(limit)
            ),
        ),
    }
    leave(connection).await;
}
