//! Everything that the server knows of a connection, for `?reply=json`.

use std::net::SocketAddr;

use actix_web::{HttpRequest, http::header};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::{
    checks::{lines, tokens},
    client::ClientAddr,
};
use crate::{
    protocol::deflate::Deflate,
    transport::{Socket, TlsInfo},
};

/// The `connection` of a JSON reply; docs/reply.schema.json describes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connection<'c> {
    id: u64,
    peer: SocketAddr,
    client: &'c ClientAddr,
    http_version: &'static str,
    path: &'c str,
    query: &'c str,
    /// Names and values in the order, and the names in the case, in which they came.
    headers: Vec<(String, String)>,
    subprotocol: Negotiated<'c>,
    extensions: Negotiated<'c>,
    tls: Option<Tls<'c>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tls<'c> {
    version: &'static str,
    cipher_suite: &'static str,
    alpn: Option<&'c str>,
    server_name: Option<&'c str>,
}

impl<'c> From<&'c TlsInfo> for Tls<'c> {
    fn from(facts: &'c TlsInfo) -> Self {
        Self {
            version: facts.version,
            cipher_suite: facts.cipher_suite,
            alpn: facts.alpn.as_deref(),
            server_name: facts.server_name.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct Negotiated<'c> {
    offered: Vec<&'c str>,
    chosen: Option<String>,
}

/// Describes the connection that `request` opens; `socket` is what it came over, where that is known.
pub(super) fn describe(
    request: &HttpRequest,
    socket: Option<&Socket>,
    id: u64,
    peer: SocketAddr,
    client: &ClientAddr,
    subprotocol: Option<&str>,
    deflate: Option<&Deflate>,
) -> Option<Box<RawValue>> {
    let headers = request.headers();
    let head = socket.map(Socket::take_head).unwrap_or_default();
    let connection = Connection {
        id,
        peer,
        client,
        http_version: "1.1",
        path: request.path(),
        query: request.query_string(),
        headers: headers_of(request, &head),
        subprotocol: Negotiated {
            offered: tokens(headers, &header::SEC_WEBSOCKET_PROTOCOL).collect(),
            chosen: subprotocol.map(str::to_owned),
        },
        extensions: Negotiated {
            offered: lines(headers, &header::SEC_WEBSOCKET_EXTENSIONS).collect(),
            chosen: deflate.map(ToString::to_string),
        },
        tls: socket.and_then(Socket::tls).map(Tls::from),
    };
    to_raw_value(&connection).ok()
}

fn headers_of(request: &HttpRequest, head: &[u8]) -> Vec<(String, String)> {
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut parsed = httparse::Request::new(&mut fields);
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY);
    // A connection may have carried other requests before this one; the key tells whose head it is.
    let is_ours = |parsed: &httparse::Request<'_, '_>| {
        parsed.headers.iter().any(|field| {
            field.name.eq_ignore_ascii_case("sec-websocket-key")
                && key.is_some_and(|key| key.as_bytes() == field.value)
        })
    };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    if parsed.parse(head).is_ok_and(|status| status.is_complete()) && is_ours(&parsed) {
        parsed
            .headers
            .iter()
            .map(|field| (field.name.to_owned(), text(field.value)))
            .collect()
    } else {
        request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
            .collect()
    }
}
