//! The URL space: the routes, and the state that their handlers share.

use std::{rc::Rc, sync::Arc};

use actix_web::{guard, web};

use crate::{
    admission::{Admission, AdmissionLimits},
    config::Config,
    handshake::{self, Handshake},
    http::{
        behaviours, check, events, health, method_not_allowed::method_not_allowed, metrics, page, poll, watch,
    },
    metrics::Metrics,
    session::{SessionContext, watch::WatchHub},
};

/// The state that all worker threads of one server share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The operator's configuration.
    pub config: Arc<Config>,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// Caps, rates, the memory budget, and the open sessions.
    pub admission: Arc<Admission>,
    /// Watchers and the connections that they watch.
    pub watch: Arc<WatchHub>,
}

impl Shared {
    /// Creates the state of a server that has had no connection.
    pub fn new(config: Config) -> Self {
        let admission = Admission::new(AdmissionLimits {
            max_connections: config.max_connections,
            max_connections_per_ip: config.max_connections_per_ip,
            max_http_connections: config.max_http_connections,
            max_handshakes_per_second: config.max_handshakes_per_second,
            max_buffered: config.max_buffered,
        });
        Self {
            config: Arc::new(config),
            metrics: Arc::default(),
            admission: Arc::new(admission),
            watch: Arc::default(),
        }
    }
}

/// Mounts all routes. Runs once in each worker thread.
pub fn configure(service: &mut web::ServiceConfig, shared: &Shared) {
    let Shared { config, .. } = shared;
    let handshake = Rc::new(Handshake {
        context: Rc::new(SessionContext::new(config, shared.metrics.local())),
        config: Arc::clone(config),
        admission: Arc::clone(&shared.admission),
        watch: Arc::clone(&shared.watch),
    });
    let open = move |request, payload| {
        let handshake = Rc::clone(&handshake);
        async move { handshake.open(request, payload).await }
    };
    let get_or_head = || web::route().guard(guard::Any(guard::Get()).or(guard::Head()));
    service
        .app_data(web::Data::from(Arc::clone(config)))
        .app_data(web::Data::from(Arc::clone(&shared.metrics)))
        .app_data(web::Data::from(Arc::clone(&shared.admission)))
        .app_data(web::Data::from(Arc::clone(&shared.watch)))
        .app_data(web::Data::new(behaviours::Document::new(config)))
        // A handshake opens a session on any path. First, because an earlier route would hide it.
        .service(
            web::resource("{path:.*}")
                .guard(guard::fn_guard(handshake::is_handshake_attempt))
                .to(open),
        )
        .route("/healthz", get_or_head().to(health::alive))
        .route("/readyz", get_or_head().to(health::ready))
        .route("/metrics", get_or_head().to(metrics::metrics))
        .service(
            web::resource("/behaviours.json")
                .get(behaviours::behaviours)
                .head(behaviours::behaviours)
                .default_service(method_not_allowed("GET, HEAD")),
        )
        .service(
            web::resource("/check.json")
                .get(check::checks)
                .head(check::checks)
                .default_service(method_not_allowed("GET, HEAD")),
        )
        .service(
            web::resource("/poll")
                .get(poll::get)
                .post(poll::post)
                .default_service(method_not_allowed("GET, POST")),
        )
        .service(
            web::resource("/events")
                .get(events::events)
                .default_service(method_not_allowed("GET")),
        )
        .service(
            web::resource("/watch/{key}")
                .get(watch::watch)
                .default_service(method_not_allowed("GET")),
        )
        // Last, because it hides later routes.
        .service(page::files(config.static_dir.as_deref()));
}
