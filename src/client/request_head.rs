//! The bytes of a request. Pure.

use thiserror::Error;

use super::{options::Options, url::Url};
use crate::protocol::fields;

/// A field that cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FieldError {
    /// The name is no token.
    #[error("expected a field name, not {0:?}")]
    Name(String),
    /// The value has a line break or another control character.
    #[error("expected a field value without control characters for {0}")]
    Value(String),
}

/// Returns the opening handshake of a client (RFC 6455 section 4.1).
pub(super) fn handshake(url: &Url, key: &str, options: &Options) -> Result<Vec<u8>, FieldError> {
    let mut own = vec![
        ("Host", url.authority()),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key),
        ("User-Agent", USER_AGENT),
    ];
    own.extend(options.origin.as_deref().map(|origin| ("Origin", origin)));
    own.extend(
        options
            .subprotocols
            .iter()
            .map(|line| ("Sec-WebSocket-Protocol", &**line)),
    );
    own.extend(
        options
            .extensions
            .iter()
            .map(|line| ("Sec-WebSocket-Extensions", &**line)),
    );
    request("GET", url.target(), &own, &options.headers)
}

const USER_AGENT: &str = concat!("ws-echo/", env!("CARGO_PKG_VERSION"));

/// Returns a request that opens no WebSocket connection, and is the last one on its connection.
pub(super) fn plain(
    method: &str,
    url: &Url,
    body: Option<&[u8]>,
    options: &Options,
) -> Result<Vec<u8>, FieldError> {
    let mut own = vec![
        ("Host", url.authority()),
        ("Connection", "close"),
        ("User-Agent", USER_AGENT),
    ];
    own.extend(options.origin.as_deref().map(|origin| ("Origin", origin)));
    let length = body.map(|body| body.len().to_string());
    own.extend(length.as_deref().map(|length| ("Content-Length", length)));
    let mut request = request(method, url.target(), &own, &options.headers)?;
    request.extend_from_slice(body.unwrap_or_default());
    Ok(request)
}

/// Returns a header section. A field of `extra` replaces those of `own` with the same name.
fn request(
    method: &str,
    target: &str,
    own: &[(&str, &str)],
    extra: &[(String, String)],
) -> Result<Vec<u8>, FieldError> {
    let mut bytes = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
    let replaced = |name: &str| extra.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    let kept = own.iter().filter(|(name, _)| !replaced(name)).copied();
    for (name, value) in kept.chain(extra.iter().map(|(name, value)| (&**name, &**value))) {
        if !fields::is_token(name.as_bytes()) {
            return Err(FieldError::Name(name.to_owned()));
        }
        if value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
            return Err(FieldError::Value(name.to_owned()));
        }
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(headers: &[(&str, &str)]) -> Result<String, FieldError> {
        let options = Options {
            origin: Some("http://o".to_owned()),
            subprotocols: vec!["a, b".to_owned(), "c".to_owned()],
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..Options::default()
        };
        let url = "ws://h:1/p?q".parse().unwrap();
        handshake(&url, "KEY", &options).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn the_request_has_the_fields_of_the_rfc_and_those_of_the_caller() {
        let text = with(&[("host", "other"), ("Cookie", "a=b")]).unwrap();
        let expected = format!(
            "GET /p?q HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: KEY\r\nUser-Agent: {USER_AGENT}\r\nOrigin: http://o\r\nSec-WebSocket-Protocol: a, b\r\n\
             Sec-WebSocket-Protocol: c\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
             host: other\r\nCookie: a=b\r\n\r\n"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn a_field_cannot_add_a_line() {
        assert_eq!(
            with(&[("A", "b\r\nC: d")]),
            Err(FieldError::Value("A".to_owned()))
        );
        assert_eq!(with(&[("A b", "c")]), Err(FieldError::Name("A b".to_owned())));
    }
}
