//! The status line and the header section of a response, as received (RFC 9112).

use thiserror::Error;

use crate::protocol::fields;

/// Longest header section in bytes.
pub(super) const MAX_HEAD: usize = 64 * 1024;

/// Maximum number of fields.
const MAX_FIELDS: usize = 256;

/// Number of bytes of a response that is no HTTP in its error.
const SHOWN: usize = 40;

/// A status line and a header section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    /// Whether the version is HTTP/1.1. The only other version is HTTP/1.0.
    pub is_http_1_1: bool,
    /// The status code.
    pub status: u16,
    /// The reason phrase.
    pub reason: String,
    /// The lines in order as they arrived, from the status line on, without their ends.
    pub lines: Vec<Vec<u8>>,
}

/// The reason why bytes are no response.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HeadError {
    /// The bytes are not HTTP/1.
    #[error("the response is not HTTP/1.1 ({reason}); it starts with {start:?}")]
    Invalid {
        /// The rule that the bytes break.
        reason: String,
        /// The first bytes, with all but printable ASCII escaped.
        start: String,
    },
    /// The header section has no end within the limit.
    #[error("the header section of the response exceeds {MAX_HEAD} bytes or {MAX_FIELDS} fields")]
    TooLarge,
}

impl ResponseHead {
    /// Parses the header section at the start of `bytes`. Returns it with its length, or `None` if it is incomplete.
    ///
    /// # Errors
    /// If the bytes are no response, or the header section is too large.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, HeadError> {
        let mut fields = vec![httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut response = httparse::Response::new(&mut fields);
        let len = match response.parse(bytes) {
            Ok(httparse::Status::Complete(len)) if len <= MAX_HEAD => len,
            Ok(httparse::Status::Partial) if bytes.len() < MAX_HEAD => return Ok(None),
            Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooLarge),
            Err(error) => {
                return Err(HeadError::Invalid {
                    reason: error.to_string(),
                    start: bytes[..bytes.len().min(SHOWN)].escape_ascii().to_string(),
                });
            }
        };
        let lines = bytes[..len]
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec())
            .skip_while(Vec::is_empty)
            .take_while(|line| !line.is_empty())
            .collect();
        let head = Self {
            is_http_1_1: response.version == Some(1),
            status: response.code.unwrap_or_default(),
            reason: response.reason.unwrap_or_default().to_owned(),
            lines,
        };
        Ok(Some((head, len)))
    }

    /// Returns the names and values of all fields, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.lines.iter().skip(1).filter_map(|line| {
            let at = line.iter().position(|byte| *byte == b':')?;
            Some((&line[..at], fields::trim(&line[at + 1..])))
        })
    }

    /// Returns the value of each line of a field, whatever the case of its name.
    pub fn values<'h>(&'h self, name: &str) -> impl Iterator<Item = &'h [u8]> {
        self.fields()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// Returns the value of the first line of a field. Bytes that are not UTF-8 are replaced.
    pub fn value(&self, name: &str) -> Option<String> {
        self.values(name)
            .next()
            .map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// Returns whether a list field contains a token, whatever its case.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        fields::tokens(self.values(name)).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_those_that_arrived() {
        let bytes = b"HTTP/1.1 404 Not  Found\r\nVia: a\r\nserver:\tx\xE9 \r\nVia: b\r\n\r\nbody";
        let (head, len) = ResponseHead::parse(bytes).unwrap().unwrap();
        assert_eq!(&bytes[len..], b"body");
        assert_eq!((head.status, head.is_http_1_1), (404, true));
        assert_eq!(head.lines[2], b"server:\tx\xE9 ");
        assert_eq!(head.values("VIA").collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!(head.values("server").collect::<Vec<_>>(), [b"x\xE9"]);
        assert!(head.has_token("via", "B") && !head.has_token("via", "c"));
        for end in 0..len {
            assert_eq!(ResponseHead::parse(&bytes[..end]), Ok(None), "{end}");
        }
    }

    #[test]
    fn other_bytes_are_no_response() {
        let error = ResponseHead::parse(b"SSH-2.0-x\x1b[31m\r\n")
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("the response is not HTTP/1.1"), "{error}");
        assert!(!error.contains('\x1b'), "{error}");
        let endless = [b"HTTP/1.1 200 OK\r\nA: ".as_slice(), &vec![b'x'; MAX_HEAD]].concat();
        assert_eq!(ResponseHead::parse(&endless), Err(HeadError::TooLarge));
        let many = format!("HTTP/1.1 200 OK\r\n{}", "A: b\r\n".repeat(MAX_FIELDS + 1));
        assert_eq!(ResponseHead::parse(many.as_bytes()), Err(HeadError::TooLarge));
    }
}
