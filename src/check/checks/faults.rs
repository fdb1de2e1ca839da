//! `faults`: frames that break the protocol, each way: passed on, or stopped in between.

use futures_util::future::join_all;
use tokio::time::timeout;

use crate::{
    check::{
        definition::{Definition, Needs},
        far_end::OWN_REASON,
        figures::list,
        outcome::Outcome,
        target::Target,
    },
    client::{Connection, Event, Masking, RawFrame},
    protocol::{
        Fault, Message,
        frame::{CLOSE, CONTINUATION, PING, TEXT},
    },
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::WebSocket,
    words: include_str!("../words/faults.json"),
    run: |target| Box::pin(run(target)),
};

/// The invalid frames of this client, by the names of `?wire=` where there is one.
const UP: [&str; 10] = [
    "rsv",
    "opcode",
    "unmasked",
    "length",
    "utf8",
    "continuation",
    "long-control",
    "fragmented-control",
    "close-code",
    "close-length",
];

/// The text of the messages before and after an invalid frame.
const BEFORE: &str = "before";
const AFTER: &str = "after";

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    let is_other = !target.is_ws_echo();
    let seen = join_all(UP.map(|fault| up(target, fault))).await;
    judge("to the far end", &UP, &seen, is_other, &mut outcome);
    if is_other {
        outcome.unknown("only ws-echo says that an invalid frame arrived, and sends some by request");
    } else {
        let names = Fault::ALL.map(Fault::name);
        let seen = join_all(names.map(|fault| down(target, fault))).await;
        judge("from the far end", &names, &seen, false, &mut outcome);
    }
    outcome
}

/// The fate of an invalid frame.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// It arrived.
    Passed,
    /// It did not arrive, and the connection ended in this way.
    Stopped(String),
    /// It arrived as a valid frame.
    Repaired,
    /// It did not arrive, and the connection went on.
    Dropped,
    /// Nothing came in time.
    Nothing,
    /// There was no connection.
    Failed(String),
}

/// Returns the bytes of an invalid frame of a client.
fn bytes(fault: &str) -> Vec<u8> {
    const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
    let text = RawFrame {
        masking: Masking::Key(KEY),
        ..RawFrame::new(TEXT, b"ws-echo check: invalid frame")
    };
    let frame = match fault {
        "rsv" => RawFrame { rsv: 0b001, ..text },
        "opcode" => RawFrame { opcode: 3, ..text },
        "unmasked" => RawFrame {
            masking: Masking::None,
            ..text
        },
        "utf8" => RawFrame {
            payload: &[0xC3, 0x28],
            ..text
        },
        "continuation" => RawFrame {
            opcode: CONTINUATION,
            ..text
        },
        "long-control" => RawFrame {
            opcode: PING,
            payload: &[b'p'; 126],
            ..text
        },
        "fragmented-control" => RawFrame {
            fin: false,
            opcode: PING,
            ..text
        },
        "close-code" => RawFrame {
            opcode: CLOSE,
            payload: &[0x03, 0xED],
            ..text
        },
        "close-length" => RawFrame {
            opcode: CLOSE,
            payload: &[0x03],
            ..text
        },
        _ => text,
    };
    let mut bytes = frame.to_bytes(KEY);
    if fault == "length" {
        // The length in the next longer form.
        let len = bytes[1] & 0x7F;
        bytes.splice(1..2, [0x80 | 126, 0, len]);
    }
    bytes
}

/// Sends an invalid frame, and returns what became of it.
async fn up(target: &Target, fault: &str) -> Fate {
    let mut connection = match target.echo(|_| {}).await {
        Ok(connection) => connection,
        Err(error) => return Fate::Failed(error.to_string()),
    };
    // If this fails, the next event says why.
    let _ = connection.send_bytes(&bytes(fault)).await;
    if !fault.starts_with("close") {
        let _ = connection.send(&Message::text(AFTER)).await;
    }
    let fate = async {
        loop {
            return match connection.next().await {
                Some(Event::Close(Some(frame))) if frame.reason.starts_with(OWN_REASON) => Fate::Passed,
                Some(Event::Message(message, _)) if *message.payload == *AFTER.as_bytes() => Fate::Dropped,
                // The echo of the frame.
                Some(Event::Message(message, _)) if message.payload.starts_with(b"ws-echo check") => {
                    Fate::Repaired
                }
                Some(Event::Message(..) | Event::Frame(_) | Event::Ping(_)) => continue,
                Some(Event::Pong(_)) => Fate::Repaired,
                end => Fate::Stopped(end_name(end.as_ref())),
            };
        }
    };
    timeout(target.timeout(), fate).await.unwrap_or(Fate::Nothing)
}

