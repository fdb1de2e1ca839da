//! `GET /watch/{key}`: the server's own view of the connections that were opened with `?watch={key}`.

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

struct Watch {
    stream: WatchStream,
    admission: Arc<Admission>,
    /// A comment at once shows the client that its watch works.
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
            error: "this is no watch key",
            hint: "a key is 16 to 64 letters, digits, _ and -, the same as in ?watch= of the WebSocket's URL",
        });
    };
    let Ok(stream) = hub.watch(key) else {
        return HttpResponse::ServiceUnavailable()
            .insert_header((header::RETRY_AFTER, "5"))
            .json(ErrorBody {
                error: "as many as may watch this key do",
                hint: "close another watcher of it",
            });
    };
    let watch = Watch {
        stream,
        admission: admission.into_inner(),
        begun: false,
    };
    sse::respond(&request, watch)
}
