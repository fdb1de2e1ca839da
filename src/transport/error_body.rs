//! The JSON body of every error response.

use serde::Serialize;

/// An error and a hint, each one short text.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ErrorBody<'t> {
    /// The error that was found.
    pub error: &'t str,
    /// One sentence with what to do.
    pub hint: &'t str,
}

impl ErrorBody<'_> {
    /// Returns an HTTP/1.1 response with this body that closes the connection. `status` is the status code and its phrase.
    pub fn to_response(self, status: &str) -> Vec<u8> {
        // Two strings: serialisation cannot fail.
        let body = serde_json::to_string(&self).unwrap_or_default();
        format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_as_long_as_it_says() {
        let response = ErrorBody {
            error: "\"é\"",
            hint: "b",
        }
        .to_response("408 Request Timeout");
        let response = String::from_utf8(response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{head}");
        assert!(
            head.ends_with(&format!("content-length: {}", body.len())),
            "{head}"
        );
        assert_eq!(body, r#"{"error":"\"é\"","hint":"b"}"#);
    }
}
