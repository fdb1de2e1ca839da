//! `/healthz` and `/readyz`: the liveness and the readiness of the server.

use actix_web::{HttpResponse, Responder, http::header, web};

use crate::admission::Admission;

/// Responds to `/healthz` with 200.
pub(crate) async fn alive() -> impl Responder {
    respond(HttpResponse::Ok(), "ok\n")
}

/// Responds to `/readyz` with 200, or with 503 after a shutdown was requested, so that a load balancer selects another server.
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
