//! `GET /events?every=2s`: the server sends the time unasked, as Server-Sent Events.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde::Deserialize;
use tokio::time::{Interval, MissedTickBehavior};

use super::sse::{self, EventSource};
use crate::{admission::Admission, session::clock::now_ms, transport::error_body::ErrorBody};

/// The interval without `every`.
const DEFAULT: Duration = Duration::from_secs(2);
/// The shortest interval: browsers cannot use shorter ones.
const SHORTEST: Duration = Duration::from_millis(10);
/// The longest interval.
const LONGEST: Duration = Duration::from_secs(3600);

#[derive(Debug, Deserialize)]
pub(crate) struct EventsQuery {
    every: Option<String>,
}

impl EventsQuery {
    fn every(&self) -> Option<Duration> {
        let Some(every) = &self.every else {
            return Some(DEFAULT);
        };
        humantime::parse_duration(every)
            .ok()
            .filter(|every| (SHORTEST..=LONGEST).contains(every))
    }
}

struct Times {
    ticks: Interval,
    admission: Arc<Admission>,
}

impl EventSource for Times {
    async fn next(&mut self) -> Option<Bytes> {
        tokio::select! {
            biased;
            () = self.admission.stopping() => None,
            _ = self.ticks.tick() => Some(sse::event(None, &now_ms().to_string())),
        }
    }
}

/// Responds with an event at once and then one every interval, until the client leaves or the server stops.
pub(crate) async fn events(
    request: HttpRequest,
    query: Option<web::Query<EventsQuery>>,
    admission: web::Data<Admission>,
) -> HttpResponse {
    let Some(every) = query.and_then(|query| query.every()) else {
        return HttpResponse::BadRequest().json(ErrorBody {
            error: "every is no duration that is taken here",
            hint: "every is a duration such as 500ms or 2s, from 10ms to 1h",
        });
    };
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let admission = admission.into_inner();
    sse::respond(&request, Times { ticks, admission })
}
