//! The `connection` of `?reply=json`, with the schema docs/reply.schema.json. Pure.

use std::net::SocketAddr;

use actix_web::http::header::{self, HeaderMap};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::{
    client::ClientAddr,
    field_lines,
    header_section::request_fields,
    negotiate::Negotiated,
    redaction::{hides_credentials, shown_value},
    validate::ValidRequest,
};
use crate::transport::TlsInfo;

/// The values that describe a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Described<'c> {
    /// The connection's number.
    pub(crate) id: u64,
    /// The TCP address of the peer.
    pub(crate) peer: SocketAddr,
    /// The address that the connection is counted for.
    pub(crate) client: &'c ClientAddr,
    /// The path of the request.
    pub(crate) path: &'c str,
    /// The query of the request.
    pub(crate) query: &'c str,
    /// The header section as actix-http stores it: without the order and the case of the request.
    pub(crate) headers: &'c HeaderMap,
    /// The bytes of the request line and the header section. Incomplete or empty if they are not known.
    pub(crate) head: &'c [u8],
    /// The request with the client's offers.
    pub(crate) request: &'c ValidRequest<'c>,
    /// The server's choices.
    pub(crate) negotiated: &'c Negotiated,
    /// The negotiated TLS parameters. None without TLS.
    pub(crate) tls: Option<&'c TlsInfo>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connection<'c> {
    id: u64,
    peer: SocketAddr,
    client: &'c ClientAddr,
    http_version: &'static str,
    path: &'c str,
    query: &'c str,
    /// Names and values in the order of the request, and the names in its case.
    headers: Vec<(String, String)>,
    subprotocol: Negotiation<'c>,
    extensions: Negotiation<'c>,
    tls: Option<Tls<'c>>,
}

#[derive(Serialize)]
struct Negotiation<'c> {
    offered: Vec<std::borrow::Cow<'c, str>>,
    chosen: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tls<'c> {
    version: &'static str,
    cipher_suite: &'static str,
    alpn: Option<&'c str>,
    server_name: Option<&'c str>,
}

impl<'c> From<&'c TlsInfo> for Tls<'c> {
    fn from(info: &'c TlsInfo) -> Self {
        Self {
            version: info.version,
            cipher_suite: info.cipher_suite,
            alpn: info.alpn.as_deref(),
            server_name: info.server_name.as_deref(),
        }
    }
}

/// Returns the `connection` of a JSON reply.
pub(crate) fn describe(connection: Described<'_>) -> Option<Box<RawValue>> {
    let Described {
        request, negotiated, ..
    } = connection;
    let https = connection.tls.is_some() || connection.client.is_secure();
    // A browser sends one field. If a request has several, one foreign origin hides the credentials.
    let hide_credentials = field_lines(connection.headers, &header::ORIGIN)
        .any(|origin| hides_credentials(Some(origin), Some(request.host), https));
    let offered_subprotocols = request.offered_subprotocols.iter();
    let offered_extensions = request.offered_extensions.iter();
    let described = Connection {
        id: connection.id,
        peer: connection.peer,
        client: connection.client,
        http_version: "1.1",
        path: connection.path,
        query: connection.query,
        headers: shown_headers(connection, hide_credentials),
        subprotocol: Negotiation {
            offered: offered_subprotocols.map(|&name| name.into()).collect(),
            chosen: negotiated.subprotocol.clone(),
        },
        extensions: Negotiation {
            offered: offered_extensions
                .map(|line| String::from_utf8_lossy(line))
                .collect(),
            chosen: negotiated.deflate.map(|deflate| deflate.to_string()),
        },
        tls: connection.tls.map(Tls::from),
    };
    to_raw_value(&described).ok()
}

