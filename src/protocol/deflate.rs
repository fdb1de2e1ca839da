//! permessage-deflate (RFC 7692): what was agreed in the handshake, and the two contexts.
//!
//! A context is made when the first compressed message needs it: a connection that negotiates compression and never
//! uses it costs nothing.

use std::fmt;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{fields, role::Role};

/// What a sender takes off the end of each message and a receiver puts back (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// The largest window, and the one that counts where none was agreed (RFC 7692 section 7.1.2).
const MAX_WINDOW_BITS: u8 = 15;

/// The smallest window that zlib makes as raw deflate; an offer that insists on 8 is declined.
const MIN_WINDOW_BITS: u8 = 9;

/// Payloads shorter than this are sent as they are: deflate makes them longer, or saves less than it costs.
pub const MIN_COMPRESSED: usize = 16;

/// The parameters of permessage-deflate that both ends agreed on (RFC 7692 section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deflate {
    /// The server starts each message with an empty window.
    pub server_no_context_takeover: bool,
    /// The client starts each message with an empty window.
    pub client_no_context_takeover: bool,
    /// Base-2 logarithm of the window that the server compresses with, 9 to 15.
    pub server_max_window_bits: u8,
    /// Base-2 logarithm of the window that the client compresses with, 9 to 15.
    pub client_max_window_bits: u8,
    /// Whether the answer names the server's window: only where the offer did.
    name_server_window: bool,
}

impl Deflate {
    /// Chooses the first offer in the `Sec-WebSocket-Extensions` lines that can be kept, in the client's order of
    /// preference (RFC 7692 section 5); none is an answer too.
    pub fn negotiate<'h, L>(lines: impl IntoIterator<Item = &'h L>) -> Option<Self>
    where
        L: AsRef<[u8]> + ?Sized + 'h,
    {
        fields::elements(lines.into_iter().map(AsRef::as_ref)).find_map(Self::accept)
    }

    /// An offer that is malformed, has an unknown parameter, one twice, or one with a value that must not be, is
    /// declined (RFC 7692 section 7.1).
    fn accept(offer: &[u8]) -> Option<Self> {
        let mut parts = fields::parameters(offer);
        if !parts.next()?.eq_ignore_ascii_case(b"permessage-deflate") {
            return None;
        }
        let (mut server_takeover, mut client_takeover) = (None, None);
        let (mut server_window, mut client_window) = (None, None);
        for part in parts {
            // RFC 6455 section 9.1 allows a value with quotes and one without. An empty parameter has no name that is known.
            let (name, value) = match fields::name_and_value(part) {
                (name, Some(value)) => (name, Some(fields::unquote(value)?)),
                (name, None) => (name, None),
            };
            let twice = match (name, value.as_deref()) {
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
            if twice {
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
            // A client that says 8 is taken at 15, which reads whatever it sends: its 8 is a hint, no demand.
            client_max_window_bits: client_window
                .filter(|bits| *bits >= MIN_WINDOW_BITS)
                .unwrap_or(MAX_WINDOW_BITS),
            name_server_window: server_window.is_some(),
        })
    }

    /// Returns what decompresses the messages that the end `R` receives.
    pub fn inflater<R: Role>(&self) -> Inflater {
        let (window_bits, takeover) = self.context_of(!R::SENDS_MASKED);
        Inflater {
            context: None,
            window_bits,
            takeover,
        }
    }

    /// Returns what compresses the messages that the end `R` sends.
    pub fn deflater<R: Role>(&self) -> Deflater {
        let (window_bits, takeover) = self.context_of(R::SENDS_MASKED);
        Deflater {
            context: None,
            window_bits,
            takeover,
        }
    }

    /// The window and the takeover of the context that the client, or else the server, compresses with.
    fn context_of(&self, client: bool) -> (u8, bool) {
        if client {
            (self.client_max_window_bits, !self.client_no_context_takeover)
        } else {
            (self.server_max_window_bits, !self.server_no_context_takeover)
        }
    }
}

impl fmt::Display for Deflate {
    /// The answer's `Sec-WebSocket-Extensions` (RFC 7692 section 7.1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("permessage-deflate")?;
        if self.server_no_context_takeover {
            f.write_str("; server_no_context_takeover")?;
        }
        if self.client_no_context_takeover {
            f.write_str("; client_no_context_takeover")?;
        }
        if self.name_server_window {
            write!(f, "; server_max_window_bits={}", self.server_max_window_bits)?;
        }
        // Below 15 only where the client said so, and then it understands the answer (section 7.1.2.2).
        if self.client_max_window_bits < MAX_WINDOW_BITS {
            write!(f, "; client_max_window_bits={}", self.client_max_window_bits)?;
        }
        Ok(())
    }
}

