//! A request to a session, in three steps: validate, negotiate, open.

mod checks;
mod client;
mod description;
mod forwarded;
mod open;
mod redirect;
mod refusal;

pub(crate) use checks::is_handshake_attempt;
pub(crate) use open::Handshake;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// The lines of a field, as bytes.
fn lines<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    headers.get_all(name).map(HeaderValue::as_bytes)
}
