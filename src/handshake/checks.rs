//! INTERIM
use super::refusal::Refusal;
use crate::config::Config;
use actix_web::{
    HttpRequest,
    guard::GuardContext,
    http::{
        Method, Version,
        header::{self, HeaderMap, HeaderName},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

const PREFERRED_SUBPROTOCOL: &str = "com.kaazing.echo";

pub(crate) fn is_handshake_attempt(ctx: &GuardContext<'_>) -> bool {
    let headers = ctx.head().headers();
    tokens(headers, &header::UPGRADE).any(|token| token.eq_ignore_ascii_case("websocket"))
        || headers.contains_key(header::SEC_WEBSOCKET_KEY)
        || headers.contains_key(header::SEC_WEBSOCKET_VERSION)
}

/// A path as the log may have it: what follows /watch/ is a secret, even where it was mistaken for a place to connect.
pub(super) fn loggable(path: &str) -> String {
    match path.split_once("/watch/") {
        Some((before, _)) => format!("{before}/watch/…"),
        None => path.to_owned(),
    }
}

/// Checks what RFC 6455 section 4.2.1 asks of a request.
pub(super) fn check(request: &HttpRequest) -> Result<(), Refusal> {
    let headers = request.headers();
    if request.method() != Method::GET {
        return Err(Refusal::Method);
    }
    if request.version() != Version::HTTP_11 {
        return Err(Refusal::HttpVersion);
    }
    if !headers.contains_key(header::HOST) {
        return Err(Refusal::Host);
    }
    if !tokens(headers, &header::UPGRADE).any(|token| token.eq_ignore_ascii_case("websocket")) {
        return Err(Refusal::NotUpgrade);
    }
    if !tokens(headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade")) {
        return Err(Refusal::NotConnectionUpgrade);
    }
    // The two below are legal and never sent by a client that means it; actix-http gives such a request no stream to
    // read frames from, and an answer of 101 would open a session that is deaf.
    if tokens(headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case("close")) {
        return Err(Refusal::ConnectionClose);
    }
    if tokens(headers, &header::UPGRADE).count() > 1 {
        return Err(Refusal::OtherUpgrades);
    }
    if headers.contains_key(header::TRANSFER_ENCODING)
        || lines(headers, &header::CONTENT_LENGTH).any(|length| length.trim() != "0")
    {
        return Err(Refusal::Body);
    }
    let mut versions = headers.get_all(header::SEC_WEBSOCKET_VERSION);
    if versions.next().is_none_or(|version| version != "13") || versions.next().is_some() {
        return Err(Refusal::Version);
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY);
    let key = keys.next().ok_or(Refusal::Key)?;
    if keys.next().is_some() {
        return Err(Refusal::SeveralKeys);
    }
    match STANDARD.decode(key.as_bytes()) {
        Ok(key) if key.len() == 16 => Ok(()),
        _ => Err(Refusal::Key),
    }
}

/// RFC 6455 section 10.2: the origin tells which site's script connects. What is no browser need not send one, and
/// could send any: the list keeps strange pages out, not strange programs.
pub(super) fn check_origin(headers: &HeaderMap, config: &Config) -> Result<(), Refusal> {
    let allowed = &config.allow_origin;
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().unwrap_or_default();
    if allowed.is_empty() || allowed.iter().any(|allowed| allowed.matches(origin)) {
        Ok(())
    } else {
        Err(Refusal::Origin)
    }
}

/// The subprotocols offered, over all lines, in the client's order.
pub(super) fn offered_subprotocols(headers: &HeaderMap) -> Result<Vec<&str>, Refusal> {
    let mut offered: Vec<&str> = Vec::new();
    for line in headers.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
        for name in line
            .to_str()
            .map_err(|_| Refusal::Subprotocol)?
            .split(',')
            .map(str::trim)
        {
            // RFC 6455 section 4.1: non-empty tokens, "and MUST all be unique strings".
            if name.is_empty() || !name.bytes().all(is_token) || offered.contains(&name) {
                return Err(Refusal::Subprotocol);
            }
            offered.push(name);
        }
    }
    Ok(offered)
}

/// Ours where it is offered, else the first: a browser fails a connection whose offer is not answered.
pub(super) fn choose_subprotocol(offered: &[&str]) -> Option<String> {
    let chosen = offered
        .iter()
        .find(|name| **name == PREFERRED_SUBPROTOCOL)
        .or(offered.first());
    chosen.map(|name| (*name).to_owned())
}

/// A token's characters (RFC 9110 section 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The lines of a header that are text.
pub(super) fn lines<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    headers.get_all(name).filter_map(|line| line.to_str().ok())
}

/// The elements of a header that is a list, over all its lines.
pub(super) fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    lines(headers, name)
        .flat_map(|line| line.split(','))
        .map(str::trim)
}
