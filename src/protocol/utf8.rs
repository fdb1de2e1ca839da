//! The check of a text as UTF-8 while it arrives, so that an invalid byte fails at once (RFC 6455 section 8.1).

use simdutf8::compat::from_utf8;

/// The progress of the check of a growing text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Utf8 {
    /// Number of bytes at its start that are complete, valid characters.
    good: usize,
}

/// The error for a text that is not UTF-8, whatever follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotUtf8;

impl Utf8 {
    /// Checks the new bytes of a text. `text` is the complete text so far.
    pub(super) fn check(&mut self, text: &[u8]) -> Result<(), NotUtf8> {
        match from_utf8(&text[self.good..]) {
            Ok(_) => self.good = text.len(),
            // No error length: the text ends with an incomplete character of at most 3 bytes.
            Err(error) if error.error_len().is_none() => self.good += error.valid_up_to(),
            Err(_) => return Err(NotUtf8),
        }
        Ok(())
    }

    /// Checks that a text does not end within a character.
    pub(super) fn finish(self, text: &[u8]) -> Result<(), NotUtf8> {
        if self.good == text.len() {
            Ok(())
        } else {
            Err(NotUtf8)
        }
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
        let text = [b"\xCE\xBA".as_slice(), b"\xF4\x90"].concat();
        assert_eq!(utf8.check(&text[..2]), Ok(()));
        assert_eq!(utf8.check(&text[..3]), Ok(()));
        assert_eq!(utf8.check(&text), Err(NotUtf8));
    }

    #[test]
    fn a_text_that_ends_inside_a_character_is_bad() {
        let mut utf8 = Utf8::default();
        let text = &"é".as_bytes()[..1];
        assert_eq!(utf8.check(text), Ok(()));
        assert_eq!(utf8.finish(text), Err(NotUtf8));
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
        ) {
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.push(bytes.len());
            cuts.sort_unstable();
            let mut utf8 = Utf8::default();
            let verdict = cuts.into_iter().try_for_each(|cut| utf8.check(&bytes[..cut]));
            let good = verdict.and_then(|()| utf8.finish(&bytes)).is_ok();
            prop_assert_eq!(good, std::str::from_utf8(&bytes).is_ok());
        }
    }
}
