//! `backpressure`: how much is buffered on the way before a sender must wait for a receiver that reads nothing.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::{
    check::{
        definition::{Definition, Needs},
        far_end::leave,
        figures::{size, time},
        outcome::Outcome,
        target::Target,
    },
    client::{Connection, Event},
    protocol::Message,
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::WebSocket,
    words: include_str!("../words/backpressure.json"),
    run: |target| Box::pin(run(target)),
};

/// Size of a message in bytes.
const MESSAGE: usize = 16 * 1024;

/// Number of bytes that are sent at most. Linux buffers up to 4 MiB in each kernel's send buffer.
const MOST: usize = 48 << 20;

/// Time without progress after which a sender has to wait.
const QUIET: Duration = Duration::from_millis(400);

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    if !target.echoes() {
        outcome.unknown("the far end does not echo");
        return outcome;
    }
    let is_other = !target.is_ws_echo();
    let (up, both) = tokio::join!(
        async {
            match is_other {
                true => None,
                false => Some(to_no_reader(target).await),
            }
        },
        as_no_reader(target)
    );
    if let Some(up) = up {
        judge("a far end that reads nothing", &up, is_other, &mut outcome);
    }
    judge(
        "a client that reads none of its echoes",
        &both.filled,
        is_other,
        &mut outcome,
    );
    match both.echoed {
        Some(Ok(count)) => outcome.ok(format!("then all {count} echoes came, in order")),
        Some(Err(reason)) => outcome.broken_unless(is_other, "lost", reason),
        None => {}
    }
    outcome
}

/// The result of sending to a connection that is not read.
#[derive(Debug, PartialEq, Eq)]
enum Filled {
    /// The sender has to wait after this number of bytes.
    Stopped(usize),
    /// All bytes were accepted.
    All,
    /// Bytes were still accepted at the deadline.
    Slow(usize),
    /// The connection ended.
    Ended(usize, String),
    /// There was no connection.
    Failed(String),
}

/// Sends to ws-echo, which reads one byte a second.
async fn to_no_reader(target: &Target) -> Filled {
    match target.connect("reply=none&read-rate=1").await {
        Ok(mut connection) => {
            let (filled, _) = fill(&mut connection, target.deadline()).await;
            // A Close would wait behind the messages.
            connection.abort();
            filled
        }
        Err(error) => Filled::Failed(error.to_string()),
    }
}

/// The result for a client that first reads nothing, and then all.
struct Both {
    filled: Filled,
    /// The number of echoes, or the reason why one is missing.
    echoed: Option<Result<usize, String>>,
}

async fn as_no_reader(target: &Target) -> Both {
    let mut connection = match target.echo(|_| {}).await {
        Ok(connection) => connection,
        Err(error) => {
            return Both {
                filled: Filled::Failed(error.to_string()),
                echoed: None,
            };
        }
    };
    let (filled, sent) = fill(&mut connection, target.deadline()).await;
    let echoed = match filled {
        Filled::Stopped(_) | Filled::All => Some(drain(&mut connection, sent, target.deadline()).await),
        _ => None,
    };
    match &echoed {
        Some(Ok(_)) => leave(connection).await,
        _ => connection.abort(),
    }
    Both { filled, echoed }
}

/// Returns the message of this number.
fn message(index: usize) -> Vec<u8> {
    let mut payload = vec![0; MESSAGE];
    payload[..8].copy_from_slice(&(index as u64).to_be_bytes());
    payload
}

/// Sends until the sender has to wait. Returns the number of messages in the connection, too.
async fn fill(connection: &mut Connection, deadline: Instant) -> (Filled, usize) {
    let mut sent = 0;
    while sent * MESSAGE < MOST {
        connection.queue(&Message::binary(&message(sent)));
        sent += 1;
        loop {
            let before = connection.unwritten();
            let accepted = (sent * MESSAGE).saturating_sub(before);
            match timeout(QUIET, connection.flush()).await {
                Ok(Ok(())) => break,
                Ok(Err(error)) => {
                    return (Filled::Ended(accepted, error.to_string()), sent);
                }
                Err(_) => {
                    let left = connection.unwritten();
                    let accepted = (sent * MESSAGE).saturating_sub(left);
                    if left == before {
                        return (Filled::Stopped(accepted), sent);
                    }
                    if Instant::now() >= deadline {
                        return (Filled::Slow(accepted), sent);
                    }
                }
            }
        }
        if Instant::now() >= deadline {
            return (Filled::Slow(sent * MESSAGE), sent);
        }
    }
    (Filled::All, sent)
}

/// Reads the echoes.
async fn drain(connection: &mut Connection, sent: usize, mut deadline: Instant) -> Result<usize, String> {
    let patience = deadline.saturating_duration_since(Instant::now());
    let last = Instant::now() + patience * 3;
    let mut count = 0;
    while count < sent {
        match connection.next_before(deadline.min(last)).await {
            Some(Event::Message(reply, _)) => {
                if *reply.payload != *message(count) {
                    return Err(format!("echo {count} of {sent} is not that of its message"));
                }
                count += 1;
                deadline = Instant::now() + patience;
            }
            Some(Event::Close(frame)) => {
                let code = frame.map_or("no code".to_owned(), |frame| frame.code.to_string());
                return Err(format!("after {count} of {sent} echoes came a Close with {code}"));
            }
            Some(Event::End(_) | Event::Violation(_)) => {
                return Err(format!("the connection ended after {count} of {sent} echoes"));
            }
            Some(Event::Frame(_) | Event::Ping(_) | Event::Pong(_)) => {}
            None => return Err(format!("{count} of {sent} echoes came within {}", time(patience))),
        }
    }
    Ok(count)
}

fn judge(receiver: &str, filled: &Filled, is_other: bool, outcome: &mut Outcome) {
    match filled {
        Filled::Stopped(bytes) => {
            outcome.ok(format!(
                "{receiver} is sent {} before the sender waits",
                size(*bytes)
            ));
        }
        Filled::All => {
            let seen = format!("{receiver} is sent {} without a wait", size(MOST));
            // An echo server may hold its own replies.
            if is_other {
                outcome.unknown(seen);
            } else {
                outcome.differs("unbounded", seen);
            }
        }
        Filled::Slow(bytes) => outcome.unknown(format!(
            "{receiver} is sent {} in the timeout, and no wait was seen",
            size(*bytes)
        )),
        Filled::Ended(bytes, error) => outcome.broken_unless(
            is_other,
            "cut",
            format!("{receiver} is cut after {}: {error}", size(*bytes)),
        ),
        Filled::Failed(error) => outcome.unknown(format!("no connection: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_takes_all_differs_and_one_that_cuts_is_broken() {
        for (filled, finding) in [
            (Filled::Stopped(2 << 20), None),
            (Filled::Slow(2 << 20), None),
            (Filled::All, Some("unbounded")),
            (Filled::Ended(1 << 20, "reset".to_owned()), Some("cut")),
        ] {
            let mut outcome = Outcome::default();
            judge("x", &filled, false, &mut outcome);
            assert_eq!(outcome.findings.first().copied(), finding, "{filled:?}");
            let mut outcome = Outcome::default();
            judge("x", &filled, true, &mut outcome);
            assert!(outcome.findings.is_empty(), "{filled:?}");
        }
    }
}
