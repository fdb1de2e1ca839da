//! `reset`: what a client sees if the far end resets or ends the TCP connection, and when.

use std::time::{Duration, Instant};

use futures_util::future::join;
use tokio::time::timeout;

use crate::{
    check::{
        definition::{Definition, Needs},
        figures::time,
        outcome::Outcome,
        target::Target,
    },
    client::{Connection, End, Event},
    protocol::Message,
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::WebSocket,
    words: include_str!("../words/reset.json"),
    run: |target| Box::pin(run(target)),
};

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    if !target.is_ws_echo() {
        outcome.unknown("the far end resets no connection by request");
        return outcome;
    }
    let (reset, fin) = join(seen(target, "abort"), seen(target, "fin")).await;
    judge("a reset", reset, &mut outcome);
    judge("a FIN", fin, &mut outcome);
    outcome
}

/// How the end of a connection arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Arrival {
    /// As an end of the TCP connection, this long after the far end was asked for it.
    End(&'static str, Duration),
    /// As a Close frame with this code, which the far end did not send.
    Close(Option<u16>),
    /// Not within this time.
    Open(Duration),
    /// The connection was not opened, or ended in another way.
    Failed(String),
}

/// Has the far end reply to a message and then end the connection, and returns what arrives.
async fn seen(target: &Target, action: &str) -> Arrival {
    let connected = target.connect(&format!("reply=verbatim&{action}&after=1")).await;
    let mut connection = match connected {
        Ok(connection) => connection,
        Err(error) => return Arrival::Failed(error.to_string()),
    };
    let start = Instant::now();
    if let Err(error) = connection.send(&Message::text("ws-echo check")).await {
        return Arrival::Failed(error.to_string());
    }
    timeout(target.timeout(), arrival(&mut connection, start))
        .await
        .unwrap_or_else(|_| Arrival::Open(target.timeout()))
}

async fn arrival(connection: &mut Connection, start: Instant) -> Arrival {
    loop {
        return match connection.next().await {
            Some(Event::End(end)) => {
                let name = match end {
                    End::Fin => "a FIN",
                    End::Reset => "a reset",
                    End::Failed(_) => "an error of TLS",
                };
                Arrival::End(name, start.elapsed())
            }
            Some(Event::Close(frame)) => Arrival::Close(frame.map(|frame| frame.code)),
            Some(Event::Violation(violation)) => Arrival::Failed(violation.to_string()),
            Some(Event::Frame(_) | Event::Message(..) | Event::Ping(_) | Event::Pong(_)) => continue,
            None => Arrival::Failed("the connection ended".to_owned()),
        };
    }
}

fn judge(sent: &str, arrival: Arrival, outcome: &mut Outcome) {
    match arrival {
        Arrival::End(end, after) => {
            let after = time(after);
            outcome.ok(format!(
                "{sent} of the far end came as {end} after {after}, which is 1006 to a browser"
            ));
        }
        Arrival::Close(None) => {
            outcome.broken(
                "clean",
                format!("{sent} of the far end came as a Close without a code"),
            );
        }
        Arrival::Close(Some(1000)) => {
            outcome.broken("clean", format!("{sent} of the far end came as Close 1000"));
        }
        Arrival::Close(Some(code)) => {
            outcome.differs("close", format!("{sent} of the far end came as Close {code}"));
        }
        Arrival::Open(span) => outcome.broken(
            "open",
            format!(
                "{sent} of the far end did not come: the connection was still open after {}",
                time(span)
            ),
        ),
        Arrival::Failed(error) => outcome.unknown(format!("{sent} of the far end was not seen: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_became_a_regular_close_is_broken() {
        let judged = |arrival| {
            let mut outcome = Outcome::default();
            judge("a reset", arrival, &mut outcome);
            outcome.findings
        };
        assert_eq!(judged(Arrival::Close(Some(1000))), ["clean"]);
        assert_eq!(judged(Arrival::Close(None)), ["clean"]);
        assert_eq!(judged(Arrival::Close(Some(1011))), ["close"]);
        assert_eq!(judged(Arrival::End("a FIN", Duration::ZERO)), [""; 0]);
    }
}
