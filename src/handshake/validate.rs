//! The first step of a handshake: the requirements of RFC 6455 section 4.2.1, and the operator's policy.

use actix_web::http::{
    Method, Version,
    header::{self, HeaderMap},
};

use super::{field_lines, has_token, refusal::Refusal};
use crate::{
    config::Origin,
    protocol::{fields, handshake_key::is_key},
};

/// The parts of a request that are validated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestParts<'r> {
    pub(crate) method: &'r Method,
    pub(crate) version: Version,
    pub(crate) headers: &'r HeaderMap,
}

/// The operator's policy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy<'p> {
    /// The origins whose pages may connect. Empty allows all.
    pub(crate) allow_origin: &'p [Origin],
}

/// A request that may open a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ValidRequest<'r> {
    /// The value of `Sec-WebSocket-Key`: 16 bytes in base64, not decoded.
    pub(crate) key: &'r [u8],
    /// The names in `Sec-WebSocket-Protocol`, over all lines, in the client's order.
    pub(crate) offered_subprotocols: Vec<&'r str>,
    /// The lines of `Sec-WebSocket-Extensions`.
    pub(crate) offered_extensions: Vec<&'r [u8]>,
    /// The value of `Origin`, which browsers send.
    pub(crate) origin: Option<&'r [u8]>,
    /// The value of `Host`.
    pub(crate) host: &'r [u8],
}

/// Validates a request.
///
/// # Errors
/// The first requirement that is not met.
pub(crate) fn validate<'r>(
    request: RequestParts<'r>,
    policy: Policy<'_>,
) -> Result<ValidRequest<'r>, Refusal> {
    let headers = request.headers;
    let host = validate_http(request)?;
    validate_upgrade(headers)?;
    let mut versions = field_lines(headers, &header::SEC_WEBSOCKET_VERSION);
    if versions.next() != Some(b"13") || versions.next().is_some() {
        return Err(Refusal::Version);
    }
    Ok(ValidRequest {
        host,
        key: valid_key(headers)?,
        origin: allowed_origin(headers, policy.allow_origin)?,
        offered_subprotocols: offered_subprotocols(headers)?,
        offered_extensions: field_lines(headers, &header::SEC_WEBSOCKET_EXTENSIONS).collect(),
    })
}

fn validate_http(request: RequestParts<'_>) -> Result<&[u8], Refusal> {
    if request.method != Method::GET {
        return Err(Refusal::Method);
    }
    if request.version != Version::HTTP_11 {
        return Err(Refusal::HttpVersion);
    }
    field_lines(request.headers, &header::HOST)
        .next()
        .ok_or(Refusal::Host)
}

fn validate_upgrade(headers: &HeaderMap) -> Result<(), Refusal> {
    if !has_token(headers, &header::UPGRADE, b"websocket") {
        return Err(Refusal::NotUpgrade);
    }
    if !has_token(headers, &header::CONNECTION, b"upgrade") {
        return Err(Refusal::NotConnectionUpgrade);
    }
    // RFC 6455 allows the next two. But actix-http provides no stream of frames for such a request, so the
    // session would receive nothing after the 101.
    if has_token(headers, &header::CONNECTION, b"close") {
        return Err(Refusal::ConnectionClose);
    }
    // Empty elements count: actix-http compares the whole line with `websocket`.
    if fields::tokens(field_lines(headers, &header::UPGRADE)).count() > 1 {
        return Err(Refusal::OtherUpgrades);
    }
    if headers.contains_key(header::TRANSFER_ENCODING)
        || field_lines(headers, &header::CONTENT_LENGTH).any(|length| fields::trim(length) != b"0")
    {
        return Err(Refusal::Body);
    }
    Ok(())
}

/// Returns the key: 16 bytes in base64 (RFC 6455 section 4.1), at most once (section 11.3.1).
fn valid_key(headers: &HeaderMap) -> Result<&[u8], Refusal> {
    let mut keys = field_lines(headers, &header::SEC_WEBSOCKET_KEY);
    let key = keys.next().ok_or(Refusal::Key)?;
    if keys.next().is_some() {
        return Err(Refusal::SeveralKeys);
    }
    if is_key(key) { Ok(key) } else { Err(Refusal::Key) }
}

