//! The verification of the server's response to an opening handshake (RFC 6455 section 4.1). Pure.

use thiserror::Error;

use super::head::ResponseHead;
use crate::protocol::{
    deflate::{Deflate, ExtensionError},
    fields,
    handshake_key::accept_key,
};

/// The choices of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// The subprotocol, if the server has chosen one.
    pub subprotocol: Option<String>,
    /// The parameters of permessage-deflate, if the server has accepted it.
    pub deflate: Option<Deflate>,
}

/// The offers of the client: the lines of the fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offers<'o> {
    pub(super) key: &'o str,
    pub(super) subprotocols: &'o [String],
    pub(super) extensions: &'o [String],
}

/// The reason why a response opens no connection.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HandshakeError {
    /// Any status other than 101 (item 1 of the list in section 4.1).
    #[error("the status is {0}, not 101")]
    Status(u16),
    /// The status line is that of HTTP/1.0, which has no upgrade.
    #[error("the 101 is HTTP/1.0, not HTTP/1.1")]
    HttpVersion,
    /// No `Upgrade` (item 2).
    #[error("the 101 has no Upgrade field")]
    NoUpgrade,
    /// Another `Upgrade` (item 2).
    #[error("the 101 has Upgrade: {0}, not websocket")]
    Upgrade(String),
    /// No `Connection` with `Upgrade` (item 3).
    #[error("the 101 has no Connection: Upgrade")]
    NoConnectionUpgrade,
    /// No `Sec-WebSocket-Accept` (item 4).
    #[error("the 101 has no Sec-WebSocket-Accept")]
    NoAccept,
    /// A `Sec-WebSocket-Accept` for another key (item 4), such as that of a response from a cache.
    #[error("Sec-WebSocket-Accept is {found}, not {expected}")]
    Accept {
        /// The value in the response.
        found: String,
        /// The value for the key that was sent.
        expected: String,
    },
    /// Several `Sec-WebSocket-Accept`, which section 11.3.3 forbids.
    #[error("the 101 has more than one Sec-WebSocket-Accept")]
    SeveralAccepts,
    /// The extensions are not those of the offer (item 5).
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    /// A subprotocol that was not offered (item 6).
    #[error("the server chose the subprotocol {0:?}, which was not offered")]
    Subprotocol(String),
    /// Several subprotocols. Section 11.3.4 allows one.
    #[error("the server chose more than one subprotocol")]
    SeveralSubprotocols,
}

/// Verifies a response, and returns the choices of the server.
///
/// # Errors
/// The first item of the list in section 4.1 that the response does not meet.
pub(super) fn verify(head: &ResponseHead, offers: Offers<'_>) -> Result<Negotiated, HandshakeError> {
    if head.status != 101 {
        return Err(HandshakeError::Status(head.status));
    }
    if !head.is_http_1_1 {
        return Err(HandshakeError::HttpVersion);
    }
    let upgrade = head.value("upgrade").ok_or(HandshakeError::NoUpgrade)?;
    if !upgrade.eq_ignore_ascii_case("websocket") {
        return Err(HandshakeError::Upgrade(upgrade));
    }
    if !head.has_token("connection", "upgrade") {
        return Err(HandshakeError::NoConnectionUpgrade);
    }
    verify_accept(head, offers.key)?;
    let extensions = head.values("sec-websocket-extensions");
    let deflate = Deflate::accepted(offers.extensions.iter().map(String::as_bytes), extensions)?;
    Ok(Negotiated {
        subprotocol: subprotocol(head, offers.subprotocols)?,
        deflate,
    })
}

fn verify_accept(head: &ResponseHead, key: &str) -> Result<(), HandshakeError> {
    let mut accepts = head.values("sec-websocket-accept");
    let found = accepts.next().ok_or(HandshakeError::NoAccept)?;
    if accepts.next().is_some() {
        return Err(HandshakeError::SeveralAccepts);
    }
    let expected = accept_key(key.as_bytes());
    if found != expected.as_bytes() {
        let found = String::from_utf8_lossy(found).into_owned();
        return Err(HandshakeError::Accept { found, expected });
    }
    Ok(())
}

fn subprotocol(head: &ResponseHead, offered: &[String]) -> Result<Option<String>, HandshakeError> {
    let mut chosen = head.values("sec-websocket-protocol");
    let Some(name) = chosen.next() else {
        return Ok(None);
    };
    if chosen.next().is_some() || name.contains(&b',') {
        return Err(HandshakeError::SeveralSubprotocols);
    }
    let mut offered = fields::tokens(offered.iter().map(String::as_bytes));
    let text = String::from_utf8_lossy(name).into_owned();
    // RFC 6455 section 4.1 compares the names case-sensitively.
    if name.is_empty() || !offered.any(|offer| offer == name) {
        return Err(HandshakeError::Subprotocol(text));
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const VALID: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n\
                         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

    fn verified(head: &str) -> Result<Negotiated, HandshakeError> {
        let bytes = format!("{head}\r\n");
        let (head, _) = ResponseHead::parse(bytes.as_bytes()).unwrap().unwrap();
        let offers = Offers {
            key: KEY,
            subprotocols: &["a, b".to_owned(), "c".to_owned()],
            extensions: &[Deflate::OFFER.to_owned()],
        };
        verify(&head, offers)
    }

    #[test]
    fn a_valid_response_has_the_choices_of_the_server() {
        let negotiated = verified(VALID).unwrap();
        assert_eq!((negotiated.subprotocol, negotiated.deflate), (None, None));
        let fields = "Sec-WebSocket-Protocol: c\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
        let negotiated = verified(&format!("{VALID}{fields}")).unwrap();
        assert_eq!(negotiated.subprotocol.as_deref(), Some("c"));
        assert!(negotiated.deflate.is_some());
    }

    #[test]
    fn each_requirement_has_its_error() {
        use HandshakeError as E;
        let without = |name: &str| {
            let lines: Vec<_> = VALID
                .split_inclusive("\r\n")
                .filter(|line| !line.starts_with(name))
                .collect();
            lines.concat()
        };
        for (head, error) in [
            (VALID.replace("101", "200"), E::Status(200)),
            (VALID.replace("HTTP/1.1", "HTTP/1.0"), E::HttpVersion),
            (without("Upgrade"), E::NoUpgrade),
            (
                VALID.replace("WebSocket\r", "h2c\r"),
                E::Upgrade("h2c".to_owned()),
            ),
            (without("Connection"), E::NoConnectionUpgrade),
            (without("Sec-WebSocket-Accept"), E::NoAccept),
            (
                VALID.replace("s3p", "S3p"),
                E::Accept {
                    found: "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_owned(),
                    expected: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_owned(),
                },
            ),
            (format!("{VALID}Sec-WebSocket-Accept: x\r\n"), E::SeveralAccepts),
            (
                format!("{VALID}Sec-WebSocket-Extensions: x-a\r\n"),
                E::Extension(ExtensionError::NotOffered("x-a".to_owned())),
            ),
            (
                format!("{VALID}Sec-WebSocket-Protocol: A\r\n"),
                E::Subprotocol("A".to_owned()),
            ),
            (
                format!("{VALID}Sec-WebSocket-Protocol: a, b\r\n"),
                E::SeveralSubprotocols,
            ),
            (
                format!("{VALID}Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n"),
                E::SeveralSubprotocols,
            ),
        ] {
            assert_eq!(verified(&head), Err(error), "{head}");
        }
    }
}
