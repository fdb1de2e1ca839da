//! `size`: the largest message that passes, each way, up to 16 MiB.

use std::{pin::pin, time::Duration};

use tokio::time::{Instant, timeout_at};

use crate::{
    check::{
        definition::{Definition, Needs},
        far_end::OWN_REASON,
        figures::{size, time},
        outcome::Outcome,
        target::Target,
    },
    client::{ConnectError, Connection, End, Event, HandshakeError, Options, Reason},
    protocol::{DataKind, Message},
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::WebSocket,
    words: include_str!("../words/size.json"),
    run: |target| Box::pin(run(target)),
};

/// The sizes that are tried first. The last one is the largest.
const STEPS: [usize; 3] = [65_536, 1 << 20, 16 << 20];

/// A message that takes this many times as long as its size lets expect does not arrive any more.
const PATIENCE: f64 = 64.0;

/// The text that confirms a message.
const RECEIVED: &str = "received";

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    if !target.echoes() {
        outcome.unknown("the far end does not echo");
        return outcome;
    }
    let (start, limit) = (Instant::now(), target.timeout());
    if !target.is_ws_echo() {
        let found = largest(STEPS[2], start + limit, |len| echoed(target, len)).await;
        judge("both ways", &found, true, &mut outcome);
        return outcome;
    }
    let found = largest(STEPS[2], start + limit / 2, |len| up(target, len)).await;
    judge("to the far end", &found, false, &mut outcome);
    // The far end pushes no larger message than it receives.
    let top = found.own_limit().unwrap_or(STEPS[2]);
    let found = largest(top, start + limit, |len| down(target, len)).await;
    judge("from the far end", &found, false, &mut outcome);
    outcome
}

/// The fate of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Passed,
    /// The far end has a limit, of this many bytes if it says so.
    OwnLimit(Option<usize>),
    /// The connection ended in this way.
    Cut(String),
    /// There was no connection.
    Failed(String),
}

/// The largest message of one way.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    /// The largest size that passed, and its time.
    passed: Option<(usize, Duration)>,
    /// The reason why no larger one passed.
    end: FoundEnd,
}

#[derive(Debug, Clone, PartialEq)]
enum FoundEnd {
    /// Nothing: the largest size passed.
    None,
    /// The smallest size that did not pass.
    Fate(usize, Fate),
    /// A message of this size did not arrive within this time.
    Late(usize, Duration),
}

impl Found {
    /// Returns the limit of the far end, if that is what was found.
    fn own_limit(&self) -> Option<usize> {
        match self.end {
            FoundEnd::Fate(_, Fate::OwnLimit(limit)) => limit,
            _ => None,
        }
    }
}

/// Finds the largest message that passes: first in large steps, then by bisection, until the deadline.
async fn largest(top: usize, deadline: Instant, probe: impl AsyncFn(usize) -> Fate) -> Found {
    let mut passed: Option<(usize, Duration)> = None;
    // A bound of this loop: the top itself is tried, too.
    let steps = STEPS.into_iter().filter(|len| *len < top).chain([top]);
    let mut failed = None;
    for len in steps {
        let start = Instant::now();
        match timeout_at(deadline, pin!(probe(len))).await {
            Ok(Fate::Passed) => passed = Some((len, start.elapsed())),
            Ok(fate) => {
                failed = Some((len, fate));
                break;
            }
            Err(_) => {
                return Found {
                    passed,
                    end: FoundEnd::Late(len, start.elapsed()),
                };
            }
        }
    }
    let Some(mut failed) = failed else {
        return Found {
            passed,
            end: FoundEnd::None,
        };
    };
    // Bisection to the byte, which is 24 messages at most. The limit that the far end names needs one.
    let mut next = match failed.1 {
        Fate::OwnLimit(limit) => limit,
        Fate::Failed(_) => {
            return Found {
                passed,
                end: FoundEnd::Fate(failed.0, failed.1),
            };
        }
        _ => None,
    };
    loop {
        let low = passed.map_or(0, |(len, _)| len);
        if failed.0 - low <= 1 {
            break;
        }
        let len = next
            .take()
            .filter(|len| (low + 1..failed.0).contains(len))
            .unwrap_or(low + (failed.0 - low) / 2);
        let start = Instant::now();
        match timeout_at(deadline, pin!(probe(len))).await {
            Ok(Fate::Passed) => {
                passed = Some((len, start.elapsed()));
                if failed.1 == Fate::OwnLimit(Some(len)) {
                    break;
                }
            }
            Ok(Fate::Failed(_)) | Err(_) => break,
            Ok(fate) => failed = (len, fate),
        }
    }
    Found {
        passed,
        end: FoundEnd::Fate(failed.0, failed.1),
    }
}