/// Returns the origin if the operator allows it. The origin is the site whose script connects (RFC 6455
/// section 10.2). A client other than a browser can send any origin, or none. The list therefore excludes
/// pages, not programs.
fn allowed_origin<'h>(headers: &'h HeaderMap, allowed: &[Origin]) -> Result<Option<&'h [u8]>, Refusal> {
    let is_allowed = |origin: &[u8]| {
        str::from_utf8(origin).is_ok_and(|origin| allowed.iter().any(|allowed| allowed.matches(origin)))
    };
    let mut origins = field_lines(headers, &header::ORIGIN);
    if !allowed.is_empty() && !origins.all(is_allowed) {
        return Err(Refusal::Origin);
    }
    Ok(field_lines(headers, &header::ORIGIN).next())
}

/// Returns the offered names. They are non-empty tokens, "and MUST all be unique strings" (RFC 6455 section
/// 4.1).
fn offered_subprotocols(headers: &HeaderMap) -> Result<Vec<&str>, Refusal> {
    let mut offered: Vec<&str> = Vec::new();
    for name in fields::tokens(field_lines(headers, &header::SEC_WEBSOCKET_PROTOCOL)) {
        // A token is ASCII.
        match str::from_utf8(name) {
            Ok(text) if fields::is_token(name) && !offered.contains(&text) => offered.push(text),
            _ => return Err(Refusal::Subprotocol),
        }
    }
    Ok(offered)
}

