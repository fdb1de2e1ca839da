//! `GET /watch/{key}`: the events of the connections that were opened with `?watch={key}`.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use bytes::Bytes;

use super::sse::{self, EventSource};
use crate::{
    admission::Admission,
    session::{
        behaviour::WatchKey,
        watch::{WatchHub, WatchStream},
    },
    transport::error_body::ErrorBody,
};

/// The events of one watcher.
struct Watch {
    stream: WatchStream,
    admission: Arc<Admission>,
    /// Whether the first comment was sent. It shows the client that the server has added it as a watcher.
    begun: bool,
}

impl EventSource for Watch {
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.begun, true) {
            return Some(sse::comment("watching"));
        }
        tokio::select! {
            biased;
            event = self.stream.next() => event.map(|event| sse::event(Some(event.name), &event.data)),
            () = self.admission.drained() => None,
        }
    }
}

/// Responds with events until the client leaves or the server has drained.
pub(crate) async fn watch(
    request: HttpRequest,
    key: web::Path<String>,
    hub: web::Data<WatchHub>,
    admission: web::Data<Admission>,
) -> HttpResponse {
    let Some(key) = WatchKey::new(&key) else {
        return HttpResponse::BadRequest().json(ErrorBody {
            error: "invalid watch key: expected 16 to 64 letters, digits, _ and -",
            hint: "use the value of watch in the WebSocket's URL",
        });
    };
    let Ok(stream) = hub.watch(key) else {
        return HttpResponse::ServiceUnavailable()
            .insert_header((header::RETRY_AFTER, "5"))
            .json(ErrorBody {
                error: "the key has 8 watchers, which is the maximum",
                hint: "close another watcher of this key",
            });
    };
    let watch = Watch {
        stream,
        admission: admission.into_inner(),
        begun: false,
    };
    sse::respond(&request, watch)
}
