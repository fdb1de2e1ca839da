//! `idle`: after how long silence is cut, with Pings and without, and by which end.

use std::{convert::Infallible, time::Duration};

use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use crate::{
    check::{
        definition::{Definition, Needs},
        far_end::{OWN_REASON, leave},
        figures::time,
        outcome::Outcome,
        target::Target,
    },
    client::{Connection, End, Event, RawFrame},
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::WebSocket,
    words: include_str!("../words/idle.json"),
    run: |target| Box::pin(run(target)),
};

/// Interval of Pings that many servers and libraries have by default. Silence that is cut earlier cuts them, too.
const USUAL_PING: Duration = Duration::from_secs(20);

/// Longest silence of `?freeze`, which ends by itself after 5 minutes.
const LONGEST_FREEZE: Duration = Duration::from_secs(290);

const PING: u8 = 9;

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    let Some(limit) = target.idle else {
        outcome.skipped("not run: --idle is not set");
        return outcome;
    };
    let every = USUAL_PING.min(limit / 10).max(Duration::from_millis(10));
    let watch = async {
        tokio::join!(
            // A frozen ws-echo does not close a connection for being idle.
            async {
                match target.is_ws_echo() {
                    true => Some(watch(target, "reply=none&freeze", None, limit.min(LONGEST_FREEZE)).await),
                    false => None,
                }
            },
            watch(target, "reply=none&ping=off", None, limit),
            watch(target, "reply=none&ping=off", Some(every), limit),
        )
    };
    let (frozen, silent, pinged) = tokio::select! {
        watched = watch => watched,
        never = show(target, limit) => match never {},
    };
    (target.clock)(None);
    let seen = Seen {
        frozen,
        silent,
        pinged,
        every,
        limit,
    };
    judge(&seen, !target.is_ws_echo(), &mut outcome);
    outcome
}

/// Shows each second how much has passed.
async fn show(target: &Target, limit: Duration) -> Infallible {
    let start = Instant::now();
    let mut seconds = interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        (target.clock)(Some((start.elapsed(), limit)));
    }
}

/// How a connection ended, if it did.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// It was open at the end, and this number of Pings had come.
    Open(usize),
    /// It was cut, after this time, in this way.
    Cut(Duration, String),
    /// ws-echo closed it, after this time, with this code and reason.
    Closed(Duration, String),
    /// There was no connection.
    Failed(String),
}

struct Seen {
    /// A connection to a ws-echo that does not close an idle one.
    frozen: Option<Fate>,
    silent: Fate,
    pinged: Fate,
    /// The interval of the Pings.
    every: Duration,
    limit: Duration,
}

/// Keeps a connection without messages for `limit`, with a Ping at an interval or without.
async fn watch(target: &Target, behaviours: &str, every: Option<Duration>, limit: Duration) -> Fate {
    let mut connection = match target.connect(behaviours).await {
        Ok(connection) => connection,
        Err(error) => return Fate::Failed(error.to_string()),
    };
    let start = Instant::now();
    let deadline = start + limit;
    let every = every.unwrap_or(limit * 2);
    let mut pings = interval_at(start + every, every);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut received = 0;
    loop {
        let event = tokio::select! {
            _ = pings.tick() => {
                // If this fails, the input shows why.
                let _ = connection.send_frame(RawFrame::new(PING, b"check")).await;
                continue;
            }
            event = connection.next_before(deadline) => event,
        };
        let after = start.elapsed();
        return match event {
            Some(Event::Close(Some(frame))) if frame.reason.starts_with(OWN_REASON) => {
                Fate::Closed(after, format!("{} {}", frame.code, frame.reason))
            }
            Some(Event::Close(Some(frame))) => Fate::Cut(after, format!("a Close with {}", frame.code)),
            Some(Event::Close(None)) => Fate::Cut(after, "a Close without a code".to_owned()),
            Some(Event::Violation(_)) => Fate::Cut(after, "an invalid frame".to_owned()),
            Some(Event::End(End::Fin)) => Fate::Cut(after, "a FIN, without a Close".to_owned()),
            Some(Event::End(End::Reset)) => Fate::Cut(after, "a reset, without a Close".to_owned()),
            Some(Event::End(End::Failed(error))) => Fate::Cut(after, error.to_string()),
            Some(Event::Ping(_)) => {
                received += 1;
                continue;
            }
            Some(Event::Frame(_) | Event::Message(..) | Event::Pong(_)) => continue,
            None => {
                part(target, connection).await;
                Fate::Open(received)
            }
        };
    }
}

/// Ends a connection. A frozen ws-echo does not answer a Close.
async fn part(target: &Target, mut connection: Connection) {
    if target.is_ws_echo() {
        let _ = connection.send_close(Some((1000, ""))).await;
    } else {
        leave(connection).await;
    }
}

