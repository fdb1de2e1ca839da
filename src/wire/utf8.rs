//! UTF-8 checked as it comes, so that the first bad byte is known at once (RFC 6455 section 8.1).

use simdutf8::compat::from_utf8;

use super::frame::unmask_into;

/// Bytes looked at in one go: on the stack, and small enough to stay in the first-level cache.
const BLOCK: usize = 4096;

/// The state between two pieces of one text: the start of a character whose rest has not come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Utf8 {
    begun: [u8; 3],
    len: u8,
}

/// The text so far is not, and cannot become, UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotUtf8;

impl Utf8 {
    /// Takes the next piece of the text, still masked; `offset` is its place in the frame's payload.
    pub(super) fn push_masked(&mut self, piece: &[u8], mask: [u8; 4], offset: u64) -> Result<(), NotUtf8> {
        let mut offset = offset;
        for part in piece.chunks(BLOCK - self.begun.len()) {
            self.check(part.len(), |block| unmask_into(block, part, mask, offset))?;
            offset = offset.wrapping_add(part.len() as u64);
        }
        Ok(())
    }

    /// Takes the next piece of the text.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), NotUtf8> {
        for part in piece.chunks(BLOCK - self.begun.len()) {
            self.check(part.len(), |block| block.copy_from_slice(part))?;
        }
        Ok(())
    }

    /// The text has ended: no character may be left open.
    pub(super) fn finish(self) -> Result<(), NotUtf8> {
        if self.len == 0 { Ok(()) } else { Err(NotUtf8) }
    }

    fn check(&mut self, len: usize, fill: impl FnOnce(&mut [u8])) -> Result<(), NotUtf8> {
        let mut block = [0; BLOCK];
        let begun = usize::from(self.len);
        block[..begun].copy_from_slice(&self.begun[..begun]);
        fill(&mut block[begun..begun + len]);
        let block = &block[..begun + len];
        self.len = 0;
        let Err(error) = from_utf8(block) else {
            return Ok(());
        };
        if error.error_len().is_some() {
            return Err(NotUtf8);
        }
        // No error length means: good so far, and what follows is the start of a character, 3 bytes at most.
        for byte in &block[error.valid_up_to()..] {
            self.begun[usize::from(self.len)] = *byte;
            self.len += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bad_byte_is_seen_before_the_text_ends() {
        // The examples of the Autobahn suite, chapter 6.4: F4 90 can no longer become a character.
        let mut utf8 = Utf8::default();
        assert_eq!(utf8.push("κόσμε".as_bytes()), Ok(()));
        assert_eq!(utf8.push(&[0xF4]), Ok(()));
        assert_eq!(utf8.push(&[0x90]), Err(NotUtf8));
    }

    #[test]
    fn a_text_that_ends_inside_a_character_is_bad() {
        let mut utf8 = Utf8::default();
        assert_eq!(utf8.push(&"é".as_bytes()[..1]), Ok(()));
        assert_eq!(utf8.finish(), Err(NotUtf8));
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_standard_library_wherever_the_text_is_cut(
            bytes in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..40),
                "\\PC{0,20}".prop_map(String::into_bytes),
                "[é-🦀]{2000}".prop_map(String::into_bytes),
            ],
            cuts in proptest::collection::vec(0..8200usize, 0..6),
            mask: [u8; 4],
        ) {
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut masked = vec![0; bytes.len()];
            unmask_into(&mut masked, &bytes, mask, 0);
            let (mut plain, mut unmasking) = (Utf8::default(), Utf8::default());
            let mut verdicts = (Ok(()), Ok(()));
            for cut in cuts.windows(2) {
                verdicts.0 = verdicts.0.and_then(|()| plain.push(&bytes[cut[0]..cut[1]]));
                verdicts.1 = verdicts.1.and_then(|()| unmasking.push_masked(&masked[cut[0]..cut[1]], mask, cut[0] as u64));
            }
            let expected = std::str::from_utf8(&bytes).is_ok();
            prop_assert_eq!(verdicts.0.and_then(|()| plain.finish()).is_ok(), expected);
            prop_assert_eq!(verdicts.1.and_then(|()| unmasking.finish()).is_ok(), expected);
        }
    }
}
