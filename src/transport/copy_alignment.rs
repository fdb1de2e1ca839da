//! A measured workaround for one family of processors. Nothing depends on it: remove this file and its two uses, and only large
//! writes on AMD's Zen become slower (BENCHMARKS.md has the figures).

/// Bytes of a page of memory.
const PAGE: usize = 4096;

/// The most bytes that [`pad`] adds.
pub(super) const MAX_PADDING: usize = PAGE;

/// Pads the empty `buffer` to the middle of a memory page if a write of `len` bytes is large, and returns the padding.
///
/// The kernel copies what is written to pages of its own, from their start. If the destination's offset in its page is up to
/// 15 bytes after the source's, `rep movsb` runs at a fourteenth of its speed on AMD's Zen. A frame at the start of a page
/// meets that whenever the frame before it has left its header's length there. The middle of a page never does.
pub(super) fn pad(buffer: &mut Vec<u8>, len: usize) -> usize {
    if len < PAGE {
        return 0;
    }
    let padding = (PAGE / 2).wrapping_sub(buffer.as_ptr().addr()) % PAGE;
    buffer.resize(padding, 0);
    padding
}
