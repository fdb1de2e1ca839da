//! The client's address behind trusted proxies, from `Forwarded` (RFC 7239), or `X-Forwarded-For` and
//! `X-Forwarded-Proto`.
//!
//! Each proxy appends the address of its own client. The list is therefore read from its end, while trusted
//! proxies wrote the entries. The first address that is not a trusted proxy's is the client's. The client may
//! have forged the entries before it.
//!
//! An invalid entry is never skipped, because the entry before it may be forged. The client is then the proxy
//! that wrote the invalid entry. So no client can choose the address that it is counted for.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::HeaderMap;
use serde::Serialize;

use super::forwarded::{Entry, FORWARDED, Hop, X_FORWARDED_FOR, forwarded, x_forwarded, x_forwarded_proto};
use crate::config::Network;

/// The address that a connection is counted for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ClientAddr {
    /// An IPv4-mapped IPv6 address is stored as IPv4.
    pub(crate) address: IpAddr,
    /// None if the proxy did not send it.
    port: Option<u16>,
    /// The protocol between client and proxy, as the proxy wrote it: `https`, `http`, `wss`, `ws`. None if no
    /// trusted proxy sent it.
    proto: Option<String>,
}

/// The client's address, and the header of a trusted proxy that was ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// The client for limits, log and `reply=json`.
    pub(crate) client: ClientAddr,
    /// Logged as a warning: the proxy is misconfigured, or the client forges addresses.
    pub(crate) ignored: Option<IgnoredHeader>,
}

/// A forwarding header that was ignored, at least from one of its entries on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IgnoredHeader {
    /// The name of the header in lower case.
    pub(crate) header: &'static str,
    /// A fixed phrase for the log.
    pub(crate) reason: &'static str,
}

impl ClientAddr {
    /// Returns the client behind `peer`. It is the peer itself unless the peer is a `trusted` proxy that
    /// sends another address.
    ///
    /// The peer is also the client in two more cases:
    ///
    /// - The last entry of either header has no address, whatever the other header has.
    /// - The two headers have different addresses.
    ///
    /// A proxy may write one of the headers and forward the client's own value of the other. Without these
    /// rules the client could then choose its address.
    pub(crate) fn resolve(peer: SocketAddr, headers: &HeaderMap, trusted: &[Network]) -> Resolved {
        let direct = Self::direct(peer);
        let trusts = |ip: IpAddr| trusted.iter().any(|network| network.contains(ip));
        if !trusts(direct.address) {
            return Resolved {
                client: direct,
                ignored: None,
            };
        }
        let by_forwarded = last_untrusted_hop(forwarded(headers), trusts);
        let by_x_forwarded = last_untrusted_hop(x_forwarded(headers), trusts);
        let ignored = |header, reason| Some(IgnoredHeader { header, reason });
        let (hop, ignored) = match (by_forwarded, by_x_forwarded) {
            (Chain::Unreadable(reason), _) => (None, ignored(FORWARDED, reason)),
            (_, Chain::Unreadable(reason)) => (None, ignored(X_FORWARDED_FOR, reason)),
            (Chain::Absent, Chain::Absent) => (None, None),
            (Chain::Hop(one, _), Chain::Hop(other, _)) if one.address != other.address => {
                (None, ignored(FORWARDED, "contradicts x-forwarded-for"))
            }
            (Chain::Hop(one, one_cut), Chain::Hop(other, other_cut)) => {
                let hop = Hop {
                    port: one.port.or(other.port),
                    proto: one.proto.or_else(|| x_forwarded_proto(headers)),
                    ..one
                };
                let cut = one_cut.map(|reason| (FORWARDED, reason));
                let cut = cut.or(other_cut.map(|reason| (X_FORWARDED_FOR, reason)));
                (
                    Some(hop),
                    cut.and_then(|(header, reason)| ignored(header, reason)),
                )
            }
            (Chain::Hop(hop, cut), Chain::Absent) => {
                (Some(hop), cut.and_then(|reason| ignored(FORWARDED, reason)))
            }
            (Chain::Absent, Chain::Hop(hop, cut)) => {
                let proto = x_forwarded_proto(headers);
                let hop = Hop { proto, ..hop };
                (Some(hop), cut.and_then(|reason| ignored(X_FORWARDED_FOR, reason)))
            }
        };
        let client = hop.map_or(direct, |hop| Self {
            address: hop.address,
            port: hop.port,
            proto: hop.proto,
        });
        Resolved { client, ignored }
    }

