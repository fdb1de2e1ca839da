//! The negotiation of permessage-deflate in the opening handshake (RFC 7692 sections 5 and 7.1).

use std::fmt;

use super::{
    super::{fields, role::Role},
    context::{Deflater, Inflater},
};

/// The largest window, and the default (RFC 7692 section 7.1.2).
const MAX_WINDOW_BITS: u8 = 15;

/// The smallest window that zlib supports for raw deflate. The server declines an offer that requires 8 bits of it.
const MIN_WINDOW_BITS: u8 = 9;

/// The negotiated parameters of permessage-deflate (RFC 7692 section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deflate {
    /// The server starts each message with an empty window.
    pub server_no_context_takeover: bool,
    /// The client starts each message with an empty window.
    pub client_no_context_takeover: bool,
    /// Base-2 logarithm of the size of the server's compression window, 9 to 15.
    pub server_max_window_bits: u8,
    /// Base-2 logarithm of the size of the client's compression window, 9 to 15.
    pub client_max_window_bits: u8,
    /// Whether the response contains `server_max_window_bits`. It does if the offer does.
    server_window_in_response: bool,
}

impl Deflate {
    /// Returns the parameters for the first acceptable offer in the lines of `Sec-WebSocket-Extensions`. The order of the offers
    /// is the client's preference (RFC 7692 section 5). Returns `None` if no offer is acceptable.
    pub fn negotiate<'h, L>(lines: impl IntoIterator<Item = &'h L>) -> Option<Self>
    where
        L: AsRef<[u8]> + ?Sized + 'h,
    {
        fields::elements(lines.into_iter().map(AsRef::as_ref)).find_map(Self::accept)
    }

    /// Accepts or declines one offer. An offer is declined if it is malformed, or if a parameter is unknown, repeated, or has an
    /// invalid value (RFC 7692 section 7.1).
    fn accept(offer: &[u8]) -> Option<Self> {
        let mut parts = fields::parameters(offer);
        if !parts.next()?.eq_ignore_ascii_case(b"permessage-deflate") {
            return None;
        }
        let (mut server_takeover, mut client_takeover) = (None, None);
        let (mut server_window, mut client_window) = (None, None);
        for part in parts {
            // RFC 6455 section 9.1 allows values with and without quotes. An empty parameter counts as unknown.
            let (name, value) = match fields::name_and_value(part) {
                (name, Some(value)) => (name, Some(fields::unquote(value)?)),
                (name, None) => (name, None),
            };
            let repeated = match (name, value.as_deref()) {
                (b"server_no_context_takeover", None) => server_takeover.replace(()).is_some(),
                (b"client_no_context_takeover", None) => client_takeover.replace(()).is_some(),
                (b"server_max_window_bits", Some(value)) => {
                    server_window.replace(window_bits(value)?).is_some()
                }
                (b"client_max_window_bits", None) => client_window.replace(MAX_WINDOW_BITS).is_some(),
                (b"client_max_window_bits", Some(value)) => {
                    client_window.replace(window_bits(value)?).is_some()
                }
                _ => return None,
            };
            if repeated {
                return None;
            }
        }
        if server_window.is_some_and(|bits| bits < MIN_WINDOW_BITS) {
            return None;
        }
        Some(Self {
            server_no_context_takeover: server_takeover.is_some(),
            client_no_context_takeover: client_takeover.is_some(),
            server_max_window_bits: server_window.unwrap_or(MAX_WINDOW_BITS),
            // An 8 limits only the window of the client's compressor. A window of 15 decompresses its output (RFC 7692 section
            // 7.1.2.2).
            client_max_window_bits: client_window
                .filter(|bits| *bits >= MIN_WINDOW_BITS)
                .unwrap_or(MAX_WINDOW_BITS),
            server_window_in_response: server_window.is_some(),
        })
    }

    /// Returns the decompressor for the messages that the end `R` receives.
    pub fn inflater<R: Role>(&self) -> Inflater {
        let (window_bits, takeover) = self.context_of(!R::SENDS_MASKED);
        Inflater::new(window_bits, takeover)
    }

    /// Returns the compressor for the messages that the end `R` sends.
    pub fn deflater<R: Role>(&self) -> Deflater {
        let (window_bits, takeover) = self.context_of(R::SENDS_MASKED);
        Deflater::new(window_bits, takeover)
    }

    /// Returns the window bits and the context takeover of the client's compression if `client`, else of the server's.
    fn context_of(&self, client: bool) -> (u8, bool) {
        if client {
            (self.client_max_window_bits, !self.client_no_context_takeover)
        } else {
            (self.server_max_window_bits, !self.server_no_context_takeover)
        }
    }
}

