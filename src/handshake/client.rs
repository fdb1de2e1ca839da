//! Who the client is where a proxy stands before the server: what `Forwarded` (RFC 7239) or `X-Forwarded-For` and
//! `X-Forwarded-Proto` say, as far as they can be believed.
//!
//! Each proxy adds the address that it was called from at the end. So the list is read from its end, for as long as it
//! was written by somebody who is trusted: the first address that is no trusted proxy's is the client's, and what stands
//! before it is what the client chose to say.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{self, HeaderMap, HeaderName};
use serde::Serialize;

use super::checks::lines;
use crate::config::Network;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Whom a connection is counted for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Client {
    /// Where it calls from.
    pub(super) address: IpAddr,
    /// None where the proxy did not say.
    port: Option<u16>,
    /// What it spoke to the proxy, as the proxy put it: `https`, `http`, `wss`, `ws`. None where nobody said.
    proto: Option<String>,
}

impl Client {
    /// The client behind `peer`: the peer itself, unless it is a `trusted` proxy that names another one.
    pub(super) fn behind(peer: SocketAddr, headers: &HeaderMap, trusted: &[Network]) -> Self {
        let itself = Self {
            address: peer.ip().to_canonical(),
            port: Some(peer.port()),
            proto: None,
        };
        let trusts = |ip: IpAddr| trusted.iter().any(|network| network.contains(ip));
        if !trusts(itself.address) {
            return itself;
        }
        let standard = walk(forwarded(headers), trusts);
        let customary = walk(x_forwarded(headers), trusts).map(|hop| Hop {
            proto: lines(headers, &FORWARDED_PROTO)
                .flat_map(|line| line.split(','))
                .last()
                .map(|proto| proto.trim().to_owned())
                .filter(|proto| !proto.is_empty()),
            ..hop
        });
        let hop = match (standard, customary) {
            // A proxy that writes one of them and lets the client's own other one pass would let anybody be anybody.
            (Some(one), Some(other)) if one.address != other.address => return itself,
            (Some(one), Some(other)) => Hop {
                port: one.port.or(other.port),
                proto: one.proto.or(other.proto),
                ..one
            },
            (Some(hop), None) | (None, Some(hop)) => hop,
            (None, None) => return itself,
        };
        Self {
            address: hop.address,
            port: hop.port,
            proto: hop.proto,
        }
    }

    /// Its address for the log, where it is not the peer's.
    pub(super) fn other_than(&self, peer: SocketAddr) -> Option<String> {
        (self.address != peer.ip().to_canonical()).then(|| self.address.to_string())
    }
}

/// What one proxy said of who called it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hop {
    address: IpAddr,
    port: Option<u16>,
    proto: Option<String>,
}

/// The last hop that is no trusted proxy; the first one of all where every one is. None where nothing is known: also
/// where the last entry cannot be read or hides the address on purpose (RFC 7239 section 6.3).
fn walk(hops: Vec<Option<Hop>>, trusts: impl Fn(IpAddr) -> bool) -> Option<Hop> {
    let mut client = None;
    for hop in hops.into_iter().rev() {
        let Some(hop) = hop else { break };
        let trusted = trusts(hop.address);
        client = Some(hop);
        if !trusted {
            break;
        }
    }
    client
}

fn x_forwarded(headers: &HeaderMap) -> Vec<Option<Hop>> {
    lines(headers, &FORWARDED_FOR)
        .flat_map(|line| line.split(','))
        .map(|node| {
            let (address, port) = node_of(node.trim())?;
            Some(Hop {
                address,
                port,
                proto: None,
            })
        })
        .collect()
}

fn forwarded(headers: &HeaderMap) -> Vec<Option<Hop>> {
    lines(headers, &header::FORWARDED)
        .flat_map(|line| split(line, ','))
        .map(|element| {
            let mut node = None;
            let mut proto = None;
            for pair in split(element, ';') {
                let (name, value) = pair.split_once('=')?;
                let value = unquoted(value.trim());
                match name.trim().to_ascii_lowercase().as_str() {
                    "for" => node = node_of(&value),
                    "proto" => proto = Some(value),
                    _ => {}
                }
            }
            let (address, port) = node?;
            Some(Hop { address, port, proto })
        })
        .collect()
}

/// `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80`, and, without brackets, `2001:db8::1`.
fn node_of(node: &str) -> Option<(IpAddr, Option<u16>)> {
    if let Ok(address) = node.parse::<SocketAddr>() {
        return Some((address.ip().to_canonical(), Some(address.port())));
    }
    let bare = node
        .strip_prefix('[')
        .and_then(|node| node.strip_suffix(']'))
        .unwrap_or(node);
    bare.parse::<IpAddr>().ok().map(|ip| (ip.to_canonical(), None))
}

