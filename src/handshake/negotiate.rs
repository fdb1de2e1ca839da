//! The second step of a handshake: the server's choices from the client's offers.

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
};

use super::validate::ValidRequest;
use crate::{
    protocol::{deflate::Deflate, handshake_key::accept_key},
    session::behaviour::{Behaviour, Subprotocol},
};

/// The subprotocol that the server prefers.
const PREFERRED_SUBPROTOCOL: &str = "com.kaazing.echo";

/// The field with the connection's number. The log and `reply=json` have the same number, so a client can
/// report it to the operator.
pub(super) const X_CONNECTION_ID: &str = "x-connection-id";

/// The values of the 101.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Negotiated {
    /// The value of `Sec-WebSocket-Accept`.
    pub(crate) accept_key: String,
    /// The value of `Sec-WebSocket-Protocol`, if there is one.
    pub(crate) subprotocol: Option<String>,
    /// The parameters of permessage-deflate, if it was accepted.
    pub(crate) deflate: Option<Deflate>,
}

/// Chooses a subprotocol and the parameters of permessage-deflate. `compress` is the operator's switch.
pub(crate) fn negotiate(request: &ValidRequest<'_>, behaviour: &Behaviour, compress: bool) -> Negotiated {
    let deflate = (compress && behaviour.compress)
        .then(|| Deflate::negotiate(request.offered_extensions.iter().copied()))
        .flatten();
    let subprotocol = match &behaviour.subprotocol {
        Some(Subprotocol::None) => None,
        Some(Subprotocol::Named(name)) => Some(name.clone()),
        None => choose_subprotocol(&request.offered_subprotocols),
    };
    Negotiated {
        accept_key: accept_key(request.key),
        subprotocol,
        deflate,
    }
}

impl Negotiated {
    /// Returns the `101 Switching Protocols` (RFC 6455 section 4.2.2) of the connection with this number.
    pub(crate) fn response(&self, connection_id: u64) -> HttpResponseBuilder {
        let mut response = HttpResponse::build(StatusCode::SWITCHING_PROTOCOLS);
        response
            .upgrade("websocket")
            .insert_header((header::SEC_WEBSOCKET_ACCEPT, self.accept_key.as_str()))
            .insert_header((X_CONNECTION_ID, connection_id));
        if let Some(subprotocol) = &self.subprotocol {
            response.insert_header((header::SEC_WEBSOCKET_PROTOCOL, subprotocol.as_str()));
        }
        if let Some(deflate) = &self.deflate {
            response.insert_header((header::SEC_WEBSOCKET_EXTENSIONS, deflate.to_string()));
        }
        response
    }
}

/// Returns the preferred subprotocol if it is offered, or else the first. A browser fails the connection if
/// the server selects none of its offers.
fn choose_subprotocol(offered: &[&str]) -> Option<String> {
    let chosen = offered
        .iter()
        .find(|name| **name == PREFERRED_SUBPROTOCOL)
        .or(offered.first());
    chosen.map(|name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::{
        super::validate::tests::{headers, valid},
        *,
    };

    fn negotiated(lines: &[(&'static str, &[u8])], query: &str, compress: bool) -> Negotiated {
        let behaviour = Behaviour::from_query(query, 1024, |_| {}).unwrap();
        negotiate(&valid(&headers(lines)).unwrap(), &behaviour, compress)
    }

    #[test]
    fn the_preferred_subprotocol_wins_then_the_first_and_the_url_wins_over_both() {
        for (offer, query, expected) in [
            (&b"chat, com.kaazing.echo"[..], "", Some("com.kaazing.echo")),
            (b"chat, superchat", "", Some("chat")),
            (b"x, COM.KAAZING.ECHO", "", Some("x")),
            (b"chat", "subprotocol=none", None),
            (b"chat", "subprotocol=other", Some("other")),
        ] {
            let negotiated = negotiated(&[("sec-websocket-protocol", offer)], query, true);
            assert_eq!(negotiated.subprotocol.as_deref(), expected);
        }
        assert_eq!(negotiated(&[], "", true).subprotocol, None);
    }

    #[test]
    fn compression_is_negotiated_unless_the_operator_or_the_url_disables_it() {
        let offer: (&str, &[u8]) = ("sec-websocket-extensions", b"x-\xE9, permessage-deflate");
        assert!(negotiated(&[offer], "", true).deflate.is_some());
        assert!(negotiated(&[offer], "", false).deflate.is_none());
        assert!(negotiated(&[offer], "compress=off", true).deflate.is_none());
        assert!(negotiated(&[], "", true).deflate.is_none());
    }

    #[test]
    fn the_101_has_the_negotiated_fields_and_no_others() {
        let fields = |negotiated: &Negotiated| {
            let response = negotiated.response(7).finish();
            assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
            let mut fields: Vec<_> = response
                .headers()
                .iter()
                .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
                .collect();
            fields.sort();
            fields
        };
        let accept = "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        assert_eq!(
            fields(&negotiated(&[], "", true)),
            [accept, "upgrade: websocket", "x-connection-id: 7"]
        );
        let offers: [(&str, &[u8]); 2] = [
            ("sec-websocket-protocol", b"chat"),
            ("sec-websocket-extensions", b"permessage-deflate"),
        ];
        assert_eq!(
            fields(&negotiated(&offers, "", true)),
            [
                accept,
                "sec-websocket-extensions: permessage-deflate",
                "sec-websocket-protocol: chat",
                "upgrade: websocket",
                "x-connection-id: 7",
            ]
        );
    }
}