impl fmt::Display for Deflate {
    /// Writes the value of `Sec-WebSocket-Extensions` in the response (RFC 7692 section 7.1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("permessage-deflate")?;
        if self.server_no_context_takeover {
            f.write_str("; server_no_context_takeover")?;
        }
        if self.client_no_context_takeover {
            f.write_str("; client_no_context_takeover")?;
        }
        if self.server_window_in_response {
            write!(f, "; server_max_window_bits={}", self.server_max_window_bits)?;
        }
        // The value is below 15 only if the client offered the parameter, which RFC 7692 section 7.1.2.2 requires.
        if self.client_max_window_bits < MAX_WINDOW_BITS {
            write!(f, "; client_max_window_bits={}", self.client_max_window_bits)?;
        }
        Ok(())
    }
}

/// Parses 8 to 15, "a decimal integer without leading zeroes" (RFC 7692 section 7.1.2).
fn window_bits(value: &[u8]) -> Option<u8> {
    if value.starts_with(b"0") || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(value)
        .ok()?
        .parse()
        .ok()
        .filter(|bits| (8..=MAX_WINDOW_BITS).contains(bits))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::{Client, Server};

    fn response(offer: &str) -> Option<String> {
        Deflate::negotiate([offer]).map(|deflate| deflate.to_string())
    }

    #[test]
    fn the_response_contains_the_parameters_of_the_offer() {
        for (offer, expected) in [
            ("permessage-deflate", "permessage-deflate"),
            ("permessage-deflate; client_max_window_bits", "permessage-deflate"),
            (
                "permessage-deflate; client_max_window_bits=10",
                "permessage-deflate; client_max_window_bits=10",
            ),
            (
                "permessage-deflate; server_max_window_bits=\"9\"",
                "permessage-deflate; server_max_window_bits=9",
            ),
            (
                "permessage-deflate;server_no_context_takeover;client_no_context_takeover",
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            ),
            ("x-webkit-deflate-frame, permessage-deflate", "permessage-deflate"),
            ("x-é; a=\"ü,\", permessage-deflate", "permessage-deflate"),
            (
                "permessage-deflate; client_max_window_bits=8",
                "permessage-deflate",
            ),
        ] {
            assert_eq!(response(offer).as_deref(), Some(expected), "{offer}");
        }
    }

    #[test]
    fn an_offer_with_a_malformed_or_unknown_parameter_is_declined_and_the_next_one_is_accepted() {
        for offer in [
            "permessage-deflate; unknown",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=09",
            "permessage-deflate; server_max_window_bits=\"1x\"",
            "permessage-deflate; client_max_window_bits=+9",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate;",
            "permessage-bzip2",
            "",
        ] {
            assert_eq!(response(offer), None, "{offer}");
            let two = format!("{offer}, permessage-deflate; server_max_window_bits=12");
            assert_eq!(
                response(&two).as_deref(),
                Some("permessage-deflate; server_max_window_bits=12"),
                "{two}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_compressed_message_decompresses_to_itself(
            messages in proptest::collection::vec(prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..3000),
                "[a-f]{0,5000}".prop_map(String::into_bytes),
            ], 1..6),
            server_no_context_takeover: bool,
            client_no_context_takeover: bool,
            bits in 9..=15u8,
            part in 1..500usize,
        ) {
            let deflate = Deflate {
                server_no_context_takeover, client_no_context_takeover,
                server_max_window_bits: bits, client_max_window_bits: bits, server_window_in_response: true,
            };
            let mut deflater = deflate.deflater::<Server>();
            let mut inflater = deflate.inflater::<Client>();
            for message in messages {
                let mut compressed = Vec::new();
                if !deflater.compress(&message, &mut compressed) {
                    prop_assert!(compressed.is_empty());
                    continue;
                }
                prop_assert!(compressed.len() < message.len());
                let mut out = Vec::new();
                for part in compressed.chunks(part) {
                    inflater.decompress(part, &mut out, message.len()).unwrap();
                }
                inflater.finish(&mut out, message.len()).unwrap();
                prop_assert_eq!(out, message);
            }
        }

        #[test]
        fn arbitrary_offers_never_panic(offer in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Deflate::negotiate([offer.as_slice()]);
            let _ = Deflate::accept(&[b"permessage-deflate;", offer.as_slice()].concat());
        }
    }
}
