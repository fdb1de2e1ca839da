//! The compression contexts of permessage-deflate (RFC 7692 sections 6 and 7.2).
//!
//! The first compressed message allocates a context. A connection that negotiates compression and never uses it has none.

use std::fmt;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// The bytes that a sender removes from the end of each message and a receiver appends (RFC 7692 sections 7.2.1 and 7.2.2).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// Shortest payload that is compressed. Deflate makes shorter ones longer, or saves less than it costs.
pub const MIN_COMPRESSED: usize = 16;

/// Compression level. On JSON-like text, level 6 takes three times as long as level 1 and saves a tenth (measured).
const LEVEL: u32 = 1;

/// The reason why a message cannot be decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InflateError {
    /// It is larger than the limit.
    TooBig,
    /// It is not a deflate stream.
    Corrupt,
}

/// Decompresses messages.
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
    pub(super) fn new(window_bits: u8, takeover: bool) -> Self {
        Self {
            context: None,
            window_bits,
            takeover,
        }
    }

    /// Decompresses a piece of a message to the end of `out`, which never grows past `most` bytes.
    ///
    /// # Errors
    /// If the message is longer than `most`, or is not a deflate stream.
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
            // Room for one byte more than the limit, to detect a message that is too long.
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
                // The capacity grows by a factor of four, up to the limit: while `out` moves, the message is in memory twice, and the
                // allocator does not return the old memory at once. Capacity that is not written to costs no memory.
                let (more, left) = (out.len().saturating_mul(3).max(block.len()), most - out.len());
                out.reserve_exact(if more < left / 2 { more } else { left });
            }
            out.extend_from_slice(&block[..written]);
            match status {
                // A block with BFINAL ends the stream, not the message (RFC 7692 section 7.2.3.4). The window ends with the stream, as it
                // does at the sender: zlib needs a reset to continue.
                Status::StreamEnd => context.reset(false),
                // The output has room left, so all input was used.
                _ if written < room => return Ok(()),
                _ => {}
            }
        }
    }

    /// Ends the message: decompresses the bytes that the sender removed (RFC 7692 section 7.2.2).
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
    pub(super) fn new(window_bits: u8, takeover: bool) -> Self {
        Self {
            context: None,
            window_bits,
            takeover,
        }
    }

    /// Frees the context. A sender may start any message with an empty window, because it need not refer to the peer's.
    pub fn release_context(&mut self) {
        self.context = None;
    }

    /// Compresses a message to the end of `out`. Returns false, and leaves `out` unchanged, if the message is not shorter
    /// compressed.
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
            // The only error is the use of a stream after its end, and nothing here ends a stream.
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
            // The peer does not receive this message compressed, so no later message may refer to it.
            context.reset();
        }
        compressed
    }
}

/// Returns `input` without its first `taken` bytes, of which there are never too many.
fn advance(input: &[u8], taken: u64) -> &[u8] {
    usize::try_from(taken)
        .ok()
        .and_then(|taken| input.get(taken..))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            let mut inflater = Inflater::new(15, true);
            let mut out = Vec::new();
            inflater.decompress(compressed, &mut out, 1000).unwrap();
            inflater.finish(&mut out, 1000).unwrap();
            assert_eq!(out, b"Hello", "{compressed:x?}");
        }
    }

    #[test]
    fn a_message_at_the_limit_passes_and_one_byte_more_does_not() {
        for len in [1, 1023, 1024, 1025, 100_000] {
            let mut compressed = Vec::new();
            let message = vec![b'a'; len.max(20)];
            assert!(Deflater::new(15, true).compress(&message, &mut compressed));
            for (limit, expected) in [
                (message.len(), Ok(())),
                (message.len() - 1, Err(InflateError::TooBig)),
            ] {
                let mut inflater = Inflater::new(15, true);
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
        let mut inflater = Inflater::new(15, true);
        let mut out = Vec::new();
        // A block of the reserved type 3.
        assert_eq!(
            inflater.decompress(&[0x07, 0xFF, 0xFF], &mut out, 1000),
            Err(InflateError::Corrupt)
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic_and_never_pass_the_limit(
            input in proptest::collection::vec(any::<u8>(), 0..2000), limit in 0..5000usize,
        ) {
            let mut inflater = Inflater::new(15, true);
            let mut out = Vec::new();
            let _ = inflater.decompress(&input, &mut out, limit).and_then(|()| inflater.finish(&mut out, limit));
            prop_assert!(out.len() <= limit);
        }
    }
}
