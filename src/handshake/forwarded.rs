//! The entries of `Forwarded` (RFC 7239), `X-Forwarded-For` and `X-Forwarded-Proto`, without a decision about
//! trust.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{self, HeaderMap, HeaderName};

use super::field_lines;
use crate::protocol::fields;

pub(super) const FORWARDED: &str = "forwarded";
pub(super) const X_FORWARDED_FOR: &str = "x-forwarded-for";
static X_FORWARDED_FOR_NAME: HeaderName = HeaderName::from_static(X_FORWARDED_FOR);
static X_FORWARDED_PROTO_NAME: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The client of one proxy, as that proxy wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) address: IpAddr,
    pub(super) port: Option<u16>,
    pub(super) proto: Option<String>,
}

/// One entry: a hop, or the reason why it has no address, for the log.
pub(super) type Entry = Result<Hop, &'static str>;

/// Returns the entries of `X-Forwarded-For`, a list of addresses without quoted strings. A quotation mark
/// from the client must not hide the entry that the proxy appended. For the same reason an empty entry counts
/// as an entry without an address.
pub(super) fn x_forwarded(headers: &HeaderMap) -> Vec<Entry> {
    fields::tokens(field_lines(headers, &X_FORWARDED_FOR_NAME))
        .map(|node| {
            let (address, port) = node_address(node).ok_or("an entry is not an IP address")?;
            Ok(Hop {
                address,
                port,
                proto: None,
            })
        })
        .collect()
}

/// Returns the last entry of `X-Forwarded-Proto`. It belongs to the last entry of `X-Forwarded-For`.
pub(super) fn x_forwarded_proto(headers: &HeaderMap) -> Option<String> {
    fields::tokens(field_lines(headers, &X_FORWARDED_PROTO_NAME))
        .last()
        .and_then(proto)
}

/// Returns the elements of `Forwarded` (RFC 7239 section 4).
pub(super) fn forwarded(headers: &HeaderMap) -> Vec<Entry> {
    let mut entries: Vec<_> = fields::elements(field_lines(headers, &header::FORWARDED))
        .map(forwarded_element)
        .collect();
    if entries.is_empty() && headers.contains_key(header::FORWARDED) {
        entries.push(Err("it has no entry"));
    }
    entries
}

fn forwarded_element(element: &[u8]) -> Entry {
    const MALFORMED: &str = "an entry is not a list of name=value";
    let (mut node, mut scheme) = (None, None);
    for pair in fields::parameters(element).filter(|pair| !pair.is_empty()) {
        let (name, value) = fields::name_and_value(pair);
        let value = value.and_then(fields::unquote).ok_or(MALFORMED)?;
        let known = match name.to_ascii_lowercase().as_slice() {
            b"for" => &mut node,
            b"proto" => &mut scheme,
            _ => continue,
        };
        // RFC 7239 section 4: "Each parameter MUST NOT occur more than once".
        if known.replace(value).is_some() {
            return Err("an entry has a parameter twice");
        }
    }
    // `unknown` and `_hidden` are valid, but no addresses (RFC 7239 section 6).
    let (address, port) = node
        .and_then(|node| node_address(&node))
        .ok_or("an entry has no IP address")?;
    let proto = scheme.and_then(|scheme| proto(&scheme));
    Ok(Hop { address, port, proto })
}

/// Returns the name of a protocol if it is a token. Every scheme is one (RFC 3986 section 3.1).
fn proto(name: &[u8]) -> Option<String> {
    fields::is_token(name).then(|| String::from_utf8_lossy(name).into_owned())
}

/// Parses `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:80`.
fn node_address(node: &[u8]) -> Option<(IpAddr, Option<u16>)> {
    let node = str::from_utf8(node).ok()?;
    if let Ok(address) = node.parse::<SocketAddr>() {
        return Some((address.ip().to_canonical(), Some(address.port())));
    }
    let bare = node
        .strip_prefix('[')
        .and_then(|node| node.strip_suffix(']'))
        .unwrap_or(node);
    bare.parse::<IpAddr>().ok().map(|ip| (ip.to_canonical(), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_an_address_with_or_without_a_port() {
        for (node, expected) in [
            (&b"192.0.2.1"[..], Some(("192.0.2.1", None))),
            (b"192.0.2.1:80", Some(("192.0.2.1", Some(80)))),
            (b"2001:db8::1", Some(("2001:db8::1", None))),
            (b"[2001:db8::1]", Some(("2001:db8::1", None))),
            (b"[2001:db8::1]:80", Some(("2001:db8::1", Some(80)))),
            (b"::ffff:192.0.2.1", Some(("192.0.2.1", None))),
            (b"", None),
            (b"unknown", None),
            (b"_hidden", None),
            (b"192.0.2.1:_port", None),
            (b"192.0.2", None),
            (b"example.org", None),
            (b"\xE9", None),
        ] {
            let expected = expected.map(|(ip, port)| (ip.parse().unwrap(), port));
            assert_eq!(node_address(node), expected, "{}", node.escape_ascii());
        }
    }

    #[test]
    fn an_element_without_an_address_has_a_reason() {
        for (element, reason) in [
            (&b"nonsense"[..], "an entry is not a list of name=value"),
            (b"for=\"192.0.2.1", "an entry is not a list of name=value"),
            (b"proto=https", "an entry has no IP address"),
            (b"for=unknown", "an entry has no IP address"),
            (b"for=192.0.2.1;For=192.0.2.2", "an entry has a parameter twice"),
        ] {
            assert_eq!(
                forwarded_element(element),
                Err(reason),
                "{}",
                element.escape_ascii()
            );
        }
    }
}
