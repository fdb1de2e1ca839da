//! A measured workaround for one family of processors. It is optional: without this file and its two uses, large writes on AMD's Zen
//! are slower (BENCHMARKS.md has the figures).

/// Size of a memory page in bytes.
const PAGE: usize = 4096;

/// Maximum number of bytes that [`pad`] adds.
pub(super) const MAX_PADDING: usize = PAGE;

/// Pads the empty `buffer` to the middle of a memory page if a write of `len` bytes is large, and returns the padding.
///
/// The kernel copies written bytes to its own pages, from their start. If the destination's offset in its page is up to 15 bytes
/// after the source's, `rep movsb` runs at a fourteenth of its speed on AMD's Zen. This happens to a frame at the start of a page
/// if the frame before it has left as many bytes there as a header has. It never happens to a frame in the middle of a page.
pub(super) fn pad(buffer: &mut Vec<u8>, len: usize) -> usize {
    if len < PAGE {
        return 0;
    }
    let padding = (PAGE / 2).wrapping_sub(buffer.as_ptr().addr()) % PAGE;
    buffer.resize(padding, 0);
    padding
}
