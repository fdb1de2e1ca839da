//! `GET /watch/{key}`: the server's own view of the connections that were opened with `?watch={key}`.

use std::{convert::Infallible, time::Duration};

use actix_http::body::BodyStream;
use actix_web::{HttpResponse, http::header, web};
use bytes::Bytes;
use futures_util::stream;

use crate::{
    session::{behaviour::WatchKey, refusal::Explanation, watch::Watching},
    state::State,
};

/// A line that says nothing, so often: it finds out a watcher that has gone, and keeps proxies from cutting the line.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Answers with Server-Sent Events until the watcher goes or the server has drained.
pub(crate) async fn watch(key: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let Some(key) = WatchKey::new(&key) else {
        return HttpResponse::BadRequest().json(Explanation {
            error: "this is no watch key",
            hint: "a key is 16 to 64 letters, digits, _ and -, the same as in ?watch= of the WebSocket's URL",
        });
    };
    let Ok(watching) = state.watch.watch(key) else {
        return HttpResponse::ServiceUnavailable()
            .insert_header((header::RETRY_AFTER, "5"))
            .json(Explanation {
                error: "as many as may watch this key do",
                hint: "close another watcher of it",
            });
    };
    // A first line at once tells the client that it is heard.
    let events = stream::unfold(
        (watching, state, true),
        |(mut watching, state, first)| async move {
            let event = if first {
                Some(Bytes::from_static(b": watching\n\n"))
            } else {
                next(&mut watching, &state).await
            };
            event.map(|event| (Ok::<_, Infallible>(event), (watching, state, false)))
        },
    );
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // So that nginx does not keep events back.
        .insert_header(("X-Accel-Buffering", "no"))
        .body(BodyStream::new(Box::pin(events)))
}

async fn next(watching: &mut Watching, state: &State) -> Option<Bytes> {
    tokio::select! {
        biased;
        event = watching.next() => event.map(|event| Bytes::copy_from_slice(event.as_bytes())),
        () = state.registry.drained() => None,
        () = tokio::time::sleep(HEARTBEAT) => Some(Bytes::from_static(b":\n\n")),
    }
}
