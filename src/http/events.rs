//! `GET /events?every=2s`: the server says the time unasked, as Server-Sent Events.

use std::{convert::Infallible, time::Duration};

use actix_http::body::BodyStream;
use actix_web::{HttpResponse, http::header, web};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::{
    session::{now_ms, refusal::Explanation},
    state::State,
};

/// How often without `every`.
const EVERY: Duration = Duration::from_secs(2);
/// More often than this a browser has no time to look.
const SHORTEST: Duration = Duration::from_millis(10);
/// More seldom than this nobody waits.
const LONGEST: Duration = Duration::from_secs(3600);
/// A line that says nothing where the events are further apart: it finds out a listener that has gone.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The query.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    every: Option<String>,
}

impl Asked {
    fn every(&self) -> Option<Duration> {
        let Some(every) = &self.every else {
            return Some(EVERY);
        };
        humantime::parse_duration(every)
            .ok()
            .filter(|every| (SHORTEST..=LONGEST).contains(every))
    }
}

/// Answers with an event at once and then one every so often, until the listener goes or the server is stopped. Nothing
/// is kept for a listener that does not read: the next event is made when there is room for it.
pub(crate) async fn events(asked: Option<web::Query<Asked>>, state: web::Data<State>) -> HttpResponse {
    let Some(every) = asked.and_then(|asked| asked.every()) else {
        return HttpResponse::BadRequest().json(Explanation {
            error: "every is no duration that is taken here",
            hint: "every is a duration such as 500ms or 2s, from 10ms to 1h",
        });
    };
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let events = stream::unfold((ticks, state), |(mut ticks, state)| async move {
        let event = next(&mut ticks, &state).await?;
        Some((Ok::<_, Infallible>(event), (ticks, state)))
    });
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // So that nginx does not keep events back.
        .insert_header(("X-Accel-Buffering", "no"))
        .body(BodyStream::new(Box::pin(events)))
}

async fn next(ticks: &mut Interval, state: &State) -> Option<Bytes> {
    tokio::select! {
        biased;
        () = state.registry.stopping() => None,
        _ = ticks.tick() => Some(Bytes::from(format!("data: {}\n\n", now_ms()))),
        () = tokio::time::sleep_until(Instant::now() + HEARTBEAT) => Some(Bytes::from_static(b":\n\n")),
    }
}