/// 8 to 15, "a decimal integer without leading zeroes" (RFC 7692 section 7.1.2).
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

/// Why a message could not be inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InflateError {
    /// It grows past what is allowed.
    TooBig,
    /// It is no deflate stream.
    Corrupt,
}

/// Reads compressed messages.
pub struct Inflater {
    context: Option<Decompress>,
    window_bits: u8,
    takeover: bool,
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater")
            .field("window_bits", &self.window_bits)
            .finish_non_exhaustive()
    }
}

impl Inflater {
    /// Inflates a piece of a message to the end of `out`, which never grows past `most` bytes.
    ///
    /// # Errors
    /// When there is more than that, or when it is no deflate stream.
    pub fn decompress(
        &mut self,
        mut input: &[u8],
        out: &mut Vec<u8>,
        most: usize,
    ) -> Result<(), InflateError> {
        let context = self
            .context
            .get_or_insert_with(|| Decompress::new_with_window_bits(false, self.window_bits));
        let mut block = [0; 4096];
        loop {
            // One byte more than is allowed tells that there is more.
            let room = most.saturating_sub(out.len()).saturating_add(1).min(block.len());
            let (before_in, before_out) = (context.total_in(), context.total_out());
            let status = context
                .decompress(input, &mut block[..room], FlushDecompress::None)
                .map_err(|_| InflateError::Corrupt)?;
            input = advance(input, context.total_in() - before_in);
            let written = usize::try_from(context.total_out() - before_out).unwrap_or(room);
            if written > most.saturating_sub(out.len()) {
                return Err(InflateError::TooBig);
            }
            if out.capacity() - out.len() < written {
                // In steps of four, never past what may be needed: while it moves, a message is there twice, and what it
                // left behind is not given back at once. Memory that is not yet written costs nothing.
                let (more, left) = (out.len().saturating_mul(3).max(block.len()), most - out.len());
                out.reserve_exact(if more < left / 2 { more } else { left });
            }
            out.extend_from_slice(&block[..written]);
            match status {
                // A block with BFINAL ends the stream, not the message (RFC 7692 section 7.2.3.4). Its window ends with it,
                // as it does at the sender: zlib cannot go on otherwise.
                Status::StreamEnd => context.reset(false),
                // Room is left, so nothing of the input is.
                _ if written < room => return Ok(()),
                _ => {}
            }
        }
    }

    /// Ends the message: what the sender took off is put back (RFC 7692 section 7.2.2).
    ///
    /// # Errors
    /// As [`Inflater::decompress`].
    pub fn finish(&mut self, out: &mut Vec<u8>, most: usize) -> Result<(), InflateError> {
        self.decompress(&TAIL, out, most)?;
        if !self.takeover {
            self.context = None;
        }
        Ok(())
    }
}

/// Compresses messages.
pub struct Deflater {
    context: Option<Compress>,
    window_bits: u8,
    takeover: bool,
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater")
            .field("window_bits", &self.window_bits)
            .finish_non_exhaustive()
    }
}

impl Deflater {
    /// Gives back the context's memory. A sender may always begin anew: the peer's window is then of no more use to it.
    pub fn release_context(&mut self) {
        self.context = None;
    }

    /// Compresses a whole message to the end of `out`, and says whether it did: where the message is shorter as it is,
    /// `out` is left alone.
    pub fn compress(&mut self, message: &[u8], out: &mut Vec<u8>) -> bool {
        if message.len() < MIN_COMPRESSED {
            return false;
        }
        let context = self.context.get_or_insert_with(|| {
            Compress::new_with_window_bits(Compression::new(LEVEL), false, self.window_bits)
        });
        let start = out.len();
        out.reserve(message.len() / 2 + 64);
        let mut input = message;
        let compressed = loop {
            if out.len() == out.capacity() {
                out.reserve(out.len() - start);
            }
            let before = context.total_in();
            // The only error is a stream used after its end, and no stream is ended here.
            if context.compress_vec(input, out, FlushCompress::Sync).is_err() {
                break false;
            }
            input = advance(input, context.total_in() - before);
            // A flush is complete when it leaves room in its output.
            if input.is_empty() && out.len() < out.capacity() {
                break out.ends_with(&TAIL) && out.len() - start - TAIL.len() < message.len();
            }
        };
        if compressed {
            out.truncate(out.len() - TAIL.len());
        } else {
            out.truncate(start);
        }
        if !self.takeover {
            self.context = None;
        } else if !compressed {
            // The peer never sees what was just compressed: nothing later may refer to it.
            context.reset();
        }
        compressed
    }
}

