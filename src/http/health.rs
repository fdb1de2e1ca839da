//! `/healthz` and `/readyz`: whether the server is alive, and whether it accepts new connections.

use actix_web::{HttpResponse, Responder, http::header, web};

use crate::admission::Admission;

/// Answers `/healthz` with 200.
pub(crate) async fn alive() -> impl Responder {
    respond(HttpResponse::Ok(), "ok\n")
}

/// Answers `/readyz` with 200, or with 503 once the shutdown was requested, so that a load balancer sends no more clients.
pub(crate) async fn ready(admission: web::Data<Admission>) -> impl Responder {
    if admission.is_ready() {
        respond(HttpResponse::Ok(), "ready\n")
    } else {
        respond(HttpResponse::ServiceUnavailable(), "stopping\n")
    }
}

fn respond(mut response: actix_web::HttpResponseBuilder, body: &'static str) -> HttpResponse {
    response
        .insert_header(header::ContentType::plaintext())
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body)
}
