//! The opening handshake, in three steps. Each step returns the value that the next one needs:
//!
//! 1. [`validate`] checks the requirements of RFC 6455 section 4.2.1, and the operator's policy.
//! 2. [`negotiate`] chooses the subprotocol and the parameters of permessage-deflate, and makes the 101.
//! 3. [`open`] runs the other steps, and starts the session's actor on the connection.
//!
//! Each step can refuse the handshake with a status, an error and a hint ([`refusal`]). Only the last step
//! does IO, in [`open`], [`requested`], [`response_head`] and [`start`]. The other modules are pure:
//!
//! - [`client`] resolves the client's address behind trusted proxies, [`forwarded`] parses the headers for
//!   it.
//! - [`broken`] makes the bytes of `handshake=`.
//! - [`redirect`] makes the target of `handshake-status=3xx`.
//! - [`description`] makes the `connection` of `reply=json`.
//! - [`watch_event`] makes the `handshake` event for watchers.
//! - [`header_section`] returns the header sections for both.
//! - [`redaction`] hides secrets from replies and from the log.

mod broken;
mod client;
mod description;
mod forwarded;
mod header_section;
mod negotiate;
mod open;
mod redaction;
mod redirect;
mod refusal;
mod requested;
mod response_head;
mod start;
mod validate;
mod watch_event;

use actix_web::{
    guard::GuardContext,
    http::header::{self, HeaderMap, HeaderName},
};

pub(crate) use open::Handshake;

use crate::protocol::fields;

/// Returns whether a request is an attempt at an opening handshake, valid or not. If a proxy has removed one
/// of the headers, the client then gets a refusal that names it, and not the page.
pub(crate) fn is_handshake_attempt(ctx: &GuardContext<'_>) -> bool {
    let headers = ctx.head().headers();
    has_token(headers, &header::UPGRADE, b"websocket")
        || headers.contains_key(header::SEC_WEBSOCKET_KEY)
        || headers.contains_key(header::SEC_WEBSOCKET_VERSION)
}

/// Returns the value of each line of a field.
fn field_lines<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    headers.get_all(name).map(header::HeaderValue::as_bytes)
}

/// Returns whether a list field contains a token, whatever its case.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &[u8]) -> bool {
    fields::tokens(field_lines(headers, name)).any(|element| element.eq_ignore_ascii_case(token))
}