/// Returns a payload that no compression and no repetition helps to recognise as another one of the same length.
fn payload(len: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(len).collect()
}

fn failed(error: &ConnectError) -> Fate {
    Fate::Failed(error.to_string())
}

fn receive_large(options: &mut Options) {
    options.max_message_size = STEPS[2];
}

/// Sends a message that the far end confirms by a Close, so that nothing large comes back.
async fn up(target: &Target, len: usize) -> Fate {
    let connected = target
        .connect(&format!("reply=none&close=3000:{RECEIVED}&after=1"))
        .await;
    let mut connection = match connected {
        Ok(connection) => connection,
        Err(error) => return failed(&error),
    };
    connection.queue(&Message::binary(&payload(len)));
    loop {
        match connection.next().await {
            // The check close says if the code or the reason is lost.
            Some(Event::Close(Some(frame))) if frame.code == 3000 || frame.reason == RECEIVED => {
                return Fate::Passed;
            }
            Some(Event::Message(..) | Event::Frame(_) | Event::Ping(_) | Event::Pong(_)) => {}
            end => return ended(end),
        }
    }
}

/// Has the far end push a message.
async fn down(target: &Target, len: usize) -> Fate {
    let connected = target
        .connect_with(&format!("reply=none&push={len}"), receive_large)
        .await;
    let mut connection = match connected {
        Ok(connection) => connection,
        Err(error) if matches!(error.reason, Reason::Handshake(HandshakeError::Status(400))) => {
            return Fate::OwnLimit(None);
        }
        Err(error) => return failed(&error),
    };
    received(&mut connection, len).await
}

/// Sends a message that comes back.
async fn echoed(target: &Target, len: usize) -> Fate {
    let mut connection = match target.echo(receive_large).await {
        Ok(connection) => connection,
        Err(error) => return failed(&error),
    };
    connection.queue(&Message::binary(&payload(len)));
    received(&mut connection, len).await
}

/// Waits for a binary message of this length. Another server may send more.
async fn received(connection: &mut Connection, len: usize) -> Fate {
    loop {
        match connection.next().await {
            Some(Event::Message(message, _))
                if message.kind == DataKind::Binary && message.payload.len() == len =>
            {
                return Fate::Passed;
            }
            Some(Event::Message(..) | Event::Frame(_) | Event::Ping(_) | Event::Pong(_)) => {}
            end => return ended(end),
        }
    }
}

fn ended(end: Option<Event>) -> Fate {
    match end {
        Some(Event::Close(Some(frame))) => match frame.reason.strip_prefix(OWN_REASON) {
            Some(reason) => {
                let mut numbers = reason.split(' ').filter_map(|word| word.parse().ok());
                Fate::OwnLimit(numbers.next_back().filter(|_| frame.code == 1009))
            }
            None => Fate::Cut(format!("Close {}", frame.code)),
        },
        Some(Event::Close(None)) => Fate::Cut("a Close without a code".to_owned()),
        Some(Event::Violation(violation)) => Fate::Cut(format!("an invalid frame: {violation}")),
        Some(Event::End(End::Reset)) => Fate::Cut("a reset".to_owned()),
        _ => Fate::Cut("the end of the TCP connection".to_owned()),
    }
}

