//! Header sections with their first line, as clients and watchers see them. Pure.

use actix_web::http::header::HeaderMap;
use serde::Serialize;

use super::redaction::shown_value;

/// Longest first line, and longest list of fields, that a watcher receives, in bytes.
const MAX_SHOWN: usize = 16 * 1024;

/// The fields of a request's header section.
#[derive(Debug)]
pub(super) struct RequestFields<'r> {
    /// Names and values.
    pub(super) fields: Vec<(&'r str, &'r [u8])>,
    /// The request line. `None` unless the fields have the order and the spelling of the wire.
    pub(super) line: Option<&'r [u8]>,
}

/// Returns the fields of the request with this `Sec-WebSocket-Key`: as received if `head` has them, else as
/// actix-http stores them. `head` can be empty, or of an earlier request on the connection.
pub(super) fn request_fields<'r>(head: &'r [u8], headers: &'r HeaderMap, key: &[u8]) -> RequestFields<'r> {
    let mut parsed = [httparse::EMPTY_HEADER; 128];
    let mut request = httparse::Request::new(&mut parsed);
    let is_complete = request.parse(head).is_ok_and(|status| status.is_complete());
    // The key identifies the header section.
    let is_this_request = request
        .headers
        .iter()
        .any(|field| field.name.eq_ignore_ascii_case("sec-websocket-key") && field.value == key);
    if is_complete && is_this_request {
        let fields = request.headers.iter();
        RequestFields {
            fields: fields.map(|field| (field.name, field.value)).collect(),
            line: head.split(|byte| b"\r\n".contains(byte)).next(),
        }
    } else {
        let fields = headers.iter();
        RequestFields {
            fields: fields
                .map(|(name, value)| (name.as_str(), value.as_bytes()))
                .collect(),
            line: None,
        }
    }
}

/// A header section for watchers. Its size is bounded: an open connection keeps it.
#[derive(Debug, Serialize)]
pub(super) struct HeaderSection {
    /// The request line or the status line.
    line: String,
    /// Names and values.
    headers: Vec<(String, String)>,
    /// Whether names, order and first line are those of the wire.
    verbatim: bool,
    /// Number of fields that are left out, because the others have [`MAX_SHOWN`] bytes.
    omitted: usize,
}

impl HeaderSection {
    /// Returns a section without the values of credentials.
    pub(super) fn new<'f>(
        line: &str,
        fields: impl IntoIterator<Item = (&'f str, &'f [u8])>,
        verbatim: bool,
    ) -> Self {
        let mut section = Self {
            line: cut(line),
            headers: Vec::new(),
            verbatim,
            omitted: 0,
        };
        let mut shown = 0;
        for (name, value) in fields {
            shown += name.len() + value.len();
            if shown <= MAX_SHOWN {
                section
                    .headers
                    .push((name.to_owned(), shown_value(name, value, true)));
            } else {
                section.omitted += 1;
            }
        }
        section
    }

    /// Parses the bytes that the server sends, which a behaviour can make invalid: a line without a colon is
    /// a name.
    pub(super) fn of_response(head: &[u8]) -> Self {
        let head = String::from_utf8_lossy(head);
        let mut lines = head.trim_end_matches("\r\n").split("\r\n");
        let line = lines.next().unwrap_or_default();
        let fields = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            (name, value.trim_ascii().as_bytes())
        });
        Self::new(line, fields, true)
    }
}

/// Returns at most [`MAX_SHOWN`] bytes of a text.
pub(super) fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_SHOWN)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(section: &HeaderSection) -> serde_json::Value {
        serde_json::to_value(section).unwrap()
    }

    #[test]
    fn a_section_never_has_credentials() {
        let fields = [
            ("COOKIE", &b"id=secret"[..]),
            ("authorization", b"Basic c2VjcmV0"),
            ("Proxy-Authorization", b""),
            ("x", b"\xE9"),
        ];
        assert_eq!(
            shown(&HeaderSection::new("GET / HTTP/1.1", fields, true))["headers"],
            serde_json::json!([
                ["COOKIE", "(hidden, 9 bytes)"],
                ["authorization", "(hidden, 14 bytes)"],
                ["Proxy-Authorization", "(hidden, 0 bytes)"],
                ["x", "\u{FFFD}"],
            ])
        );
    }

    #[test]
    fn a_section_has_at_most_16_kib_of_fields_and_counts_the_others() {
        let value = [b'v'; 1023];
        let section = HeaderSection::new(&"é".repeat(10_000), [("n", &value[..]); 20], false);
        assert_eq!((section.headers.len(), section.omitted), (16, 4));
        assert_eq!(section.line.len(), 16 * 1024);
    }

    #[test]
    fn a_response_is_split_into_lines_even_if_it_is_invalid() {
        let section =
            HeaderSection::of_response(b"HTTP/1.1 101 x\r\nA:b\r\nfolded:\r\n c: d\r\nnone\r\n\r\n");
        assert_eq!(
            shown(&section),
            serde_json::json!({
                "line": "HTTP/1.1 101 x",
                "headers": [["A", "b"], ["folded", ""], [" c", "d"], ["none", ""]],
                "verbatim": true,
                "omitted": 0,
            })
        );
    }
}
