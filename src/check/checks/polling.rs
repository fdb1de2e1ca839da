//! `polling`: long polling and Server-Sent Events, to which clients fall back, through the same proxy.

use std::{io::Write as _, time::Duration};

use flate2::write::GzDecoder;
use tokio::time::{Instant, timeout_at};

use crate::{
    check::{
        definition::{Definition, Needs},
        figures::time,
        outcome::Outcome,
        pace::{Pace, milliseconds},
        target::Target,
    },
    client::{Reason, Response, ResponseHead, Step, request},
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    // Without a WebSocket connection, it is not known whether the far end is ws-echo.
    needs: Needs::WebSocket,
    words: include_str!("../words/polling.json"),
    run: |target| Box::pin(run(target)),
};

/// The body of the request to `/poll`.
const MESSAGE: &str = "ws-echo check polls";

/// Number of events that are awaited.
const EVENTS: usize = 12;

/// A delay from which a stream is held back. HAProxy waits for more bytes for 200 ms.
const HELD: Duration = Duration::from_millis(500);

/// Time in which the events must arrive.
const PATIENCE: Duration = Duration::from_secs(5);

/// Maximum number of bytes of a response.
const MAX_BODY: usize = 64 * 1024;

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    if !target.is_ws_echo() {
        outcome.unknown("only ws-echo has /poll and /events");
        return outcome;
    }
    let (polled, streamed) = tokio::join!(poll(target), events(target));
    for answer in [polled, streamed] {
        match answer {
            Answer::Right(seen) => outcome.ok(seen),
            Answer::Missing(seen) => outcome.differs("missing", seen),
            Answer::Lumps(seen) => outcome.differs("lumps", seen),
            Answer::Failed(seen) => outcome.broken("failed", seen),
            Answer::Held(seen) => outcome.broken("held", seen),
            Answer::Unknown(seen) => outcome.unknown(seen),
        }
    }
    outcome
}

/// How one of the two was answered.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Right(String),
    /// By something that is not ws-echo: the path does not lead there.
    Missing(String),
    Failed(String),
    Lumps(String),
    Held(String),
    Unknown(String),
}

async fn poll(target: &Target) -> Answer {
    let url = target.url.with_target("/poll");
    let start = Instant::now();
    let response = match request("POST", &url, Some(MESSAGE.as_bytes()), &target.options).await {
        Ok(response) => response,
        Err(error) => return Answer::Failed(format!("/poll: {error}")),
    };
    if let Some(answer) = refused("/poll", &response.head) {
        return answer;
    }
    let deadline = target.deadline();
    let Response { mut body, .. } = response;
    let mut text = Vec::new();
    loop {
        match timeout_at(deadline, body.next()).await {
            Ok(Ok(Some(part))) if text.len() < MAX_BODY => text.extend_from_slice(&part),
            Ok(Ok(_)) => break,
            Ok(Err(error)) => return Answer::Failed(format!("/poll: {error}")),
            Err(_) => {
                return Answer::Failed(format!(
                    "/poll: no complete body within {}",
                    time(target.timeout())
                ));
            }
        }
    }
    if String::from_utf8_lossy(&text).contains(MESSAGE) {
        Answer::Right(format!("/poll replied after {}", time(start.elapsed())))
    } else {
        Answer::Missing("/poll: another server replies".to_owned())
    }
}

/// Returns the answer that a response other than 200 is.
fn refused(path: &str, head: &ResponseHead) -> Option<Answer> {
    let server = head
        .value("server")
        .map_or(String::new(), |name| format!(" from {name}"));
    let seen = format!("{path}: {}{server}", head.status);
    match head.status {
        200 => None,
        500.. => Some(Answer::Failed(seen)),
        _ => Some(Answer::Missing(seen)),
    }
}

async fn events(target: &Target) -> Answer {
    let url = target.url.with_target("/events?every=100ms");
    let mut options = target.options.clone();
    // As browsers do: a proxy may compress, and gather for that.
    for (name, value) in [("Accept", "text/event-stream"), ("Accept-Encoding", "gzip")] {
        options.headers.push((name.to_owned(), value.to_owned()));
    }
    let response = match request("GET", &url, None, &options).await {
        Ok(response) => response,
        Err(error) => {
            let seen = format!("/events: {error}");
            return match error.reason {
                Reason::Timeout(Step::Response, _) => Answer::Held(seen),
                _ => Answer::Failed(seen),
            };
        }
    };
    if let Some(answer) = refused("/events", &response.head) {
        return answer;
    }
    let kind = response.head.value("content-type").unwrap_or_default();
    if !kind.starts_with("text/event-stream") {
        return Answer::Missing("/events: the response is no stream of events".to_owned());
    }
    let start = Instant::now();
    let deadline = start + PATIENCE.min(target.timeout());
    let is_gzip = response.head.has_token("content-encoding", "gzip");
    let (mut body, mut events) = (response.body, Events::new(is_gzip));
    while events.pace.count() < EVENTS && events.read < MAX_BODY {
        match timeout_at(deadline, body.next()).await {
            Ok(Ok(Some(part))) => events.add(&part, start.elapsed()),
            Ok(Ok(None)) => return Answer::Failed("/events: the stream ended".to_owned()),
            Ok(Err(error)) => return Answer::Failed(format!("/events: {error}")),
            Err(_) => break,
        }
    }
    judge(&events.pace, is_gzip)
}

