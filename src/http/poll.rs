//! `POST /poll` and `GET /poll?message=`: the stamped reply over HTTP, and what asking for it cost.

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{ConnectionType, Version, header},
    web::{self, Bytes},
};
use serde::Deserialize;

use crate::{
    session::{now_ms, refusal::Explanation, reply::stamped},
    state::State,
};

/// How many bytes the heads of this request and of this response have on the wire: a browser tells nobody.
const HEAD_BYTES: &str = "x-head-bytes";

/// `GET /poll?message=`.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    message: String,
}

/// Answers a message in the query. Its length is bounded by the request's head, which is 128 KiB at most.
pub(crate) async fn get(
    request: HttpRequest,
    asked: Option<web::Query<Asked>>,
    state: web::Data<State>,
) -> HttpResponse {
    match asked {
        Some(asked) => answer(&request, &state, &asked.message),
        None => refuse(
            HttpResponse::BadRequest(),
            "this query cannot be read",
            "send GET /poll?message=TEXT, percent-encoded, or POST /poll with the message as its body",
        ),
    }
}

/// Answers a message in the body, which is as large as a WebSocket message may be.
pub(crate) async fn post(request: HttpRequest, body: web::Payload, state: web::Data<State>) -> HttpResponse {
    let limit = state.config.max_message_size.limit();
    let Ok(body) = body.to_bytes_limited(limit).await else {
        return refuse(
            HttpResponse::PayloadTooLarge(),
            "the message is too big",
            "send less, or start the server with a larger --max-message-size",
        );
    };
    match body.map(|body: Bytes| str::from_utf8(&body).map(|text| answer(&request, &state, text))) {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => refuse(
            HttpResponse::BadRequest(),
            "the message is not UTF-8",
            "send text; bytes go over a WebSocket",
        ),
        Err(_) => refuse(
            HttpResponse::BadRequest(),
            "the body did not come whole",
            "send as many bytes as Content-Length says",
        ),
    }
}

fn refuse(mut response: HttpResponseBuilder, error: &str, hint: &str) -> HttpResponse {
    response.json(Explanation { error, hint })
}

fn answer(request: &HttpRequest, state: &State, message: &str) -> HttpResponse {
    let body = stamped(&state.config.prefix, message, now_ms());
    let mut response = HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_LENGTH, body.len()))
        .body(body);
    let value = head_bytes(request, &response);
    // Digits and words: they always make a header.
    if let Ok(value) = header::HeaderValue::try_from(value) {
        response
            .headers_mut()
            .insert(header::HeaderName::from_static(HEAD_BYTES), value);
    }
    response
}

/// `name: value` and the line's end.
const fn line(name: usize, value: usize) -> usize {
    name + 2 + value + 2
}

/// Both heads, counted as they are serialised: a request's line by line with one space after each colon, as every browser
/// writes them, and the response's with what actix-http adds to it.
fn head_bytes(request: &HttpRequest, response: &HttpResponse) -> String {
    let asked: usize = request
        .headers()
        .iter()
        .map(|(name, value)| line(name.as_str().len(), value.len()))
        .sum();
    let target = request.head().uri.to_string().len();
    let asked = request.method().as_str().len() + 1 + target + " HTTP/1.1\r\n".len() + asked + 2;

    let own: usize = response
        .headers()
        .iter()
        .map(|(name, value)| line(name.as_str().len(), value.len()))
        .sum();
    let connection = match (request.head().connection_type(), request.version()) {
        (ConnectionType::KeepAlive, version) if version < Version::HTTP_11 => {
            line("connection".len(), "keep-alive".len())
        }
        (ConnectionType::Close, version) if version >= Version::HTTP_11 => {
            line("connection".len(), "close".len())
        }
        _ => 0,
    };
    let date = line("date".len(), "Sun, 06 Nov 1994 08:49:37 GMT".len());
    let rest = "HTTP/1.1 200 OK\r\n".len() + own + connection + date + 2;
    // The line that tells the length has a length: it is settled once its digits no longer change it.
    let told = |answered: usize| format!("request={asked}, response={answered}");
    let mut answered = rest + line(HEAD_BYTES.len(), told(rest).len());
    answered = rest + line(HEAD_BYTES.len(), told(answered).len());
    told(answered)
}
