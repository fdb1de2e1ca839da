//! The secret in `?watch=` and `/watch/{key}`.

use std::fmt;

/// The key under which watchers see a connection's frames. It is a secret: a client that has it sees all of
/// them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WatchKey(String);

impl WatchKey {
    /// Returns the key if it is 16 to 64 letters, digits, `_` and `-`.
    pub fn new(key: &str) -> Option<Self> {
        let is_valid = (16..=64).contains(&key.len())
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        is_valid.then(|| Self(key.to_owned()))
    }
}

impl fmt::Debug for WatchKey {
    /// Writes the first four characters alone: a log has more readers than a connection has watchers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", &self.0[..4])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_key_has_16_to_64_letters_digits_underscores_and_hyphens() {
        for key in ["0123456789abcdef", "ABCDEFGHIJKLM_-z", &"k".repeat(64)] {
            assert!(WatchKey::new(key).is_some(), "{key}");
        }
        for key in [
            "",
            "0123456789abcde",
            "0123456789abcde.",
            "0123456789abcdé",
            &"k".repeat(65),
        ] {
            assert!(WatchKey::new(key).is_none(), "{key}");
        }
    }

    #[test]
    fn debug_output_has_only_the_first_four_characters() {
        assert_eq!(
            format!("{:?}", WatchKey::new("secret-secret-secret").unwrap()),
            "secr…"
        );
    }
}
