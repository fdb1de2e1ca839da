//! The negotiation of permessage-deflate in the opening handshake (RFC 7692 sections 5 and 7.1).

use std::fmt;

use thiserror::Error;

use super::{
    super::{fields, role::Role},
    context::{Deflater, Inflater},
};

/// The name of the extension.
const NAME: &[u8] = b"permessage-deflate";

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
    /// The offer of a client that leaves the choice of each parameter to the server. Browsers send the same.
    pub const OFFER: &str = "permessage-deflate; client_max_window_bits";

    /// Returns the parameters for the first acceptable offer in the lines of `Sec-WebSocket-Extensions`. The order of the offers
    /// is the client's preference (RFC 7692 section 5). Returns `None` if no offer is acceptable.
    pub fn negotiate<'h, L>(lines: impl IntoIterator<Item = &'h L>) -> Option<Self>
    where
        L: AsRef<[u8]> + ?Sized + 'h,
    {
        fields::elements(lines.into_iter().map(AsRef::as_ref)).find_map(Self::accept)
    }

    /// Returns the parameters that the lines of `Sec-WebSocket-Extensions` in the response accept. `offered` are the lines of the
    /// request. Returns `None` if the server declined.
    ///
    /// # Errors
    /// If the response accepts what was not offered, which fails the connection (RFC 6455 section 4.1, RFC 7692 section 7.1).
    pub fn accepted<'h, L>(
        offered: impl IntoIterator<Item = &'h L>,
        response: impl IntoIterator<Item = &'h L>,
    ) -> Result<Option<Self>, ExtensionError>
    where
        L: AsRef<[u8]> + ?Sized + 'h,
    {
        let offered: Vec<_> = fields::elements(offered.into_iter().map(AsRef::as_ref)).collect();
        let mut accepted = None;
        for element in fields::elements(response.into_iter().map(AsRef::as_ref)) {
            let name = fields::parameters(element).next().unwrap_or_default();
            let has_name = |offer: &&[u8]| {
                fields::parameters(offer)
                    .next()
                    .is_some_and(|offer| offer.eq_ignore_ascii_case(name))
            };
            if !offered.iter().any(has_name) {
                return Err(ExtensionError::NotOffered(text(name)));
            }
            if !name.eq_ignore_ascii_case(NAME) {
                return Err(ExtensionError::Unsupported(text(name)));
            }
            if accepted.is_some() {
                return Err(ExtensionError::Repeated);
            }
            let response = Parameters::parse(element).filter(Parameters::is_response);
            let response = response.ok_or_else(|| ExtensionError::Invalid(text(element)))?;
            // An offer that is not valid matches each response: the caller has chosen to send it.
            let matches =
                |offer: &[u8]| Parameters::parse(offer).is_none_or(|offer| response.accepts(&offer));
            if !offered
                .iter()
                .filter(|offer| has_name(offer))
                .any(|offer| matches(offer))
            {
                return Err(ExtensionError::Mismatch(text(element)));
            }
            accepted = Some(Self::new(&response));
        }
        Ok(accepted)
    }

    /// Accepts or declines one offer. An offer is declined if it is malformed, or if a parameter is unknown, repeated, or has an
    /// invalid value (RFC 7692 section 7.1).
    fn accept(offer: &[u8]) -> Option<Self> {
        let offer = Parameters::parse(offer)?;
        let supported = offer
            .server_max_window_bits
            .is_none_or(|bits| bits >= MIN_WINDOW_BITS);
        supported.then(|| Self::new(&offer))
    }

    fn new(parameters: &Parameters) -> Self {
        Self {
            server_no_context_takeover: parameters.server_no_context_takeover,
            client_no_context_takeover: parameters.client_no_context_takeover,
            // A window of 9 bits decompresses the output of one of 8 bits.
            server_max_window_bits: parameters
                .server_max_window_bits
                .map_or(MAX_WINDOW_BITS, |bits| bits.max(MIN_WINDOW_BITS)),
            // An 8 limits only the window of the client's compressor. A window of 15 decompresses its output (RFC 7692 section
            // 7.1.2.2).
            client_max_window_bits: parameters
                .client_max_window_bits
                .flatten()
                .filter(|bits| *bits >= MIN_WINDOW_BITS)
                .unwrap_or(MAX_WINDOW_BITS),
            server_window_in_response: parameters.server_max_window_bits.is_some(),
        }
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

/// The reason why a client fails the connection because of the extensions in the response.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExtensionError {
    /// RFC 6455 section 4.1: an extension "that was not present in the client's handshake".
    #[error("the server accepted the extension {0}, which was not offered")]
    NotOffered(String),
    /// The caller offered an extension other than permessage-deflate, and the server accepted it.
    #[error("the server accepted the extension {0}, which this client does not implement")]
    Unsupported(String),
    /// More than one element is permessage-deflate.
    #[error("the server accepted permessage-deflate more than once")]
    Repeated,
    /// RFC 7692 section 7.1: a parameter that is not defined for a response, is repeated or has an invalid value, or a window of 8
    /// bits for the client, which zlib does not support.
    #[error("the server accepted permessage-deflate with invalid parameters: {0}")]
    Invalid(String),
    /// The parameters accept none of the offers.
    #[error("the server accepted permessage-deflate with parameters that fit no offer: {0}")]
    Mismatch(String),
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The parameters of permessage-deflate in one element of `Sec-WebSocket-Extensions`.
#[derive(Debug, Default)]
struct Parameters {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// In an offer, the value is optional.
    client_max_window_bits: Option<Option<u8>>,
}

impl Parameters {
    /// Returns `None` if the element is another extension or is malformed, or if a parameter is unknown, repeated, or has an
    /// invalid value (RFC 7692 section 7.1).
    fn parse(element: &[u8]) -> Option<Self> {
        let mut parts = fields::parameters(element);
        if !parts.next()?.eq_ignore_ascii_case(NAME) {
            return None;
        }
        let mut parameters = Self::default();
        for part in parts {
            // RFC 6455 section 9.1 allows values with and without quotes. An empty parameter counts as unknown.
            let (name, value) = match fields::name_and_value(part) {
                (name, Some(value)) => (name, Some(fields::unquote(value)?)),
                (name, None) => (name, None),
            };
            let set = |flag: &mut bool| std::mem::replace(flag, true);
            let repeated = match (name, value.as_deref()) {
                (b"server_no_context_takeover", None) => set(&mut parameters.server_no_context_takeover),
                (b"client_no_context_takeover", None) => set(&mut parameters.client_no_context_takeover),
                (b"server_max_window_bits", Some(value)) => parameters
                    .server_max_window_bits
                    .replace(window_bits(value)?)
                    .is_some(),
                (b"client_max_window_bits", None) => {
                    parameters.client_max_window_bits.replace(None).is_some()
                }
                (b"client_max_window_bits", Some(value)) => parameters
                    .client_max_window_bits
                    .replace(Some(window_bits(value)?))
                    .is_some(),
                _ => return None,
            };
            if repeated {
                return None;
            }
        }
        Some(parameters)
    }

    /// Returns whether a client can use these parameters of a response. `client_max_window_bits` must have a value there.
    fn is_response(&self) -> bool {
        match self.client_max_window_bits {
            None => true,
            Some(bits) => bits.is_some_and(|bits| bits >= MIN_WINDOW_BITS),
        }
    }

    /// Returns whether a response with these parameters accepts `offer` (RFC 7692 sections 7.1.1 and 7.1.2).
    fn accepts(&self, offer: &Self) -> bool {
        let server_window = match (offer.server_max_window_bits, self.server_max_window_bits) {
            (Some(offered), Some(accepted)) => accepted <= offered,
            (Some(_), None) => false,
            (None, _) => true,
        };
        let client_window = match (
            offer.client_max_window_bits,
            self.client_max_window_bits.flatten(),
        ) {
            (None, Some(_)) => false,
            (Some(Some(offered)), Some(accepted)) => accepted <= offered,
            _ => true,
        };
        server_window
            && client_window
            && (self.server_no_context_takeover || !offer.server_no_context_takeover)
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

    fn accepted(offer: &str, response: &str) -> Result<Option<Deflate>, ExtensionError> {
        Deflate::accepted([offer], [response])
    }

    #[test]
    fn a_client_uses_the_parameters_of_the_response() {
        assert_eq!(accepted(Deflate::OFFER, ""), Ok(None));
        for (offer, response) in [
            (Deflate::OFFER, "permessage-deflate"),
            (Deflate::OFFER, "permessage-deflate; client_max_window_bits=9"),
            // A server may choose these three without being asked.
            (
                Deflate::OFFER,
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            ),
            (Deflate::OFFER, "permessage-deflate; server_max_window_bits=10"),
            (
                "permessage-deflate; server_max_window_bits=9, permessage-deflate; server_no_context_takeover",
                "permessage-deflate; server_no_context_takeover",
            ),
        ] {
            let deflate = accepted(offer, response).unwrap().unwrap();
            assert_eq!(deflate.to_string(), response, "{offer}");
        }
        // Each end has the same contexts, whichever end has negotiated.
        let own = Deflate::negotiate([Deflate::OFFER]).unwrap();
        assert_eq!(accepted(Deflate::OFFER, &own.to_string()), Ok(Some(own)));
    }

    #[test]
    fn a_client_rejects_a_response_that_fits_no_offer() {
        use ExtensionError::{Invalid, Mismatch, NotOffered, Repeated, Unsupported};
        for (offer, response, expected) in [
            (
                "",
                "permessage-deflate",
                NotOffered("permessage-deflate".to_owned()),
            ),
            (Deflate::OFFER, "x-a; b", NotOffered("x-a".to_owned())),
            ("x-a", "x-a", Unsupported("x-a".to_owned())),
            (Deflate::OFFER, "permessage-deflate, permessage-deflate", Repeated),
        ] {
            assert_eq!(accepted(offer, response), Err(expected), "{response}");
        }
        for response in [
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=8",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; unknown=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        ] {
            assert_eq!(
                accepted(Deflate::OFFER, response),
                Err(Invalid(response.to_owned()))
            );
        }
        for (offer, response) in [
            (
                "permessage-deflate",
                "permessage-deflate; client_max_window_bits=10",
            ),
            (
                "permessage-deflate; client_max_window_bits=10",
                "permessage-deflate; client_max_window_bits=11",
            ),
            (
                "permessage-deflate; server_max_window_bits=10",
                "permessage-deflate",
            ),
            (
                "permessage-deflate; server_max_window_bits=10",
                "permessage-deflate; server_max_window_bits=11",
            ),
            (
                "permessage-deflate; server_no_context_takeover",
                "permessage-deflate",
            ),
        ] {
            assert_eq!(
                accepted(offer, response),
                Err(Mismatch(response.to_owned())),
                "{offer}"
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
            let offer = [b"permessage-deflate;", offer.as_slice()].concat();
            let _ = Deflate::accept(&offer);
            let _ = Deflate::accepted([b"permessage-deflate".as_slice()], [&offer[..]]);
        }
    }
}
