//! Incremental validation of UTF-8: an invalid byte is detected before the text is complete (RFC 6455 section 8.1).

use simdutf8::compat::from_utf8;

/// The validated part of a text that is still arriving.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Utf8 {
    /// Number of bytes at the start of the text that are complete, valid characters.
    valid: usize,
}

/// The error for bytes that no further bytes can make UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotUtf8;

impl Utf8 {
    /// Validates the new bytes of a text. `text` is all of it that has arrived.
    pub(super) fn check(&mut self, text: &[u8]) -> Result<(), NotUtf8> {
        match from_utf8(&text[self.valid..]) {
            Ok(_) => self.valid = text.len(),
            // No error length: the text ends with an incomplete character of at most 3 bytes.
            Err(error) if error.error_len().is_none() => self.valid += error.valid_up_to(),
            Err(_) => return Err(NotUtf8),
        }
        Ok(())
    }

    /// Checks that the complete text does not end within a character.
    pub(super) fn finish(self, text: &[u8]) -> Result<(), NotUtf8> {
        if self.valid == text.len() {
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
    fn an_invalid_byte_is_detected_before_the_text_ends() {
        // An example of the Autobahn suite, chapter 6.4: no character starts with F4 90.
        let mut utf8 = Utf8::default();
        let text = [b"\xCE\xBA".as_slice(), b"\xF4\x90"].concat();
        assert_eq!(utf8.check(&text[..2]), Ok(()));
        assert_eq!(utf8.check(&text[..3]), Ok(()));
        assert_eq!(utf8.check(&text), Err(NotUtf8));
    }

    #[test]
    fn a_text_that_ends_within_a_character_is_invalid() {
        let mut utf8 = Utf8::default();
        let text = &"é".as_bytes()[..1];
        assert_eq!(utf8.check(text), Ok(()));
        assert_eq!(utf8.finish(text), Err(NotUtf8));
    }

    proptest! {
        #[test]
        fn the_result_equals_that_of_the_standard_library_wherever_the_text_is_cut(
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
            let checked = cuts.into_iter().try_for_each(|cut| utf8.check(&bytes[..cut]));
            let valid = checked.and_then(|()| utf8.finish(&bytes)).is_ok();
            prop_assert_eq!(valid, std::str::from_utf8(&bytes).is_ok());
        }
    }
}