    /// Returns the client that is `peer` itself.
    fn direct(peer: SocketAddr) -> Self {
        Self {
            address: peer.ip().to_canonical(),
            port: Some(peer.port()),
            proto: None,
        }
    }

    /// Returns whether a trusted proxy reported that the client uses TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.proto.as_deref().is_some_and(|proto| {
            ["https", "wss"]
                .iter()
                .any(|secure| proto.eq_ignore_ascii_case(secure))
        })
    }

    /// Returns the address for the log. None if it is the peer's, which the log has in another field.
    pub(crate) fn client_for_log(&self, peer: SocketAddr) -> Option<String> {
        (self.address != peer.ip().to_canonical()).then(|| self.address.to_string())
    }
}

/// The result of one header. The texts are reasons why an entry has no address.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Chain {
    /// The request has no such header.
    Absent,
    /// Its last entry, which the peer wrote, has no address.
    Unreadable(&'static str),
    /// A hop. If it is a trusted proxy, the reason why the entry before it was ignored.
    Hop(Hop, Option<&'static str>),
}

/// Returns the last hop that is not a trusted proxy. If the entry before a trusted proxy has no address or
/// does not exist, it returns that proxy.
fn last_untrusted_hop(entries: Vec<Entry>, trusts: impl Fn(IpAddr) -> bool) -> Chain {
    let mut chain = Chain::Absent;
    for entry in entries.into_iter().rev() {
        match (entry, chain) {
            (Ok(hop), _) if trusts(hop.address) => chain = Chain::Hop(hop, None),
            (Ok(hop), _) => return Chain::Hop(hop, None),
            (Err(reason), Chain::Hop(hop, _)) => return Chain::Hop(hop, Some(reason)),
            (Err(reason), _) => return Chain::Unreadable(reason),
        }
    }
    chain
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn resolve_of(peer: &str, headers: &[(&'static str, &[u8])]) -> Resolved {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(value).unwrap();
            map.append(HeaderName::from_static(name), value);
        }
        ClientAddr::resolve(peer.parse().unwrap(), &map, &trusted)
    }

    fn text(client: &ClientAddr) -> String {
        let port = client.port.map_or("-".into(), |port| port.to_string());
        let proto = client.proto.as_deref().unwrap_or("-");
        format!("{} {port} {proto}", client.address)
    }

    /// Returns address, port and protocol of the client behind 10.0.0.1, with 10.0.0.0/8 and fd00::/8
    /// trusted. No header is ignored.
    fn client(headers: &[(&'static str, &[u8])]) -> String {
        let Resolved { client, ignored } = resolve_of("10.0.0.1:4711", headers);
        assert_eq!(ignored, None, "{headers:?}");
        text(&client)
    }

    const PEER: &str = "10.0.0.1 4711 -";
    const XFF: &str = X_FORWARDED_FOR;
    const PROTO: &str = "x-forwarded-proto";
    const FWD: &str = FORWARDED;

    #[test]
    fn either_header_of_a_trusted_peer_sets_the_client() {
        assert_eq!(client(&[]), PEER);
        for (headers, expected) in [
            (&[(XFF, &b"192.0.2.1"[..])][..], "192.0.2.1 - -"),
            (&[(XFF, b"192.0.2.1:80"), (PROTO, b"https")], "192.0.2.1 80 https"),
            (&[(XFF, b"192.0.2.1"), (PROTO, b"http, wss")], "192.0.2.1 - wss"),
            (&[(XFF, b"192.0.2.1"), (PROTO, b"a b")], "192.0.2.1 - -"),
            (&[(XFF, b"2001:db8::1")], "2001:db8::1 - -"),
            (&[(XFF, b"[2001:db8::1]:80")], "2001:db8::1 80 -"),
            (&[(XFF, b"::ffff:192.0.2.1")], "192.0.2.1 - -"),
            (
                &[(FWD, b"for=192.0.2.1;proto=https;by=10.0.0.1")],
                "192.0.2.1 - https",
            ),
            (
                &[(FWD, b"For=\"[2001:db8::1]:80\" ; Proto=wss;")],
                "2001:db8::1 80 wss",
            ),
            (&[(FWD, b"for=\"192.0.2.1\\:80\"")], "192.0.2.1 80 -"),
            (
                &[(FWD, b"host=\"a,for=8.8.8.8;\\\"\";for=192.0.2.1,")],
                "192.0.2.1 - -",
            ),
            (
                &[(FWD, b"for=192.0.2.1"), (XFF, b"192.0.2.1:80"), (PROTO, b"ws")],
                "192.0.2.1 80 ws",
            ),
        ] {
            assert_eq!(client(headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn entries_before_the_last_untrusted_one_are_ignored() {
        for (headers, expected) in [
            (&[(XFF, &b"8.8.8.8, 192.0.2.1"[..])][..], "192.0.2.1 - -"),
            (&[(XFF, b"8.8.8.8"), (XFF, b"192.0.2.1")], "192.0.2.1 - -"),
            (
                &[(XFF, b"8.8.8.8, 192.0.2.1, 10.9.9.9, fd00::2")],
                "192.0.2.1 - -",
            ),
            (
                &[(
                    FWD,
                    b"for=8.8.8.8, for=192.0.2.1;proto=http, for=10.2.2.2;proto=https",
                )],
                "192.0.2.1 - http",
            ),
            // A forged entry cannot hide the entry that the proxy appended.
            (&[(XFF, b"\xE9, 203.0.113.9")], "203.0.113.9 - -"),
            (&[(XFF, b"\"8.8.8.8, 203.0.113.9")], "203.0.113.9 - -"),
            (&[(XFF, b"\xE9"), (XFF, b"203.0.113.9")], "203.0.113.9 - -"),
            (
                &[(FWD, b"for=\xE9;x=\"\xFF\", for=203.0.113.9")],
                "203.0.113.9 - -",
            ),
            (
                &[(FWD, b"for=\"8.8.8.8"), (FWD, b"for=203.0.113.9")],
                "203.0.113.9 - -",
            ),
        ] {
            assert_eq!(client(headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn after_a_last_entry_without_an_address_the_proxy_is_the_client_whatever_the_other_header_has() {
        for (name, value) in [
            (XFF, &b"8.8.8.8, what?"[..]),
            (XFF, b"8.8.8.8, \xE9"),
            (XFF, b"8.8.8.8,"),
            (XFF, b""),
            (XFF, b"8.8.8.8, unknown"),
            (XFF, b"8.8.8.8, \"192.0.2.1\""),
            (FWD, b"for=8.8.8.8, for=unknown"),
            (FWD, b"for=8.8.8.8, for=_hidden"),
            (FWD, b"for=8.8.8.8, proto=https"),
            (FWD, b"for=8.8.8.8, nonsense"),
            (FWD, b"for=8.8.8.8, for=\xE9"),
            (FWD, b"for=8.8.8.8, for=192.0.2.1;\xE9"),
            (FWD, b"for=\"8.8.8.8, for=192.0.2.1"),
            (FWD, b"for=192.0.2.1;for=8.8.8.8"),
            (FWD, b""),
            (FWD, b" , "),
        ] {
            let other = match name {
                XFF => (FWD, &b"for=8.8.8.8"[..]),
                _ => (XFF, &b"8.8.8.8"[..]),
            };
            for headers in [&[(name, value)][..], &[(name, value), other]] {
                let Resolved { client, ignored } = resolve_of("10.0.0.1:4711", headers);
                assert_eq!(text(&client), PEER, "{headers:?}");
                assert_eq!(ignored.map(|ignored| ignored.header), Some(name), "{headers:?}");
            }
        }
    }

    #[test]
    fn headers_that_contradict_each_other_make_the_proxy_the_client() {
        for value in [&b"192.0.2.1"[..], b"\xE9, 203.0.113.9"] {
            let headers = [(FWD, &b"for=8.8.8.8"[..]), (XFF, value)];
            let Resolved { client, ignored } = resolve_of("10.0.0.1:4711", &headers);
            assert_eq!(text(&client), PEER);
            let expected = IgnoredHeader {
                header: FWD,
                reason: "contradicts x-forwarded-for",
            };
            assert_eq!(ignored, Some(expected));
        }
    }

    #[test]
    fn an_unreadable_entry_of_a_second_proxy_makes_that_proxy_the_client() {
        for (name, value) in [
            (XFF, &b"8.8.8.8, what?, 10.2.2.2"[..]),
            (FWD, b"for=8.8.8.8, for=unknown, for=10.2.2.2"),
        ] {
            let Resolved { client, ignored } = resolve_of("10.0.0.1:4711", &[(name, value)]);
            assert_eq!(text(&client), "10.2.2.2 - -");
            assert_eq!(ignored.map(|ignored| ignored.header), Some(name));
        }
    }

    #[test]
    fn if_every_hop_is_trusted_the_first_is_the_client() {
        assert_eq!(client(&[(XFF, b"10.3.3.3, 10.2.2.2")]), "10.3.3.3 - -");
    }

    #[test]
    fn headers_of_an_untrusted_peer_are_ignored_without_a_warning() {
        let headers = [
            (XFF, &b"192.0.2.1"[..]),
            (FWD, b"for=192.0.2.1"),
            (PROTO, b"https"),
        ];
        let Resolved { client, ignored } = resolve_of("192.0.2.99:1", &headers);
        assert_eq!((text(&client).as_str(), ignored), ("192.0.2.99 1 -", None));
        let unreadable = [(XFF, &b"\xE9"[..])];
        assert_eq!(resolve_of("192.0.2.99:1", &unreadable).ignored, None);
        let mapped = resolve_of("[::ffff:10.0.0.1]:1", &headers).client;
        assert_eq!(text(&mapped), "192.0.2.1 - https");
    }

    #[test]
    fn the_protocol_of_a_trusted_proxy_decides_whether_the_client_uses_tls() {
        for (proto, expected) in [("https", true), ("WSS", true), ("http", false), ("ws", false)] {
            let headers = [(XFF, &b"192.0.2.1"[..]), (PROTO, proto.as_bytes())];
            let client = resolve_of("10.0.0.1:1", &headers).client;
            assert_eq!(client.is_secure(), expected, "{proto}");
        }
        assert!(!ClientAddr::direct("10.0.0.1:1".parse().unwrap()).is_secure());
    }

    proptest! {
        #[test]
        fn bytes_before_the_proxys_own_entry_have_no_effect(
            before in vec(prop_oneof![0x20..=0x7E_u8, 0x80..=0xFF_u8, prop::sample::select(&b",\"\\;= "[..])], 0..40),
        ) {
            let line = [&before[..], b", 203.0.113.9"].concat();
            prop_assert_eq!(client(&[(XFF, &line)]), "203.0.113.9 - -");
            let both = [(FWD, &before[..]), (FWD, b"for=203.0.113.9")];
            prop_assert_eq!(client(&both), "203.0.113.9 - -");
        }
    }
}