/// The parts between `at`, but for one that stands in quotes.
fn split(text: &str, at: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |char: char| {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => return !quoted && char == at,
        }
        false
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}

/// A token as it is, a quoted string (RFC 9110 section 5.6.4) without its quotes and escapes.
fn unquoted(value: &str) -> String {
    let Some(inside) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut text = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(char) = chars.next() {
        text.extend(if char == '\\' { chars.next() } else { Some(char) });
    }
    text
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    /// Behind a peer of 10.0.0.1, with 10.0.0.0/8 and fd00::/8 trusted: address, port and protocol.
    fn client(headers: &[(&'static str, &str)]) -> String {
        client_of("10.0.0.1:4711", headers)
    }

    fn client_of(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let client = Client::behind(peer.parse().unwrap(), &map, &trusted);
        format!(
            "{} {} {}",
            client.address,
            client.port.map_or("-".into(), |port| port.to_string()),
            client.proto.unwrap_or("-".into())
        )
    }

    #[test]
    fn a_trusted_peer_names_the_client_in_either_way() {
        assert_eq!(client(&[]), "10.0.0.1 4711 -");
        for (headers, expected) in [
            (&[("x-forwarded-for", "192.0.2.1")][..], "192.0.2.1 - -"),
            (
                &[
                    ("x-forwarded-for", "192.0.2.1:80"),
                    ("x-forwarded-proto", "https"),
                ],
                "192.0.2.1 80 https",
            ),
            (&[("x-forwarded-for", "2001:db8::1")], "2001:db8::1 - -"),
            (&[("x-forwarded-for", "[2001:db8::1]:80")], "2001:db8::1 80 -"),
            (&[("x-forwarded-for", "::ffff:192.0.2.1")], "192.0.2.1 - -"),
            (
                &[("forwarded", "for=192.0.2.1;proto=https;by=10.0.0.1")],
                "192.0.2.1 - https",
            ),
            (
                &[("forwarded", "For=\"[2001:db8::1]:80\" ; Proto=wss")],
                "2001:db8::1 80 wss",
            ),
            (&[("forwarded", "for=\"192.0.2.1\\:80\"")], "192.0.2.1 80 -"),
            (
                &[("forwarded", "host=\"a,for=8.8.8.8;\\\"\";for=192.0.2.1")],
                "192.0.2.1 - -",
            ),
        ] {
            assert_eq!(client(headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn what_the_client_said_itself_is_not_believed() {
        for (headers, expected) in [
            (&[("x-forwarded-for", "8.8.8.8, 192.0.2.1")][..], "192.0.2.1 - -"),
            (
                &[("x-forwarded-for", "8.8.8.8"), ("x-forwarded-for", "192.0.2.1")],
                "192.0.2.1 - -",
            ),
            (
                &[("x-forwarded-for", "8.8.8.8, 192.0.2.1, 10.9.9.9, fd00::2")],
                "192.0.2.1 - -",
            ),
            (
                &[(
                    "forwarded",
                    "for=8.8.8.8, for=192.0.2.1;proto=http, for=10.2.2.2;proto=https",
                )],
                "192.0.2.1 - http",
            ),
            // The two contradict each other: one of them is the client's own.
            (
                &[("forwarded", "for=8.8.8.8"), ("x-forwarded-for", "192.0.2.1")],
                "10.0.0.1 4711 -",
            ),
            // A list that cannot be read at its end, or that hides who it was.
            (&[("x-forwarded-for", "8.8.8.8, what?")], "10.0.0.1 4711 -"),
            (&[("forwarded", "for=8.8.8.8, for=unknown")], "10.0.0.1 4711 -"),
            (&[("forwarded", "for=8.8.8.8, for=_hidden")], "10.0.0.1 4711 -"),
            (&[("forwarded", "for=8.8.8.8, nonsense")], "10.0.0.1 4711 -"),
            (&[("forwarded", "for=\"8.8.8.8")], "10.0.0.1 4711 -"),
        ] {
            assert_eq!(client(headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn where_every_hop_is_trusted_the_first_is_the_client() {
        assert_eq!(
            client(&[("x-forwarded-for", "10.3.3.3, 10.2.2.2")]),
            "10.3.3.3 - -"
        );
    }

    #[test]
    fn nobody_else_names_anybody() {
        let headers = [
            ("x-forwarded-for", "192.0.2.1"),
            ("forwarded", "for=192.0.2.1"),
            ("x-forwarded-proto", "https"),
        ];
        assert_eq!(client_of("192.0.2.99:1", &headers), "192.0.2.99 1 -");
        assert_eq!(client_of("[::ffff:10.0.0.1]:1", &headers), "192.0.2.1 - https");
    }
}
