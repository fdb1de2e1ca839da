//! The field `X-Head-Bytes`: the lengths of a request's and its response's heads. A head is the start line
//! and the header section (RFC 9112 section 2.1). A script in a browser cannot read them, so the server
//! counts the bytes on the connection.

/// Returns the length of the head at the start of `bytes`. Returns `None` if the head is incomplete.
pub(super) fn end(bytes: &[u8]) -> Option<usize> {
    let start = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some(start + 4)
}

/// Inserts the field into the response's head at the start of `bytes`. `request` is the length of the
/// request's head in bytes. Returns the new head, and the length of the head that it replaces. Returns `None`
/// if the head in `bytes` is incomplete.
pub(super) fn insert(bytes: &[u8], request: usize) -> Option<(Vec<u8>, usize)> {
    let end = end(bytes)?;
    let field = |response: usize| format!("x-head-bytes: request={request}, response={response}\r\n");
    // The sum includes the field, whose length depends on the sum's digits. The first sum has as many digits
    // as the final one.
    let mut response = end + field(end).len();
    response = end + field(response).len();
    let mut head = bytes[..end - 2].to_vec();
    head.extend_from_slice(field(response).as_bytes());
    head.extend_from_slice(b"\r\n");
    Some((head, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_has_the_length_of_the_head_that_contains_it() {
        // Includes lengths at which the field itself adds a digit to the sum.
        for padding in 0..1000 {
            let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(padding));
            let (out, replaced) = insert(&[head.as_bytes(), b"body"].concat(), 412).unwrap();
            assert_eq!(replaced, head.len());
            let expected = format!("\r\nx-head-bytes: request=412, response={}\r\n\r\n", out.len());
            assert!(String::from_utf8(out).unwrap().ends_with(&expected), "{expected}");
        }
        assert_eq!(insert(b"HTTP/1.1 200 OK\r\n", 1), None);
    }
}