/// Returns the names and values of the header section. They come from its bytes, in order and case, or else
/// from actix-http.
fn shown_headers(connection: Described<'_>, hide_credentials: bool) -> Vec<(String, String)> {
    let request = request_fields(connection.head, connection.headers, connection.request.key);
    let shown = |(name, value): (&str, &[u8])| (name.to_owned(), shown_value(name, value, hide_credentials));
    request.fields.into_iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{
        super::{
            negotiate::negotiate,
            validate::tests::{headers, valid},
        },
        *,
    };
    use crate::session::behaviour::Behaviour;

    /// Returns the description of a connection whose request has these fields.
    fn described(lines: &[(&'static str, &[u8])], forwarded: &[(&'static str, &[u8])], head: &[u8]) -> Value {
        let peer = "127.0.0.1:4711".parse().unwrap();
        let trusted = ["127.0.0.1".parse().unwrap()];
        let (headers, forwarded) = (headers(lines), headers(forwarded));
        let request = valid(&headers).unwrap();
        let negotiated = negotiate(&request, &Behaviour::default(), true);
        let description = describe(Described {
            id: 7,
            peer,
            client: &ClientAddr::resolve(peer, &forwarded, &trusted).client,
            path: "/chat",
            query: "a=b",
            headers: &headers,
            head,
            request: &request,
            negotiated: &negotiated,
            tls: None,
        });
        serde_json::from_str(description.unwrap().get()).unwrap()
    }

    fn value<'v>(description: &'v Value, name: &str) -> &'v str {
        let fields = description["headers"].as_array().unwrap();
        let field = fields.iter().find(|field| field[0] == name).unwrap();
        field[1].as_str().unwrap()
    }

    const CREDENTIALS: [(&str, &[u8]); 3] = [
        ("cookie", b"id=secret"),
        ("authorization", b"Basic c2VjcmV0"),
        ("proxy-authorization", b"Basic c2VjcmV0"),
    ];

    #[test]
    fn a_page_of_another_origin_gets_no_credentials() {
        let lines = [&CREDENTIALS[..], &[("origin", b"https://evil.example")]].concat();
        let description = described(&lines, &[], b"");
        assert_eq!(value(&description, "cookie"), "(hidden, 9 bytes)");
        assert_eq!(value(&description, "authorization"), "(hidden, 14 bytes)");
        assert_eq!(value(&description, "proxy-authorization"), "(hidden, 14 bytes)");
        assert!(!description.to_string().contains("secret"));
        assert!(!description.to_string().contains("c2VjcmV0"));
    }

    #[test]
    fn the_bytes_of_the_header_section_are_redacted_as_well() {
        let head =
            b"GET / HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCOOKIE:  id=secret \r\n\r\n";
        let lines = [("origin", &b"https://evil.example"[..])];
        let description = described(&lines, &[], head);
        assert_eq!(value(&description, "COOKIE"), "(hidden, 9 bytes)");
        let own = [("origin", &b"http://server.example.com"[..])];
        assert_eq!(value(&described(&own, &[], head), "COOKIE"), "id=secret");
        // The bytes of another request are not this one's.
        let other = b"GET / HTTP/1.1\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nX: y\r\n\r\n";
        let description = described(&own, &[], other);
        assert_eq!(value(&description, "host"), "server.example.com");
    }

    #[test]
    fn the_servers_own_page_gets_credentials_also_behind_a_proxy_with_tls() {
        let proxied: [(&str, &[u8]); 2] =
            [("x-forwarded-for", b"192.0.2.1"), ("x-forwarded-proto", b"https")];
        for (origin, forwarded, hidden) in [
            (&b"http://server.example.com"[..], &[][..], false),
            (b"https://server.example.com", &[], true),
            (b"https://server.example.com", &proxied, false),
            (b"http://server.example.com", &proxied, true),
        ] {
            let lines = [&CREDENTIALS[..], &[("origin", origin)]].concat();
            let description = described(&lines, forwarded, b"");
            assert_eq!(value(&description, "cookie") != "id=secret", hidden);
        }
        assert_eq!(value(&described(&CREDENTIALS, &[], b""), "cookie"), "id=secret");
        let own = [("origin", &b"http://server.example.com"[..]), ("origin", b"null")];
        let description = described(&[&CREDENTIALS[..], &own].concat(), &[], b"");
        assert_eq!(value(&description, "cookie"), "(hidden, 9 bytes)");
    }

    #[test]
    fn offers_and_choices_are_described() {
        let lines: [(&str, &[u8]); 2] = [
            ("sec-websocket-protocol", b"one, two"),
            ("sec-websocket-extensions", b"x-\xE9, permessage-deflate"),
        ];
        let description = described(&lines, &[], b"");
        let expected = serde_json::json!({"offered": ["one", "two"], "chosen": "one"});
        assert_eq!(description["subprotocol"], expected);
        let expected = serde_json::json!({
            "offered": ["x-\u{FFFD}, permessage-deflate"], "chosen": "permessage-deflate"
        });
        assert_eq!(description["extensions"], expected);
        assert_eq!(
            (&description["path"], &description["query"]),
            (&"/chat".into(), &"a=b".into())
        );
    }
}
