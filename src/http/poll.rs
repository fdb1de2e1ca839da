//! `POST /poll` and `GET /poll?message=`: the stamped reply over HTTP.

use std::rc::Rc;

use actix_http::body::{BodyStream, SizedStream};
use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse, HttpResponseBuilder,
    error::PayloadError,
    http::header,
    web::{self, Bytes},
};
use futures_util::{
    StreamExt as _,
    stream::{self, Stream},
};
use serde::Deserialize;
use thiserror::Error;

use crate::{
    config::Config,
    session::{
        clock::now_ms,
        reply::{STAMP_BYTES, stamp, stamped},
    },
    transport::{Socket, error_body::ErrorBody},
};

/// `GET /poll?message=`.
#[derive(Debug, Deserialize)]
pub(crate) struct PollQuery {
    #[serde(default)]
    message: String,
}

/// The reason why a body gets no complete reply.
#[derive(Debug, Error)]
enum BodyError {
    #[error("the message is larger than {limit} bytes")]
    TooBig { limit: usize },
    #[error("the message is not UTF-8")]
    Utf8,
    #[error("the body is incomplete")]
    Incomplete(#[source] PayloadError),
}

impl BodyError {
    fn to_response(&self) -> HttpResponse {
        let (response, hint) = match self {
            Self::TooBig { .. } => (
                HttpResponse::PayloadTooLarge(),
                "send a smaller message, or ask the operator to raise --max-message-size",
            ),
            Self::Utf8 => (
                HttpResponse::BadRequest(),
                "send text, or send bytes over a WebSocket",
            ),
            Self::Incomplete(_) => (
                HttpResponse::BadRequest(),
                "send the complete body that Content-Length or Transfer-Encoding declares",
            ),
        };
        refuse(response, &self.to_string(), hint)
    }
}

fn refuse(mut response: HttpResponseBuilder, error: &str, hint: &str) -> HttpResponse {
    response.json(ErrorBody { error, hint })
}

/// Replies to a message in the query. The request line and the header section, with at most 128 KiB together,
/// bound its size.
pub(crate) async fn get(
    request: HttpRequest,
    query: Option<web::Query<PollQuery>>,
    config: web::Data<Config>,
) -> HttpResponse {
    // The only error that a query with one optional string can have.
    let Some(query) = query else {
        return refuse(
            HttpResponse::BadRequest(),
            "message is set twice",
            "remove the second message",
        );
    };
    respond(&request).body(stamped(&config.prefix, &query.message, now_ms()))
}

/// Replies to a message in the body while it arrives, without storing it. The body may be as large as a
/// WebSocket message. If its first part has an error, the response is a 4xx. A later error ends the response
/// incomplete.
pub(crate) async fn post(
    request: HttpRequest,
    payload: web::Payload,
    config: web::Data<Config>,
) -> HttpResponse {
    let limit = config.max_message_size.limit();
    let declared = declared_length(&request);
    if declared.is_some_and(|declared| declared > limit as u64) {
        return BodyError::TooBig { limit }.to_response();
    }
    let socket = request.conn_data::<Rc<Socket>>().cloned();
    if let Some(socket) = &socket {
        socket.await_body();
    }
    let mut body = Body {
        payload,
        limit,
        received: 0,
        cut: Vec::new(),
        socket,
    };
    let first = match body.next().await.transpose() {
        Ok(first) => first,
        Err(error) => return error.to_response(),
    };
    let prefix = Bytes::from(config.prefix.clone());
    let mut response = respond(&request);
    let size = declared.map(|declared| prefix.len() as u64 + declared + STAMP_BYTES);
    let reply = stream::iter([Ok(prefix)]).chain(reply(first, body));
    match size {
        Some(size) => response.body(SizedStream::new(size, Box::pin(reply))),
        None => response.body(BodyStream::new(Box::pin(reply))),
    }
}

fn respond(request: &HttpRequest) -> HttpResponseBuilder {
    if let Some(socket) = request.conn_data::<Rc<Socket>>() {
        socket.report_head_bytes();
    }
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    response
}

/// Returns the length of the body in bytes, None for a chunked one. actix-http has validated the field.
fn declared_length(request: &HttpRequest) -> Option<u64> {
    if request.chunked().unwrap_or(false) {
        return None;
    }
    let Some(length) = request.headers().get(header::CONTENT_LENGTH) else {
        return Some(0);
    };
    length.to_str().ok()?.trim().parse().ok()
}

/// Streams the parts of the message, and then the timestamp.
fn reply(first: Option<Bytes>, body: Body) -> impl Stream<Item = Result<Bytes, BodyError>> {
    let first = stream::iter(first.map(Ok));
    let rest = stream::unfold(Some(body), |body| async move {
        let mut body = body?;
        Some(match body.next().await {
            Some(Ok(part)) => (Ok(part), Some(body)),
            Some(Err(error)) => (Err(error), None),
            None => (Ok(stamp(now_ms()).into()), None),
        })
    });
    first.chain(rest)
}

/// The message in the body, in parts of valid UTF-8.
struct Body {
    payload: web::Payload,
    /// Maximum size in bytes.
    limit: usize,
    /// Size of the parts so far, at most `limit`.
    received: usize,
    /// An incomplete character at the end of the last part, at most 3 bytes.
    cut: Vec<u8>,
    socket: Option<Rc<Socket>>,
}

impl Body {
    async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        loop {
            let Some(part) = self.payload.next().await else {
                if let Some(socket) = &self.socket {
                    socket.body_received();
                }
                return (!self.cut.is_empty()).then_some(Err(BodyError::Utf8));
            };
            match part
                .map_err(BodyError::Incomplete)
                .and_then(|part| self.take(part))
            {
                Ok(part) if part.is_empty() => {}
                part => return Some(part),
            }
        }
    }

    fn take(&mut self, part: Bytes) -> Result<Bytes, BodyError> {
        let limit = self.limit;
        if part.len() > limit - self.received {
            return Err(BodyError::TooBig { limit });
        }
        self.received += part.len();
        let mut text = part;
        if !self.cut.is_empty() {
            self.cut.extend_from_slice(&text);
            text = std::mem::take(&mut self.cut).into();
        }
        if let Err(error) = simdutf8::compat::from_utf8(&text) {
            if error.error_len().is_some() {
                return Err(BodyError::Utf8);
            }
            self.cut = text.split_off(error.valid_up_to()).into();
        }
        Ok(text)
    }
}
