//! `/healthz` and `/readyz`: is the server alive, and does it take new connections?

use actix_web::{HttpResponse, Responder, http::header, web};

use crate::admission::Admission;

/// `/healthz`: 200 as long as the process can answer.
pub(crate) async fn alive() -> impl Responder {
    answer(HttpResponse::Ok(), "ok\n")
}

/// `/readyz`: 200, or 503 from the request to shut down on, so that a load balancer sends no more clients.
pub(crate) async fn ready(admission: web::Data<Admission>) -> impl Responder {
    if admission.is_ready() {
        answer(HttpResponse::Ok(), "ready\n")
    } else {
        answer(HttpResponse::ServiceUnavailable(), "stopping\n")
    }
}

fn answer(mut response: actix_web::HttpResponseBuilder, body: &'static str) -> HttpResponse {
    response
        .insert_header(header::ContentType::plaintext())
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body)
}
