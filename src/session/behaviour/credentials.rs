//! The value of `?auth=`: the credentials that the handshake must have.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The user and the password that a client must send by the Basic scheme (RFC 7617).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(String);

impl Credentials {
    /// Maximum length of the user and of the password, in bytes.
    const MAX: usize = 64;

    /// Returns the credentials if the text is `user:password` in printable ASCII, each of at most 64 bytes,
    /// and the user not empty.
    pub fn new(text: &str) -> Option<Self> {
        let (user, password) = text.split_once(':')?;
        let is_valid = (1..=Self::MAX).contains(&user.len())
            && password.len() <= Self::MAX
            && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        is_valid.then(|| Self(text.to_owned()))
    }

    /// Returns whether a value of `Authorization` has these credentials. The name of the scheme has no case (RFC
    /// 9110 section 11.1).
    pub fn are_in(&self, authorization: &[u8]) -> bool {
        let Some((scheme, encoded)) = authorization.split_at_checked(b"Basic ".len()) else {
            return false;
        };
        scheme.eq_ignore_ascii_case(b"Basic ")
            && STANDARD
                .decode(encoded.trim_ascii())
                .is_ok_and(|decoded| decoded == self.0.as_bytes())
    }
}

impl fmt::Debug for Credentials {
    /// Writes no credentials: a log has more readers than a URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_a_user_and_a_password_of_at_most_64_bytes_each() {
        let long = "x".repeat(64);
        for text in ["a:", "a:b:c", "a b:c d", &format!("{long}:{long}")] {
            assert!(Credentials::new(text).is_some(), "{text}");
        }
        for text in [
            "",
            "a",
            ":b",
            "é:b",
            "a:\n",
            &format!("x{long}:"),
            &format!("x:x{long}"),
        ] {
            assert!(Credentials::new(text).is_none(), "{text}");
        }
    }

    #[test]
    fn only_the_basic_scheme_with_these_credentials_matches() {
        let credentials = Credentials::new("user:pass").unwrap();
        for value in ["Basic dXNlcjpwYXNz", "basic  dXNlcjpwYXNz "] {
            assert!(credentials.are_in(value.as_bytes()), "{value}");
        }
        for value in [
            "",
            "Basic",
            "Basic ",
            "Basic dXNlcjpwYXNX",
            "Bearer dXNlcjpwYXNz",
            "BasicdXNlcjpwYXNz",
        ] {
            assert!(!credentials.are_in(value.as_bytes()), "{value}");
        }
    }
}