/// Compression level: measured on JSON-like text, 6 takes three times as long as 1 and saves a tenth.
const LEVEL: u32 = 1;

/// `input` without its first `taken` bytes, which never are more than it has.
fn advance(input: &[u8], taken: u64) -> &[u8] {
    usize::try_from(taken)
        .ok()
        .and_then(|taken| input.get(taken..))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::role::{Client, Server},
        *,
    };

    fn answer(offer: &str) -> Option<String> {
        Deflate::negotiate([offer]).map(|deflate| deflate.to_string())
    }

    #[test]
    fn an_offer_is_answered_with_what_it_asked_for() {
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
            assert_eq!(answer(offer).as_deref(), Some(expected), "{offer}");
        }
    }

    #[test]
    fn a_malformed_or_unknown_parameter_declines_its_offer_and_the_next_one_counts() {
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
            assert_eq!(answer(offer), None, "{offer}");
            let two = format!("{offer}, permessage-deflate; server_max_window_bits=12");
            assert_eq!(
                answer(&two).as_deref(),
                Some("permessage-deflate; server_max_window_bits=12"),
                "{two}"
            );
        }
    }

    #[test]
    fn the_examples_of_rfc_7692_section_7_2_3_inflate_to_hello() {
        for compressed in [
            &[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00][..],
            // Without compression, with BFINAL, and in two blocks.
            &[0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00],
            &[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00],
            &[
                0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00,
            ],
        ] {
            let mut inflater = Deflate::accept(b"permessage-deflate")
                .unwrap()
                .inflater::<Server>();
            let mut out = Vec::new();
            inflater.decompress(compressed, &mut out, 1000).unwrap();
            inflater.finish(&mut out, 1000).unwrap();
            assert_eq!(out, b"Hello", "{compressed:x?}");
        }
    }

    #[test]
    fn a_message_at_the_limit_passes_and_one_byte_more_does_not() {
        for len in [1, 1023, 1024, 1025, 100_000] {
            let deflate = Deflate::accept(b"permessage-deflate").unwrap();
            let mut compressed = Vec::new();
            let message = vec![b'a'; len.max(20)];
            assert!(deflate.deflater::<Server>().compress(&message, &mut compressed));
            for (limit, expected) in [
                (message.len(), Ok(())),
                (message.len() - 1, Err(InflateError::TooBig)),
            ] {
                let mut inflater = deflate.inflater::<Server>();
                let mut out = Vec::new();
                let result = inflater
                    .decompress(&compressed, &mut out, limit)
                    .and_then(|()| inflater.finish(&mut out, limit));
                assert_eq!(result, expected, "{len} bytes, limit {limit}");
                assert!(out.len() <= limit);
            }
        }
    }

    #[test]
    fn what_is_no_deflate_stream_is_refused() {
        let mut inflater = Deflate::accept(b"permessage-deflate")
            .unwrap()
            .inflater::<Server>();
        let mut out = Vec::new();
        // A block of the reserved type 3.
        assert_eq!(
            inflater.decompress(&[0x07, 0xFF, 0xFF], &mut out, 1000),
            Err(InflateError::Corrupt)
        );
    }

    proptest! {
        #[test]
        fn inflating_what_was_compressed_gives_it_back(
            messages in proptest::collection::vec(prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..3000),
                "[a-f]{0,5000}".prop_map(String::into_bytes),
            ], 1..6),
            server_no_context_takeover: bool,
            client_no_context_takeover: bool,
            bits in 9..=15u8,
            piece in 1..500usize,
        ) {
            let deflate = Deflate {
                server_no_context_takeover, client_no_context_takeover,
                server_max_window_bits: bits, client_max_window_bits: bits, name_server_window: true,
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
                for piece in compressed.chunks(piece) {
                    inflater.decompress(piece, &mut out, message.len()).unwrap();
                }
                inflater.finish(&mut out, message.len()).unwrap();
                prop_assert_eq!(out, message);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic_and_never_pass_the_limit(
            input in proptest::collection::vec(any::<u8>(), 0..2000), limit in 0..5000usize,
        ) {
            let mut inflater = Deflate::accept(b"permessage-deflate").unwrap().inflater::<Server>();
            let mut out = Vec::new();
            let _ = inflater.decompress(&input, &mut out, limit).and_then(|()| inflater.finish(&mut out, limit));
            prop_assert!(out.len() <= limit);
        }

        #[test]
        fn arbitrary_offers_never_panic(offer in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Deflate::negotiate([offer.as_slice()]);
            let _ = Deflate::accept(&[b"permessage-deflate;", offer.as_slice()].concat());
        }
    }
}