fn judge(seen: &Seen, is_other: bool, outcome: &mut Outcome) {
    let (limit, every) = (time(seen.limit), time(seen.every));
    let silent = match &seen.frozen {
        Some(frozen) => frozen,
        None => &seen.silent,
    };
    let by = if is_other {
        "the far end or something in between"
    } else {
        "something in between"
    };
    match silent {
        Fate::Cut(after, how) => {
            let text = format!("silence is cut after {} by {how}, from {by}", time(*after));
            if !is_other && *after < USUAL_PING {
                outcome.broken("cut-soon", text);
            } else {
                outcome.differs("cut", text);
            }
        }
        Fate::Open(pings) if seen.frozen.is_none() || seen.limit <= LONGEST_FREEZE => {
            outcome.ok(format!("silence of {limit} is not cut"));
            if *pings > 0 {
                outcome.ok(format!("{pings} Pings came meanwhile, from {by}"));
            }
        }
        Fate::Open(_) => match &seen.silent {
            Fate::Open(_) => outcome.ok(format!("silence of {limit} is not cut")),
            // ws-echo neither freezes for longer, nor leaves an idle connection open.
            _ => outcome.unknown(format!(
                "silence of {} is not cut; longer silence was not seen",
                time(LONGEST_FREEZE)
            )),
        },
        Fate::Closed(after, close) => {
            outcome.unknown(format!("the far end closes after {} with {close}", time(*after)));
        }
        Fate::Failed(error) => outcome.unknown(format!("no connection: {error}")),
    }
    if let (Some(_), Fate::Closed(after, close)) = (&seen.frozen, &seen.silent) {
        outcome.ok(format!(
            "the far end itself closes a silent client after {} with {close}",
            time(*after)
        ));
    }
    match &seen.pinged {
        Fate::Open(_) => outcome.ok(format!("with a Ping every {every}, {limit} are not cut")),
        Fate::Cut(after, _) if *after < seen.every => {
            outcome.unknown(format!(
                "it is cut before the first Ping, which comes after {every}"
            ));
        }
        Fate::Cut(after, how) => outcome.broken_unless(
            is_other,
            "pings",
            format!(
                "with a Ping every {every}, it is cut after {} by {how}, from {by}",
                time(*after)
            ),
        ),
        Fate::Closed(after, close) => outcome.unknown(format!(
            "with a Ping every {every}, the far end closes after {} with {close}",
            time(*after)
        )),
        Fate::Failed(error) => outcome.unknown(format!("no connection for Pings: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::report::Verdict;

    fn outcome(frozen: Fate, silent: Fate, pinged: Fate, limit: u64) -> Outcome {
        let seen = Seen {
            frozen: Some(frozen),
            silent,
            pinged,
            every: Duration::from_secs(20),
            limit: Duration::from_secs(limit),
        };
        let mut outcome = Outcome::default();
        judge(&seen, false, &mut outcome);
        outcome
    }

    fn cut(after: u64) -> Fate {
        Fate::Cut(Duration::from_secs(after), "a FIN, without a Close".to_owned())
    }

    fn closed(after: u64) -> Fate {
        let after = Duration::from_secs(after);
        Fate::Closed(after, "1001 ws-echo: idle for 60s".to_owned())
    }

    #[test]
    fn the_end_of_a_silent_connection_is_named() {
        let open = || Fate::Open(0);
        for (outcome, verdict, findings, seen) in [
            (
                outcome(open(), closed(60), open(), 120),
                Verdict::Ok,
                &[][..],
                "silence of 120.0 s is not cut; the far end itself closes a silent client after 60.0 s",
            ),
            (
                outcome(cut(60), closed(60), open(), 120),
                Verdict::Differs,
                &["cut"],
                "silence is cut after 60.0 s by a FIN, without a Close, from something in between",
            ),
            (
                outcome(cut(3), cut(3), open(), 120),
                Verdict::Broken,
                &["cut-soon"],
                "silence is cut",
            ),
            // Sooner than the first Ping, which cannot prevent it.
            (
                outcome(cut(3), cut(3), cut(3), 120),
                Verdict::Broken,
                &["cut-soon"],
                "silence is cut",
            ),
            (
                outcome(cut(60), cut(60), cut(60), 120),
                Verdict::Broken,
                &["cut", "pings"],
                "with a Ping every 20.0 s, it is cut after 60.0 s",
            ),
            (
                outcome(open(), closed(60), open(), 600),
                Verdict::Unknown,
                &[],
                "silence of 290.0 s is not cut; longer",
            ),
            (
                outcome(open(), open(), open(), 600),
                Verdict::Ok,
                &[],
                "silence of 600.0 s",
            ),
        ] {
            assert_eq!(outcome.verdict, verdict);
            assert_eq!(outcome.findings, findings);
            assert!(outcome.seen().starts_with(seen), "{}", outcome.seen());
        }
    }

    #[test]
    fn another_far_end_may_cut_silence_itself() {
        let seen = Seen {
            frozen: None,
            silent: cut(3),
            pinged: cut(3),
            every: Duration::from_secs(1),
            limit: Duration::from_secs(10),
        };
        let mut outcome = Outcome::default();
        judge(&seen, true, &mut outcome);
        assert_eq!(
            (outcome.verdict, &*outcome.findings),
            (Verdict::Differs, &["cut"][..])
        );
    }
}
