//! Is the server alive, and does it take new connections?

use actix_web::{HttpResponse, Responder, http::header, web};

use crate::state::State;

/// `GET /healthz`: 200 for as long as the process can answer.
pub(crate) async fn alive() -> impl Responder {
    answer(HttpResponse::Ok(), "ok\n")
}

/// `GET /readyz`: 200, or 503 once the server is being stopped, so that a balancer sends nobody here any more.
pub(crate) async fn ready(state: web::Data<State>) -> impl Responder {
    if state.registry.is_ready() {
        answer(HttpResponse::Ok(), "ready\n")
    } else {
        answer(HttpResponse::ServiceUnavailable(), "stopping\n")
    }
}

fn answer(mut response: actix_web::HttpResponseBuilder, said: &'static str) -> HttpResponse {
    response
        .insert_header(header::ContentType::plaintext())
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(said)
}
