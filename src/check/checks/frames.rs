//! `frames`: the fragments of a message as they arrive, with a control frame between them.

use serde_json::Value;
use tokio::time::timeout;

use crate::{
    check::{
        definition::{Definition, Needs},
        far_end::leave,
        figures::size,
        outcome::Outcome,
        target::Target,
    },
    client::{Connection, Event, RawFrame},
    protocol::{
        DataKind, Message,
        frame::{CONTINUATION, PING, TEXT},
    },
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::WebSocket,
    words: include_str!("../words/frames.json"),
    run: |target| Box::pin(run(target)),
};

/// The payloads of a message in fragments.
const FRAGMENTS: [&str; 3] = ["ws-echo ", "check ", "frames"];

/// The payload of the Ping between them.
const BETWEEN: &[u8] = b"between";

/// Size of a frame that is not fragmented.
const WHOLE: usize = 65_536;

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    if !target.echoes() {
        outcome.unknown("the far end does not echo");
        return outcome;
    }
    // Each step has its timeout, and several of them could take longer than the check may.
    let steps = async {
        up(target, &mut outcome).await;
        if target.is_ws_echo() {
            down(target, &mut outcome).await;
        }
    };
    if timeout(target.timeout(), steps).await.is_err() {
        let seen = "a message in 3 fragments with a Ping between them was not answered in time";
        outcome.broken_unless(!target.is_ws_echo(), "lost", seen);
    }
    if !target.is_ws_echo() {
        outcome.unknown("only ws-echo shows the frames that arrive");
    }
    outcome
}

/// Sends a message in fragments, with a Ping between them, and a long message in one frame.
async fn up(target: &Target, outcome: &mut Outcome) {
    let is_other = !target.is_ws_echo();
    let mut connection = match target.connect("reply=json").await {
        Ok(connection) => connection,
        Err(error) => return outcome.unknown(error.to_string()),
    };
    let [first, second, last] = FRAGMENTS.map(str::as_bytes);
    let start = RawFrame {
        fin: false,
        ..RawFrame::new(TEXT, first)
    };
    let middle = RawFrame {
        fin: false,
        ..RawFrame::new(CONTINUATION, second)
    };
    for frame in [
        start,
        RawFrame::new(PING, BETWEEN),
        middle,
        RawFrame::new(CONTINUATION, last),
    ] {
        // If this fails, the next event says why.
        let _ = connection.send_frame(frame).await;
    }
    let sent = FRAGMENTS.concat();
    let (mut pong, mut reply) = (false, None);
    while !pong || reply.is_none() {
        match connection.next().await {
            Some(Event::Pong(payload)) if payload == BETWEEN => pong = true,
            Some(Event::Message(message, _)) if is_other && *message.payload == *sent.as_bytes() => {
                reply = Some(Value::Null);
            }
            Some(Event::Message(message, _)) => {
                let value: Option<Value> = serde_json::from_slice(&message.payload).ok();
                // Another server may send more than the echo.
                reply = value
                    .filter(|value| value["frames"].is_number() && !is_other)
                    .or(reply);
            }
            Some(Event::Frame(_) | Event::Ping(_) | Event::Pong(_)) => {}
            end @ (Some(Event::Close(_) | Event::Violation(_) | Event::End(_)) | None) => {
                let seen = format!(
                    "a message in 3 fragments ended the connection by {}",
                    end_name(end.as_ref())
                );
                return outcome.broken_unless(is_other, "lost", seen);
            }
        }
    }
    let way = "to the far end";
    if is_other {
        outcome.ok("a message in 3 fragments came back whole, and the Ping between them got its Pong");
        return leave(connection).await;
    }
    let reply = reply.unwrap_or_default();
    if reply["data"] != *sent {
        outcome.broken(
            "changed",
            format!("a message in 3 fragments arrived changed {way}"),
        );
    } else {
        judge(
            way,
            3,
            reply["frames"].as_u64().unwrap_or(0),
            "3 fragments",
            outcome,
        );
        outcome.ok("the Ping between them got its Pong");
    }
    let long = vec![b'w'; WHOLE];
    let _ = connection.send(&Message::binary(&long)).await;
    let reply = connection.next_message().await;
    let reply: Option<Value> = reply.and_then(|reply| serde_json::from_slice(&reply.payload).ok());
    match reply.as_ref().and_then(|reply| reply["frames"].as_u64()) {
        Some(frames) => judge(way, 1, frames, &whole(), outcome),
        None => outcome.unknown(format!("a frame of {} got no reply", size(WHOLE))),
    }
    leave(connection).await;
}

/// Has the far end fragment a message, and send a long one in one frame.
async fn down(target: &Target, outcome: &mut Outcome) {
    let way = "from the far end";
    for (behaviour, sent, what) in [
        ("&fragment=32768", 2, "2 fragments of 32,768 B".to_owned()),
        ("", 1, whole()),
    ] {
        let connected = target.connect(&format!("reply=verbatim{behaviour}")).await;
        let mut connection = match connected {
            Ok(connection) => connection,
            Err(error) => return outcome.unknown(error.to_string()),
        };
        let _ = connection.send(&Message::binary(&[b'w'; WHOLE])).await;
        match frames(&mut connection).await {
            Ok(frames) => judge(way, sent, frames, &what, outcome),
            Err(end) => outcome.broken("lost", format!("{what} {way} ended the connection by {end}")),
        }
        leave(connection).await;
    }
}

/// Returns the number of frames of the next message.
async fn frames(connection: &mut Connection) -> Result<u64, String> {
    loop {
        match connection.next().await {
            Some(Event::Message(message, meta)) if message.kind == DataKind::Binary => {
                return Ok(meta.frames as u64);
            }
            Some(Event::Message(..) | Event::Frame(_) | Event::Ping(_) | Event::Pong(_)) => {}
            end @ (Some(Event::Close(_) | Event::Violation(_) | Event::End(_)) | None) => {
                return Err(end_name(end.as_ref()));
            }
        }
    }
}

fn whole() -> String {
    format!("one frame of {}", size(WHOLE))
}

fn end_name(end: Option<&Event>) -> String {
    match end {
        Some(Event::Close(Some(frame))) => format!("Close {} {}", frame.code, frame.reason),
        Some(Event::Close(None)) => "a Close without a code".to_owned(),
        Some(Event::Violation(violation)) => format!("an invalid frame: {violation}"),
        _ => "an end of the TCP connection".to_owned(),
    }
}

/// Adds how many frames came of those that were sent.
fn judge(way: &str, sent: u64, came: u64, what: &str, outcome: &mut Outcome) {
    match came {
        came if came == sent => outcome.ok(format!("{what} came as sent {way}")),
        1 => outcome.differs("joined", format!("{what} came as one frame {way}")),
        came if came < sent => outcome.differs("joined", format!("{what} came as {came} frames {way}")),
        came => outcome.differs("cut", format!("{what} came as {came} frames {way}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_frames_are_joined_and_more_are_cut() {
        let judged = |sent, came| {
            let mut outcome = Outcome::default();
            judge("to the far end", sent, came, "it", &mut outcome);
            outcome.findings
        };
        assert_eq!(judged(3, 3), [""; 0]);
        assert_eq!(judged(3, 1), ["joined"]);
        assert_eq!(judged(3, 2), ["joined"]);
        assert_eq!(judged(1, 4), ["cut"]);
    }
}
