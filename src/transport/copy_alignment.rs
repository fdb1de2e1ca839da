//! An optional optimisation: the alignment of large writes for AMD's Zen processors. Without this file and its two uses, these
//! writes are slower (docs/development.md has the figures).

/// Size of a memory page in bytes.
const PAGE: usize = 4096;

/// Maximum number of bytes that [`pad`] adds.
pub(super) const MAX_PADDING: usize = PAGE;

/// Pads the empty `buffer` to the middle of a memory page if a write of `len` bytes is large, and returns the padding.
///
/// The kernel copies written bytes to the start of its own pages with `rep movsb`. On AMD's Zen, this runs at a fourteenth of its
/// speed if the destination's offset in its page is up to 15 bytes after the source's. A frame at the start of a page has this
/// offset if the frame before it has left as many bytes there as a header has. A frame in the middle of a page never has it.
pub(super) fn pad(buffer: &mut Vec<u8>, len: usize) -> usize {
    if len < PAGE {
        return 0;
    }
    let padding = (PAGE / 2).wrapping_sub(buffer.as_ptr().addr()) % PAGE;
    buffer.resize(padding, 0);
    padding
}