fn judge(pace: &Pace, is_gzip: bool) -> Answer {
    let (count, late) = (pace.count(), pace.most_late());
    let compressed = if is_gzip { ", compressed with gzip," } else { "" };
    if count == 0 {
        Answer::Held(format!("/events: no event{compressed} within {}", time(PATIENCE)))
    } else if pace.is_in_lumps() {
        let seen = format!(
            "/events: {count} events{compressed} 100 ms apart came in {} lumps, at most {} late",
            pace.groups(),
            time(late)
        );
        if late < HELD {
            Answer::Lumps(seen)
        } else {
            Answer::Held(seen)
        }
    } else if count < EVENTS {
        Answer::Unknown(format!("/events: only {count} of {EVENTS} events came in time"))
    } else {
        Answer::Right(format!(
            "/events: {count} events{compressed} 100 ms apart came one by one, at most {} late",
            time(late)
        ))
    }
}

/// The events of a stream, whose data is the time of the server.
struct Events {
    gzip: Option<GzDecoder<Vec<u8>>>,
    text: Vec<u8>,
    read: usize,
    pace: Pace,
}

impl Events {
    fn new(is_gzip: bool) -> Self {
        Self {
            gzip: is_gzip.then(|| GzDecoder::new(Vec::new())),
            text: Vec::new(),
            read: 0,
            pace: Pace::default(),
        }
    }

    /// Adds the events that end in this part of the body.
    fn add(&mut self, part: &[u8], now: Duration) {
        // A part that expands a thousandfold is no stream of events.
        for part in part.chunks(1024) {
            match &mut self.gzip {
                Some(gzip) => {
                    let _ = gzip.write_all(part).and_then(|()| gzip.flush());
                    self.text.append(gzip.get_mut());
                }
                None => self.text.extend_from_slice(part),
            }
            self.read += part.len();
            while let Some(end) = self.text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.text.drain(..=end).collect();
                let data = line.trim_ascii_end().strip_prefix(b"data: ");
                if let Some(sent) = data.and_then(milliseconds) {
                    self.pace.add(sent, now.as_secs_f64() * 1000.0);
                }
            }
            // No line of an event is as long.
            if self.text.len() > MAX_BODY {
                self.text.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    /// Returns the answer to events that arrive in parts of `together` events, through gzip or not.
    fn answer(is_gzip: bool, together: u32) -> Answer {
        let (mut events, mut gzip) = (
            Events::new(is_gzip),
            GzEncoder::new(Vec::new(), Compression::fast()),
        );
        for part in 0..12 / together {
            let mut text = String::new();
            for index in part * together..(part + 1) * together {
                text.push_str(&format!(
                    "data: {}\n\n",
                    1_795_384_226_507_u64 + u64::from(index) * 100
                ));
            }
            let bytes = if is_gzip {
                gzip.write_all(text.as_bytes()).unwrap();
                gzip.flush().unwrap();
                std::mem::take(gzip.get_mut())
            } else {
                text.into_bytes()
            };
            // Lines may be cut anywhere.
            let now = Duration::from_millis(u64::from((part + 1) * together) * 100);
            for half in bytes.chunks(bytes.len() / 2 + 1) {
                events.add(half, now);
            }
        }
        judge(&events.pace, is_gzip)
    }

    #[test]
    fn events_in_short_lumps_differ_and_in_long_ones_are_held() {
        for is_gzip in [false, true] {
            assert!(
                matches!(answer(is_gzip, 1), Answer::Right(_)),
                "{:?}",
                answer(is_gzip, 1)
            );
            assert!(
                matches!(answer(is_gzip, 3), Answer::Lumps(_)),
                "{:?}",
                answer(is_gzip, 3)
            );
        }
        assert!(matches!(answer(false, 12), Answer::Held(_)));
        assert!(matches!(judge(&Pace::default(), false), Answer::Held(_)));
    }
}
