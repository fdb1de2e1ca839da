//! The compression contexts of permessage-deflate (RFC 7692 sections 6 and 7.2).
//!
//! The first compressed message allocates a context. A connection that negotiates compression and never uses it has none.

use std::fmt;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// The bytes that a sender removes from the end of each message and a receiver appends (RFC 7692 sections 7.2.1 and 7.2.2).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// Shortest payload in bytes that is compressed. Deflate makes shorter ones longer, or saves less than it costs.
pub const MIN_COMPRESSED: usize = 16;

/// Compression level. On JSON-like text, level 6 takes three times as long as level 1 and saves a tenth (measured).
const LEVEL: u32 = 1;

/// The reason why a message cannot be decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InflateError {
    /// The message is larger than the limit.
    TooBig,
    /// The message is not a deflate stream.
    Corrupt,
}

/// The decompressor of one direction.
pub struct Inflater {
    /// `None` until the first compressed message, and between messages without context takeover.
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

    /// Decompresses a part of a message and appends it to `out`, up to `limit` bytes in all.
    ///
    /// # Errors
    /// If the message is longer than `limit` bytes, or is not a deflate stream.
    pub fn decompress(
        &mut self,
        mut input: &[u8],
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), InflateError> {
        let context = self
            .context
            .get_or_insert_with(|| Decompress::new_with_window_bits(false, self.window_bits));
        let mut block = [0; 4096];
        loop {
            // One byte more than the limit leaves, to detect a message that is too long.
            let room = limit.saturating_sub(out.len()).saturating_add(1).min(block.len());
            let (before_in, before_out) = (context.total_in(), context.total_out());
            let status = context
                .decompress(input, &mut block[..room], FlushDecompress::None)
                .map_err(|_| InflateError::Corrupt)?;
            input = advance(input, context.total_in() - before_in);
            let written = usize::try_from(context.total_out() - before_out).unwrap_or(room);
            if written > limit.saturating_sub(out.len()) {
                return Err(InflateError::TooBig);
            }
            if out.capacity() - out.len() < written {
                // The capacity grows by a factor of four, up to the limit. A growth copies `out`, so that the message is in memory
                // twice, and the allocator does not return the old memory at once. Unused capacity costs no memory, because the
                // kernel allocates a page at its first write.
                let (more, left) = (out.len().saturating_mul(3).max(block.len()), limit - out.len());
                out.reserve_exact(if more < left / 2 { more } else { left });
            }
            out.extend_from_slice(&block[..written]);
            match status {
                // A block with BFINAL ends the deflate stream, but not the message (RFC 7692 section 7.2.3.4). The sender starts
                // its next block with an empty window, and zlib continues only after a reset.
                Status::StreamEnd => context.reset(false),
                // The output block has room left, so zlib has consumed all input.
                _ if written < room => return Ok(()),
                _ => {}
            }
        }
    }

    /// Ends the message. Decompresses the four bytes that the sender has removed (RFC 7692 section 7.2.2).
    ///
    /// # Errors
    /// As [`Inflater::decompress`].
    pub fn finish(&mut self, out: &mut Vec<u8>, limit: usize) -> Result<(), InflateError> {
        self.decompress(&TAIL, out, limit)?;
        if !self.takeover {
            self.context = None;
        }
        Ok(())
    }
}

/// The compressor of one direction.
pub struct Deflater {
    /// `None` until the first compressed message, after a release, and between messages without context takeover.
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

    /// Frees the context. The next message starts with an empty window. A sender may do so at any message, because no message
    /// has to refer to the receiver's window.
    pub fn release_context(&mut self) {
        self.context = None;
    }

    /// Compresses a message and appends it to `out`. Returns false, and leaves `out` unchanged, if compression does not make the
    /// message shorter.
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
            // zlib fails only if a stream is used after its end. This code never ends a stream.
            if context.compress_vec(input, out, FlushCompress::Sync).is_err() {
                break false;
            }
            input = advance(input, context.total_in() - before);
            // zlib has completed the flush if the output has room left.
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
            // The message is sent uncompressed, so the peer's window does not contain it: later messages must not refer to it.
            context.reset();
        }
        compressed
    }
}

/// Returns `input` without its first `consumed` bytes. zlib never consumes more than the input.
fn advance(input: &[u8], consumed: u64) -> &[u8] {
    usize::try_from(consumed)
        .ok()
        .and_then(|consumed| input.get(consumed..))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_rfc_7692_section_7_2_3_decompress_to_hello() {
        for compressed in [
            &[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00][..],
            // A stored block, a block with BFINAL, and two blocks.
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
    fn a_message_at_the_limit_decompresses_and_one_byte_more_is_too_big() {
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
    fn bytes_that_are_not_a_deflate_stream_are_corrupt() {
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
        fn arbitrary_bytes_never_panic_and_never_exceed_the_limit(
            input in proptest::collection::vec(any::<u8>(), 0..2000), limit in 0..5000usize,
        ) {
            let mut inflater = Inflater::new(15, true);
            let mut out = Vec::new();
            let _ = inflater.decompress(&input, &mut out, limit).and_then(|()| inflater.finish(&mut out, limit));
            prop_assert!(out.len() <= limit);
        }
    }
}
