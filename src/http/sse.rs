//! The format of Server-Sent Events (HTML Standard, section 9.2).

use std::{convert::Infallible, time::Duration};

use actix_http::body::BodyStream;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{ConnectionType, Version, header},
};
use bytes::Bytes;
use futures_util::stream;

/// Time without an event after which a comment is sent. Writing it detects a closed connection, and it resets
/// the idle timeouts of proxies.
const HEARTBEAT: Duration = Duration::from_secs(15);

const COMMENT: &[u8] = b":\n\n";

/// The source of a response's events.
pub(super) trait EventSource: 'static {
    /// Returns the next event, or None at the end. If the future is dropped, no event must be lost.
    async fn next(&mut self) -> Option<Bytes>;
}

/// Writes an event.
pub(super) fn event(name: Option<&str>, data: &str) -> Bytes {
    match name {
        Some(name) => format!("event: {name}\ndata: {data}\n\n"),
        None => format!("data: {data}\n\n"),
    }
    .into()
}

/// Writes a comment, which clients ignore.
pub(super) fn comment(text: &str) -> Bytes {
    format!(": {text}\n\n").into()
}

/// Responds with the events of `source`, until it ends or the client disconnects. Each event is made when it
/// can be written, so no events queue up for a client that does not read.
pub(super) fn respond(request: &HttpRequest, source: impl EventSource) -> HttpResponse {
    let events = stream::unfold(source, |mut source| async move {
        let event = tokio::select! {
            biased;
            event = source.next() => event?,
            () = tokio::time::sleep(HEARTBEAT) => Bytes::from_static(COMMENT),
        };
        Some((Ok::<_, Infallible>(event), source))
    });
    let mut response = HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Disables nginx's buffering, which delays events.
        .insert_header(("X-Accel-Buffering", "no"))
        .body(BodyStream::new(Box::pin(events)));
    if request.version() < Version::HTTP_11 {
        // HTTP/1.0 has no transfer coding (RFC 9112 section 6.1). The end of the connection ends the body.
        let head = response.head_mut();
        head.no_chunking(true);
        head.set_connection_type(ConnectionType::Close);
    }
    response
}
