//! `close`: the close code and the close reason, both ways.

use std::ops::RangeInclusive;

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::{
    check::{
        definition::{Definition, Needs},
        figures::list,
        outcome::Outcome,
        target::Target,
    },
    client::{Closed, Connection, End, Event},
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::WebSocket,
    words: include_str!("../words/close.json"),
    run: |target| Box::pin(run(target)),
};

/// The codes that a server sends: those of the protocol, and the edges of the ranges for libraries and applications.
const DOWN: [u16; 14] = [
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999,
];

/// The codes that a client sends. Browsers allow only these ranges.
const UP: [u16; 4] = [1000, 3000, 4001, 4999];

const REASON: &str = "check";

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    if target.is_ws_echo() {
        let codes: Vec<_> = [None].into_iter().chain(DOWN.map(Some)).collect();
        let seen = join_all(codes.iter().map(|code| down(target, *code))).await;
        judge("from the far end", &codes, &seen, false, &mut outcome);
    }
    let codes: Vec<_> = [None].into_iter().chain(UP.map(Some)).collect();
    let seen = join_all(codes.iter().map(|code| up(target, *code))).await;
    judge(
        "to the far end and back",
        &codes,
        &seen,
        !target.is_ws_echo(),
        &mut outcome,
    );
    outcome
}

/// How a Close arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Arrival {
    /// With this code and reason.
    Code(u16, String),
    /// Without a body.
    Empty,
    /// Not at all: the connection ended, which a browser reports as 1006.
    None(&'static str),
    /// There was no connection.
    Failed(String),
}

/// Returns how a Close of the far end arrives.
async fn down(target: &Target, code: Option<u16>) -> Arrival {
    let close = code.map_or_else(String::new, |code| format!("{code}:{REASON}"));
    // The client replies only once the Close has been seen.
    let connected = target.connect(&format!("close={close}&after=0s")).await;
    match connected {
        Ok(mut connection) => arrival(&mut connection, target.deadline()).await,
        Err(error) => Arrival::Failed(error.to_string()),
    }
}

async fn arrival(connection: &mut Connection, deadline: Instant) -> Arrival {
    loop {
        return match connection.next_before(deadline).await {
            Some(Event::Close(Some(frame))) => Arrival::Code(frame.code, frame.reason.into_owned()),
            Some(Event::Close(None)) => Arrival::Empty,
            Some(Event::End(end)) => Arrival::None(end_name(&end)),
            Some(Event::Violation(_)) => Arrival::None("an invalid frame"),
            Some(Event::Frame(_) | Event::Message(..) | Event::Ping(_) | Event::Pong(_)) => continue,
            None => Arrival::None("nothing in time"),
        };
    }
}

fn end_name(end: &End) -> &'static str {
    match end {
        End::Fin => "a FIN",
        End::Reset => "a reset",
        End::Failed(_) => "an error",
    }
}

/// Returns how a Close of this client comes back: RFC 6455 section 5.5.1 has the peer echo its code.
async fn up(target: &Target, code: Option<u16>) -> Arrival {
    match target.connect("reply=none").await {
        Ok(connection) => {
            let Closed { frame, end, .. } = connection.close(code.map(|code| (code, REASON))).await;
            match (frame, end) {
                (Some(Some(frame)), _) => Arrival::Code(frame.code, frame.reason.into_owned()),
                (Some(None), _) => Arrival::Empty,
                (None, Some(end)) => Arrival::None(end_name(&end)),
                (None, None) => Arrival::None("nothing in time"),
            }
        }
        Err(error) => Arrival::Failed(error.to_string()),
    }
}

/// Adds what arrived. `is_other` is whether the codes that come back may be the choice of the far end.
fn judge(way: &str, codes: &[Option<u16>], seen: &[Arrival], is_other: bool, outcome: &mut Outcome) {
    let (mut right, mut without_reason) = (Vec::new(), Vec::new());
    for (code, arrival) in codes.iter().zip(seen) {
        let sent = code.map_or_else(|| "an empty one".to_owned(), |code| code.to_string());
        match (code, arrival) {
            (None, Arrival::Empty) => right.push(None),
            (Some(code), Arrival::Code(came, reason)) if came == code => {
                right.push(Some(*code));
                if reason != REASON {
                    without_reason.push(code.to_string());
                }
            }
            // Some servers reply to an empty Close with 1000.
            (None, Arrival::Code(1000, _)) if is_other => right.push(None),
            (_, Arrival::Code(came, _)) => {
                outcome.broken_unless(is_other, "code", format!("{sent} came as {came} {way}"));
            }
            (_, Arrival::Empty) => {
                outcome.broken_unless(is_other, "code", format!("{sent} came without a code {way}"));
            }
            (_, Arrival::None(what)) => {
                outcome.broken_unless(
                    is_other,
                    "none",
                    format!("{sent} came as {what} {way}, which is 1006 to a browser"),
                );
            }
            (_, Arrival::Failed(error)) => outcome.unknown(format!("{sent} was not sent {way}: {error}")),
        }
    }
    if !right.is_empty() {
        outcome.ok(format!("{} came unchanged {way}", ranges(&right)));
    }
    if !without_reason.is_empty() {
        outcome.broken_unless(
            is_other,
            "reason",
            format!("the reason of {} was lost {way}", list(&without_reason)),
        );
    }
}

/// Returns codes as ranges: `an empty one, 1000 to 1003 and 4999`.
fn ranges(codes: &[Option<u16>]) -> String {
    let mut names = Vec::new();
    if codes.contains(&None) {
        names.push("an empty one".to_owned());
    }
    let mut run: Option<RangeInclusive<u16>> = None;
    for code in codes.iter().flatten() {
        run = match run {
            Some(run) if run.end() + 1 == *code => Some(*run.start()..=*code),
            ended => {
                names.extend(ended.map(|run| range(&run)));
                Some(*code..=*code)
            }
        };
    }
    names.extend(run.map(|run| range(&run)));
    list(&names)
}

fn range(codes: &RangeInclusive<u16>) -> String {
    if codes.start() == codes.end() {
        codes.start().to_string()
    } else {
        format!("{} to {}", codes.start(), codes.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_shown_as_ranges() {
        let codes = [None, Some(1000), Some(1001), Some(1002), Some(1007), Some(3000)];
        assert_eq!(ranges(&codes), "an empty one, 1000 to 1002, 1007 and 3000");
    }

    #[test]
    fn a_code_that_was_rewritten_is_named() {
        let mut outcome = Outcome::default();
        let seen = [Arrival::Code(1000, "check".to_owned())];
        judge(
            "to the far end and back",
            &[Some(4001)],
            &seen,
            false,
            &mut outcome,
        );
        assert_eq!(outcome.seen(), "4001 came as 1000 to the far end and back");
        assert_eq!(outcome.findings, ["code"]);
    }
}