fn judge(way: &str, found: &Found, is_other: bool, outcome: &mut Outcome) {
    let largest = match found.passed {
        Some((len, took)) => format!("{} passed {way} in {}", size(len), time(took)),
        None => format!("no message passed {way}"),
    };
    match &found.end {
        FoundEnd::None => outcome.ok(largest),
        FoundEnd::Fate(len, Fate::OwnLimit(_)) => {
            let seen = format!("{largest}; the far end itself refuses {}", size(*len));
            if found.passed.is_some() {
                outcome.ok(seen);
            } else {
                outcome.unknown(seen);
            }
        }
        FoundEnd::Fate(len, Fate::Cut(end)) => {
            let seen = format!("{largest}; {} was cut by {end}", size(*len));
            outcome.broken_unless(is_other, "cut", seen);
        }
        FoundEnd::Fate(len, Fate::Failed(error)) => {
            outcome.unknown(format!("{largest}; {} was not sent: {error}", size(*len)));
        }
        // Not a fate that ends the search.
        FoundEnd::Fate(_, Fate::Passed) => {}
        FoundEnd::Late(len, waited) => {
            let seen = format!(
                "{largest}; {} did not arrive within {}",
                size(*len),
                time(*waited)
            );
            let is_stalled = found.passed.is_some_and(|(passed, took)| {
                let expected = took.as_secs_f64() * (*len as f64) / (passed as f64);
                expected * PATIENCE < waited.as_secs_f64()
            });
            if is_stalled {
                outcome.broken_unless(is_other, "stalled", seen);
            } else {
                // A slow network.
                outcome.unknown(seen);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn found(limit: usize) -> (Found, usize) {
        let count = std::cell::Cell::new(0);
        let deadline = Instant::now() + Duration::from_secs(60);
        let found = largest(16 << 20, deadline, async |len| {
            count.set(count.get() + 1);
            if len <= limit {
                Fate::Passed
            } else {
                Fate::Cut("a FIN".to_owned())
            }
        })
        .await;
        (found, count.get())
    }

    #[tokio::test]
    async fn the_limit_is_found_to_the_byte() {
        for limit in [0, 1, 100, 65_535, 65_536, 100_000, 1 << 20, (16 << 20) - 1] {
            let (found, count) = found(limit).await;
            assert_eq!(found.passed.map_or(0, |(len, _)| len), limit);
            assert_eq!(
                found.end,
                FoundEnd::Fate(limit + 1, Fate::Cut("a FIN".to_owned()))
            );
            assert!(count <= 27, "{limit}: {count}");
        }
        assert_eq!(found(16 << 20).await.0.end, FoundEnd::None);
    }

    #[test]
    fn a_slow_network_is_not_broken() {
        let judged = |took, waited| {
            let mut outcome = Outcome::default();
            let found = Found {
                passed: Some((65_536, Duration::from_millis(took))),
                end: FoundEnd::Late(1 << 20, Duration::from_secs(waited)),
            };
            judge("both ways", &found, false, &mut outcome);
            outcome.is_broken()
        };
        assert!(judged(1, 5));
        assert!(!judged(300, 5));
    }

    #[test]
    fn the_limit_of_ws_echo_is_its_own() {
        let close = |code, reason: &'static str| {
            let frame = crate::protocol::CloseFrame {
                code,
                reason: reason.into(),
            };
            ended(Some(Event::Close(Some(frame))))
        };
        assert_eq!(
            close(1009, "ws-echo: a message of more than 1024 bytes"),
            Fate::OwnLimit(Some(1024))
        );
        assert_eq!(
            close(1013, "ws-echo: memory limit --max-buffered reached"),
            Fate::OwnLimit(None)
        );
        assert_eq!(close(1009, ""), Fate::Cut("Close 1009".to_owned()));
    }
}