/// Has the far end send an invalid frame, and returns what became of it.
async fn down(target: &Target, fault: &str) -> Fate {
    let connected = target
        .connect(&format!("reply=verbatim&wire={fault}&after=1"))
        .await;
    let mut connection = match connected {
        Ok(connection) => connection,
        Err(error) => return Fate::Failed(error.to_string()),
    };
    for text in [BEFORE, AFTER] {
        let _ = connection.send(&Message::text(text)).await;
    }
    let fate = arrival(&mut connection);
    timeout(target.timeout(), fate).await.unwrap_or(Fate::Nothing)
}

async fn arrival(connection: &mut Connection) -> Fate {
    loop {
        return match connection.next().await {
            Some(Event::Violation(_)) => Fate::Passed,
            Some(Event::Message(message, _)) if *message.payload == *BEFORE.as_bytes() => continue,
            Some(Event::Message(message, _)) if *message.payload == *AFTER.as_bytes() => Fate::Dropped,
            Some(Event::Message(..)) => Fate::Repaired,
            Some(Event::Frame(_) | Event::Ping(_) | Event::Pong(_)) => continue,
            end => Fate::Stopped(end_name(end.as_ref())),
        };
    }
}

fn end_name(end: Option<&Event>) -> String {
    match end {
        Some(Event::Close(Some(frame))) => format!("Close {}", frame.code),
        Some(Event::Close(None)) => "a Close without a code".to_owned(),
        Some(Event::Violation(violation)) => format!("an invalid frame: {violation}"),
        _ => "an end of the TCP connection".to_owned(),
    }
}

/// Adds what became of the frames, those of the same fate together.
fn judge(way: &str, faults: &[&str], fates: &[Fate], is_other: bool, outcome: &mut Outcome) {
    let mut seen: Vec<&Fate> = Vec::new();
    for fate in fates {
        if !seen.contains(&fate) {
            seen.push(fate);
        }
    }
    for fate in seen {
        let names: Vec<_> = faults
            .iter()
            .zip(fates)
            .filter(|(_, other)| *other == fate)
            .collect();
        let names: Vec<_> = names.into_iter().map(|(name, _)| *name).collect();
        let names = if names.len() == faults.len() {
            format!("all {} invalid frames", names.len())
        } else {
            list(&names)
        };
        match fate {
            Fate::Failed(error) => outcome.unknown(format!("{names} not sent {way}: {error}")),
            // The far end may do all of this itself.
            _ if is_other => outcome.unknown(format!("{names} got {}", reply(fate))),
            Fate::Passed => outcome.ok(format!("{names} passed on {way}")),
            Fate::Stopped(end) => outcome.differs("stopped", format!("{names} stopped {way} by {end}")),
            Fate::Nothing => {
                outcome.differs("stopped", format!("{names} stopped {way}: nothing came in time"));
            }
            Fate::Repaired => outcome.differs("repaired", format!("{names} came as valid frames {way}")),
            Fate::Dropped => outcome.differs("repaired", format!("{names} were left out {way}")),
        }
    }
}

fn reply(fate: &Fate) -> &str {
    match fate {
        Fate::Stopped(end) | Fate::Failed(end) => end,
        Fate::Passed => "a Close of ws-echo",
        Fate::Repaired => "an answer",
        Fate::Dropped => "no answer",
        Fate::Nothing => "nothing in time",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Decoder, Limits, NoObserver, ReadBuffer, Server};

    #[test]
    fn each_frame_of_the_client_is_invalid() {
        for fault in UP {
            let limits = Limits {
                message_size: 1024,
                fragments: 8,
            };
            let mut decoder = Decoder::<Server, _>::new(limits, None, NoObserver);
            let mut buffer = ReadBuffer::default();
            buffer.append(&bytes(fault));
            let decoded = decoder.decode(&mut buffer);
            assert!(decoded.is_err(), "{fault}: {decoded:?}");
        }
    }

    #[test]
    fn frames_of_the_same_fate_are_one_observation() {
        let mut outcome = Outcome::default();
        let fates = [
            Fate::Passed,
            Fate::Stopped("Close 1002".to_owned()),
            Fate::Stopped("Close 1002".to_owned()),
        ];
        judge("to the far end", &["a", "b", "c"], &fates, false, &mut outcome);
        assert_eq!(
            outcome.seen(),
            "b and c stopped to the far end by Close 1002; a passed on to the far end"
        );
        assert_eq!(outcome.findings, ["stopped"]);
    }
}
