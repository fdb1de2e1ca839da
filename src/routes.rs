//! The whole URL space.

use actix_web::{guard, web};

use crate::{
    http::{events, health, metrics, page, poll, watch},
    session::handshake,
    state::State,
};

/// Mounts everything that this server answers.
pub fn configure(service: &mut web::ServiceConfig, state: &web::Data<State>) {
    // This runs once in each worker, and so do these counters count.
    let worker = state.metrics.worker();
    let open = move |request, payload, state| handshake::open(request, payload, state, worker.clone());
    service
        .app_data(state.clone())
        // Any path opens an echo session. First, for what follows would hide it.
        .service(web::resource("{path:.*}").guard(guard::fn_guard(handshake::is_meant)).to(open))
        .route("/healthz", web::get().to(health::alive))
        .route("/readyz", web::get().to(health::ready))
        .route("/metrics", web::get().to(metrics::metrics))
        .route("/poll", web::get().to(poll::get))
        .route("/poll", web::post().to(poll::post))
        .route("/events", web::get().to(events::events))
        .route("/watch/{key}", web::get().to(watch::watch))
        // Last, for it hides what follows.
        .service(page::files(&state.config.static_dir));
}