#[cfg(test)]
pub(super) mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    /// Returns the fields of the example of RFC 6455 section 1.2. `lines` replaces those of the same names.
    /// The value `-` removes a field.
    pub(in super::super) fn headers(lines: &[(&'static str, &[u8])]) -> HeaderMap {
        let example: [(&'static str, &[u8]); 5] = [
            ("host", b"server.example.com"),
            ("upgrade", b"websocket"),
            ("connection", b"Upgrade"),
            ("sec-websocket-key", KEY.as_bytes()),
            ("sec-websocket-version", b"13"),
        ];
        let mut map = HeaderMap::new();
        let kept = example
            .iter()
            .filter(|(name, _)| lines.iter().all(|(other, _)| other != name));
        for (name, value) in kept.chain(lines.iter().filter(|(_, value)| *value != b"-")) {
            let value = HeaderValue::from_bytes(value).unwrap();
            map.append(header::HeaderName::from_static(name), value);
        }
        map
    }

    pub(in super::super) fn valid(headers: &HeaderMap) -> Result<ValidRequest<'_>, Refusal> {
        with_origins(headers, &[])
    }

    fn with_origins<'h>(headers: &'h HeaderMap, allowed: &[&str]) -> Result<ValidRequest<'h>, Refusal> {
        let allow_origin: Vec<_> = allowed.iter().map(|origin| origin.parse().unwrap()).collect();
        let request = RequestParts {
            method: &Method::GET,
            version: Version::HTTP_11,
            headers,
        };
        let policy = Policy {
            allow_origin: &allow_origin,
        };
        validate(request, policy)
    }

    fn refused(lines: &[(&'static str, &[u8])]) -> Refusal {
        valid(&headers(lines)).unwrap_err()
    }

    #[test]
    fn the_example_of_the_rfc_is_valid() {
        let headers = headers(&[
            ("origin", b"http://example.com"),
            ("sec-websocket-protocol", b"chat, superchat"),
            ("sec-websocket-protocol", b"v2"),
            ("sec-websocket-extensions", b"x-\xE9, permessage-deflate"),
        ]);
        let expected = ValidRequest {
            key: KEY.as_bytes(),
            offered_subprotocols: vec!["chat", "superchat", "v2"],
            offered_extensions: vec![b"x-\xE9, permessage-deflate"],
            origin: Some(b"http://example.com"),
            host: b"server.example.com",
        };
        assert_eq!(valid(&headers).unwrap(), expected);
    }

    #[test]
    fn non_ascii_bytes_hide_no_other_element() {
        let connection = headers(&[("connection", b"\xE9, Upgrade")]);
        assert!(valid(&connection).is_ok());
        let close = [("connection", &b"Upgrade"[..]), ("connection", b"\xE9, close")];
        assert!(matches!(refused(&close), Refusal::ConnectionClose));
        let upgrade = [("upgrade", &b"websocket"[..]), ("upgrade", b"\xE9")];
        assert!(matches!(refused(&upgrade), Refusal::OtherUpgrades));
    }

    #[test]
    fn each_requirement_has_its_refusal() {
        for (name, value, expected) in [
            ("host", &b"-"[..], "no Host header"),
            ("upgrade", b"-", "no Upgrade: websocket header"),
            ("upgrade", b"websockets", "no Upgrade: websocket header"),
            ("connection", b"keep-alive", "no Connection: Upgrade header"),
            (
                "connection",
                b"close, Upgrade",
                "the Connection header has close beside Upgrade",
            ),
            (
                "upgrade",
                b"h2c, websocket",
                "the Upgrade header lists more than websocket",
            ),
            (
                "upgrade",
                b"websocket,",
                "the Upgrade header lists more than websocket",
            ),
            ("content-length", b"5", "the handshake has a body"),
            ("transfer-encoding", b"chunked", "the handshake has a body"),
            ("sec-websocket-version", b"-", "Sec-WebSocket-Version is not 13"),
            ("sec-websocket-version", b"8", "Sec-WebSocket-Version is not 13"),
            (
                "sec-websocket-key",
                b"-",
                "Sec-WebSocket-Key is not 16 bytes in base64",
            ),
            (
                "sec-websocket-key",
                b"dGhl",
                "Sec-WebSocket-Key is not 16 bytes in base64",
            ),
            (
                "sec-websocket-key",
                b"\xFF",
                "Sec-WebSocket-Key is not 16 bytes in base64",
            ),
        ] {
            let error = refused(&[(name, value)]).to_string();
            assert_eq!(error, expected, "{name}: {}", value.escape_ascii());
        }
        let keys = [("sec-websocket-key", KEY.as_bytes()); 2];
        assert!(matches!(refused(&keys), Refusal::SeveralKeys));
        let versions = [("sec-websocket-version", &b"13"[..]); 2];
        assert!(matches!(refused(&versions), Refusal::Version));
        assert!(valid(&headers(&[("content-length", b"0")])).is_ok());
    }

    #[test]
    fn method_and_version_are_those_of_rfc_6455() {
        let headers = headers(&[]);
        let request = RequestParts {
            method: &Method::GET,
            version: Version::HTTP_11,
            headers: &headers,
        };
        let policy = Policy { allow_origin: &[] };
        let method = &Method::POST;
        let refusal = validate(RequestParts { method, ..request }, policy).unwrap_err();
        assert!(matches!(refusal, Refusal::Method));
        let version = Version::HTTP_10;
        let refusal = validate(RequestParts { version, ..request }, policy).unwrap_err();
        assert!(matches!(refusal, Refusal::HttpVersion));
    }

    #[test]
    fn a_subprotocol_offer_is_a_list_of_unique_tokens() {
        for offer in [
            &b""[..],
            b"a,,b",
            b"a b",
            b"a, a",
            b"a,",
            b"\"a\"",
            b"a\xE9",
            b"a, \xC3\xA9",
        ] {
            let refusal = refused(&[("sec-websocket-protocol", offer)]);
            assert!(
                matches!(refusal, Refusal::Subprotocol),
                "{}",
                offer.escape_ascii()
            );
        }
        let twice = [("sec-websocket-protocol", &b"a"[..]); 2];
        assert!(matches!(refused(&twice), Refusal::Subprotocol));
    }

    #[test]
    fn each_origin_must_be_on_the_list_if_there_is_one() {
        let allowed = ["https://example.org"];
        let of = |origins: &[&'static [u8]]| {
            let lines: Vec<_> = origins.iter().map(|origin| ("origin", *origin)).collect();
            let headers = headers(&lines);
            with_origins(&headers, &allowed).is_ok()
        };
        assert!(of(&[]) && of(&[b"HTTPS://Example.org"]));
        assert!(!of(&[b"https://example.com"]) && !of(&[b"null"]) && !of(&[b"\xE9"]));
        assert!(!of(&[b"https://example.org", b"https://example.com"]));
        let anywhere = headers(&[("origin", b"\xE9")]);
        assert_eq!(valid(&anywhere).unwrap().origin, Some(&b"\xE9"[..]));
    }
}
