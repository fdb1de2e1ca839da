//! What the directory and the binary have in common: the name of the page, the methods, and the 404.

use actix_web::{
    HttpResponse,
    guard::{self, Guard},
};

use crate::transport::error_body::ErrorBody;

/// The file that makes a directory a page.
pub(super) const INDEX: &str = "index.html";

pub(super) fn get_or_head() -> impl Guard {
    guard::Any(guard::Get()).or(guard::Head())
}

pub(super) fn not_found() -> HttpResponse {
    HttpResponse::NotFound().json(ErrorBody {
        error: "no such file",
        hint: "open the page at /, or send Upgrade: websocket to open a WebSocket on any path",
    })
}
