//! `latency`: messages 20 ms apart arrive one by one, or in lumps.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{
    check::{
        definition::{Definition, Needs},
        far_end::leave,
        figures::time,
        outcome::Outcome,
        pace::{Pace, milliseconds},
        target::Target,
    },
    client::{ConnectError, Event},
    protocol::Message,
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::WebSocket,
    words: include_str!("../words/latency.json"),
    run: |target| Box::pin(run(target)),
};

/// Number of messages each way.
const COUNT: usize = 40;

/// The interval of the messages. `tick=` below is the same.
const INTERVAL: Duration = Duration::from_millis(20);

/// Time in which all messages must arrive.
const PATIENCE: Duration = Duration::from_secs(5);

/// A delay from which a user notices that an application does not answer.
const HELD: Duration = Duration::from_millis(500);

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    if !target.echoes() {
        outcome.unknown("the far end sends nothing at an interval, and does not echo");
        return outcome;
    }
    let first = measure(target).await;
    // One pause of a busy machine looks like lumps. It does not come twice.
    let seen = match first {
        Ok(seen) if seen.ways().any(|(_, pace)| pace.is_in_lumps()) => {
            measure(target).await.map(|again| seen.better(again))
        }
        first => first,
    };
    match seen {
        Ok(seen) => judge(&seen, !target.is_ws_echo(), &mut outcome),
        Err(error) => outcome.unknown(format!("no connection: {error}")),
    }
    outcome
}

/// The measurements of both ways.
struct Measured {
    /// Pushes of ws-echo.
    down: Option<Pace>,
    /// Messages to ws-echo, or echoes of another server.
    up: Pace,
    /// The round trips in milliseconds.
    round_trips: Vec<f64>,
}

impl Measured {
    fn ways(&self) -> impl Iterator<Item = (&'static str, &Pace)> {
        let up = if self.down.is_some() {
            "messages to the far end"
        } else {
            "echoes"
        };
        let down = self.down.iter().map(|pace| ("pushes", pace));
        down.chain([(up, &self.up)])
    }

    /// Returns the way of either that is not in lumps.
    fn better(self, other: Self) -> Self {
        let choose = |a: Pace, b: Pace| if a.is_in_lumps() { b } else { a };
        Self {
            down: self.down.zip(other.down).map(|(a, b)| choose(a, b)),
            up: choose(self.up, other.up),
            round_trips: self.round_trips,
        }
    }
}

async fn measure(target: &Target) -> Result<Measured, ConnectError> {
    let (down, up) = tokio::join!(
        async {
            match target.is_ws_echo() {
                true => down(target).await.map(Some),
                false => Ok(None),
            }
        },
        up(target)
    );
    let (up, round_trips) = up?;
    Ok(Measured {
        down: down?,
        up,
        round_trips,
    })
}

/// Receives the time of ws-echo every 20 ms.
async fn down(target: &Target) -> Result<Pace, ConnectError> {
    let mut connection = target.connect("tick=20ms&reply=none").await?;
    let start = Instant::now();
    let deadline = start + PATIENCE.min(target.timeout());
    let mut pace = Pace::default();
    while pace.count() < COUNT
        && let Some(event) = connection.next_before(deadline).await
    {
        if let Event::Message(message, _) = event
            && let Some(sent) = milliseconds(&message.payload)
        {
            pace.add(sent, ms_since(start));
        }
    }
    leave(connection).await;
    Ok(pace)
}

/// Sends a message every 20 ms. ws-echo replies with the time at which it received the message, another server with the message.
async fn up(target: &Target) -> Result<(Pace, Vec<f64>), ConnectError> {
    let mut connection = target.connect("reply=stamped").await?;
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let start = Instant::now();
    let deadline = start + PATIENCE.min(target.timeout());
    let (mut pace, mut sent, mut round_trips) = (Pace::default(), Vec::new(), Vec::new());
    while pace.count() < COUNT {
        let event = tokio::select! {
            _ = ticks.tick(), if sent.len() < COUNT => {
                connection.queue(&Message::text(&format!("ws-echo check {}", sent.len())));
                sent.push(ms_since(start));
                continue;
            }
            event = connection.next_before(deadline) => event,
        };
        let now = ms_since(start);
        match event {
            Some(Event::Message(message, _)) => {
                // The replies come in the order of the messages.
                let Some(sent) = sent.get(pace.count()) else {
                    continue;
                };
                let arrived = if target.is_ws_echo() {
                    stamp(&message.payload)
                } else {
                    message.payload.starts_with(b"ws-echo check ").then_some(now)
                };
                if let Some(arrived) = arrived {
                    pace.add(*sent, arrived);
                    round_trips.push(now - sent);
                }
            }
            Some(_) => {}
            None => break,
        }
    }
    leave(connection).await;
    Ok((pace, round_trips))
}

fn ms_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}

/// Returns the time at the end of a stamped reply.
fn stamp(payload: &[u8]) -> Option<f64> {
    milliseconds(payload.rsplit(|byte| *byte == b',').next()?)
}

fn judge(seen: &Measured, is_other: bool, outcome: &mut Outcome) {
    for (what, pace) in seen.ways() {
        let (count, late) = (pace.count(), pace.most_late());
        if count == 0 {
            let text = format!("none of the {what} 20 ms apart came within {}", time(PATIENCE));
            outcome.broken_unless(is_other, "held", text);
        } else if pace.is_in_lumps() {
            let groups = pace.groups();
            let text = format!(
                "{count} {what} 20 ms apart came in {groups} lumps, at most {} late",
                time(late)
            );
            match (is_other, late >= HELD) {
                // Its own kernel may gather small segments.
                (true, _) => outcome.unknown(text),
                (false, true) => outcome.broken("held", text),
                (false, false) => outcome.differs("lumps", text),
            }
        } else if count < COUNT {
            outcome.unknown(format!("only {count} of {COUNT} {what} came in time"));
        } else {
            outcome.ok(format!(
                "{count} {what} 20 ms apart came one by one, at most {} late",
                time(late)
            ));
        }
    }
    let mut round_trips = seen.round_trips.clone();
    round_trips.sort_by(f64::total_cmp);
    if let Some(median) = round_trips.get(round_trips.len() / 2) {
        outcome.ok(format!(
            "round trip {} in the median",
            time(Duration::from_secs_f64(median.max(0.0) / 1000.0))
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(lump: f64) -> Measured {
        let mut pace = Pace::default();
        for index in 0..40 {
            let sent = f64::from(index) * 20.0;
            pace.add(sent, (sent / lump).ceil() * lump);
        }
        Measured {
            down: Some(pace.clone()),
            up: pace,
            round_trips: vec![0.4],
        }
    }

    #[test]
    fn lumps_differ_and_long_ones_are_broken() {
        for (lump, findings) in [(20.0, &[][..]), (200.0, &["lumps"]), (1600.0, &["held"])] {
            let mut outcome = Outcome::default();
            judge(&measured(lump), false, &mut outcome);
            assert_eq!(outcome.findings, findings, "{}", outcome.seen());
            let mut outcome = Outcome::default();
            judge(&measured(lump), true, &mut outcome);
            assert!(outcome.findings.is_empty(), "{}", outcome.seen());
        }
    }

    #[test]
    fn the_stamp_is_after_the_last_comma() {
        assert_eq!(stamp("a,b,1795384226507".as_bytes()), Some(1_795_384_226_507.0));
        assert_eq!(stamp(b"hello"), None);
    }
}
