//! `GET /events?every=2s`: the server sends the time at an interval, as Server-Sent Events.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde::Deserialize;
use tokio::time::{Interval, MissedTickBehavior};

use super::sse::{self, EventSource};
use crate::{
    admission::Admission,
    session::{behaviour::InvalidParam, clock::now_ms},
    transport::error_body::ErrorBody,
};

/// The interval if `every` is not set.
const DEFAULT: Duration = Duration::from_secs(2);
/// The shortest interval. Browsers cannot use shorter ones.
const SHORTEST: Duration = Duration::from_millis(10);
/// The longest interval.
const LONGEST: Duration = Duration::from_secs(3600);

#[derive(Debug, Deserialize)]
pub(crate) struct EventsQuery {
    every: Option<String>,
}

impl EventsQuery {
    fn every(&self) -> Result<Duration, InvalidParam> {
        let Some(every) = &self.every else {
            return Ok(DEFAULT);
        };
        humantime::parse_duration(every)
            .ok()
            .filter(|every| (SHORTEST..=LONGEST).contains(every))
            .ok_or_else(|| {
                let hint = "set every to a value such as 2s, or remove every".to_owned();
                InvalidParam::invalid_value("every", every, "a duration from 10ms to 1h", hint)
            })
    }
}

/// Returns the only error that a query with one optional string can have.
fn set_twice() -> Result<Duration, InvalidParam> {
    Err(InvalidParam {
        error: "every is set twice".to_owned(),
        hint: "remove the second every".to_owned(),
    })
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

/// Responds with an event at once and then one at each interval, until the client disconnects or the drain
/// begins.
pub(crate) async fn events(
    request: HttpRequest,
    query: Option<web::Query<EventsQuery>>,
    admission: web::Data<Admission>,
) -> HttpResponse {
    let every = match query.map_or_else(set_twice, |query| query.every()) {
        Ok(every) => every,
        Err(InvalidParam { error, hint }) => {
            return HttpResponse::BadRequest().json(ErrorBody {
                error: &error,
                hint: &hint,
            });
        }
    };
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let admission = admission.into_inner();
    sse::respond(&request, Times { ticks, admission })
}
