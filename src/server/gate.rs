//! The middleware of every request: it refuses requests on connections past a cap, and records the progress of a request.

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_web::{
    Error, HttpResponse,
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
    web::Bytes,
};

use crate::{
    admission::{AdmissionError, ConnectionPermit},
    handshake,
    metrics::LocalCounters,
    transport::{Serving, Socket, error_body::ErrorBody},
};

/// Responds with 503 to a request on a connection past a cap. Health checks are exempt, and handshakes, because their handler
/// sends the refusal.
/// Records on the connection when a handler has the request and when the response is done.
pub(super) async fn gate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<Served>, Error> {
    let serving = request
        .conn_data::<Rc<Socket>>()
        .map(|socket| socket.request_handled());
    let permit = request.conn_data::<Rc<ConnectionPermit>>().cloned();
    let refusal = permit.as_ref().and_then(|permit| permit.refusal());
    let response = match refusal {
        Some(refusal) if !is_exempt(&request) => {
            if let Some(counters) = request.app_data::<LocalCounters>() {
                count(refusal, counters);
            }
            request.into_response(refuse(refusal)).map_into_boxed_body()
        }
        _ => next.call(request).await?.map_into_boxed_body(),
    };
    if let Some(permit) = permit {
        permit.first_request_answered();
    }
    Ok(response.map_body(|_, body| Served {
        body,
        _serving: serving,
    }))
}

fn is_exempt(request: &ServiceRequest) -> bool {
    matches!(request.path(), "/healthz" | "/readyz") || handshake::is_handshake_attempt(&request.guard_ctx())
}

/// Counts the limit that a connection has reached.
pub(super) fn count(refusal: AdmissionError, counters: &LocalCounters) {
    if let Some(limit) = refusal.limit() {
        counters.count(|counters| &counters.limits[limit.index()]);
    }
}

fn refuse(refusal: AdmissionError) -> HttpResponse {
    HttpResponse::build(StatusCode::SERVICE_UNAVAILABLE)
        .insert_header((header::RETRY_AFTER, "5"))
        .force_close()
        .json(ErrorBody {
            error: &refusal.to_string(),
            hint: refusal.hint(),
        })
}

/// The body of a response. Dropping it records that the response is done.
pub(super) struct Served {
    body: BoxBody,
    _serving: Option<Serving>,
}

impl MessageBody for Served {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
