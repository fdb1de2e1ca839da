//! The JSON body of every error response.

use serde::Serialize;

/// An error and a hint, each a short text.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ErrorBody<'t> {
    /// The reason of the response.
    pub error: &'t str,
    /// One imperative sentence for the author of the client.
    pub hint: &'t str,
}

impl ErrorBody<'_> {
    /// Returns an HTTP/1.1 response with this body and `Connection: close`. `status` is the status code with its reason phrase.
    pub fn to_response(self, status: &str) -> Vec<u8> {
        // Two strings always serialise.
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
    fn content_length_equals_the_length_of_the_body() {
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
