//! The 405 of every resource except the WebSocket, whose handshake refuses an invalid method itself.

use actix_web::{HttpRequest, HttpResponse, Route, http::header, web};

use crate::transport::error_body::ErrorBody;

/// Returns the route for all methods that the resource does not support. `allow` lists the methods that it supports
/// (RFC 9110 section 10.2.1).
pub(crate) fn method_not_allowed(allow: &'static str) -> Route {
    web::to(move |request: HttpRequest| async move {
        HttpResponse::MethodNotAllowed()
            .insert_header((header::ALLOW, allow))
            .json(ErrorBody {
                error: &format!("method {} is not allowed", request.method()),
                hint: &format!("use {}", allow.replace(", ", " or ")),
            })
    })
}
