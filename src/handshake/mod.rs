//! A request to a session, in three plain steps, each a value for the next:
//!
//! 1. [`validate`]: the requirements of RFC 6455 section 4.2.1, and the operator's policy
//! 2. [`negotiate`]: the subprotocol, permessage-deflate, and the 101 that names them
//! 3. [`open`]: the actor on the connection
//!
//! Each step may refuse, with a status, an error and a hint ([`refusal`]). Only the last step does IO. Beside them stand
//! the client's address behind a proxy ([`client`]), the target of a redirect ([`redirect`]), the `connection` of `reply=json`
//! ([`description`]), and the parts that it and the log hide ([`redaction`]).

mod client;
mod description;
mod forwarded;
mod negotiate;
mod open;
mod redaction;
mod redirect;
mod refusal;
mod validate;

use actix_web::{
    guard::GuardContext,
    http::header::{self, HeaderMap, HeaderName},
};

pub(crate) use open::Handshake;

use crate::protocol::fields;

/// Whether a request is an attempt at an opening handshake, well-formed or not: a handshake that lost a header on its way
/// gets a refusal that names the header, and not a page.
pub(crate) fn is_handshake_attempt(ctx: &GuardContext<'_>) -> bool {
    let headers = ctx.head().headers();
    has_token(headers, &header::UPGRADE, b"websocket")
        || headers.contains_key(header::SEC_WEBSOCKET_KEY)
        || headers.contains_key(header::SEC_WEBSOCKET_VERSION)
}

/// Returns the lines of a field, as bytes.
fn field_lines<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    headers.get_all(name).map(header::HeaderValue::as_bytes)
}

/// Whether a field whose elements are tokens has this one, in any case.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &[u8]) -> bool {
    fields::tokens(field_lines(headers, name)).any(|element| element.eq_ignore_ascii_case(token))
}
