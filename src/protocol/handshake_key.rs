//! The key of the opening handshake, and the server's proof that it has read it (RFC 6455 sections 4.1 and 4.2.2).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

/// The GUID of RFC 6455 section 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Returns the value of `Sec-WebSocket-Key` for this nonce.
pub fn key(nonce: [u8; 16]) -> String {
    STANDARD.encode(nonce)
}

/// Returns whether this is the value of a `Sec-WebSocket-Key`: 16 bytes in base64.
pub fn is_key(value: &[u8]) -> bool {
    STANDARD.decode(value).is_ok_and(|nonce| nonce.len() == 16)
}

/// Returns the value of `Sec-WebSocket-Accept` for a key: the SHA-1, in base64, of the key followed by the GUID. The key is used as
/// it was received, not decoded.
pub fn accept_key(key: &[u8]) -> String {
    let mut digest = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    digest.update(key);
    digest.update(GUID);
    STANDARD.encode(digest.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_key_is_that_of_rfc_6455_section_1_3() {
        let key = key(*b"the sample nonce");
        assert_eq!(key, "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept_key(key.as_bytes()), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_key_is_16_bytes_in_base64() {
        assert!(is_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
        for value in [
            &b""[..],
            b"dGhlIHNhbXBsZSBub25j",
            b"dGhlIHNhbXBsZSBub25jZQ",
            b"not base64",
        ] {
            assert!(!is_key(value), "{}", value.escape_ascii());
        }
    }
}
