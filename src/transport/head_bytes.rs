//! `X-Head-Bytes`: the lengths of a request's and its response's header sections with their first lines. A browser shows neither, so
//! the server counts the bytes on the connection.

/// Inserts the field into the response's head at the start of `bytes`. Returns the new head, and the length of the head that it
/// replaces. `request` is the length of the request's head. Returns `None` if `bytes` does not start with a complete head.
pub(super) fn insert(bytes: &[u8], request: usize) -> Option<(Vec<u8>, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let field = |response: usize| format!("x-head-bytes: request={request}, response={response}\r\n");
    // The field's own length depends on the digits of the sum. The second round has as many digits as the result.
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
    fn the_field_says_the_length_of_the_head_that_it_is_in() {
        // Lengths at which the sum gets one more digit are among these.
        for padding in 0..1000 {
            let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(padding));
            let (out, taken) = insert(&[head.as_bytes(), b"body"].concat(), 412).unwrap();
            assert_eq!(taken, head.len());
            let expected = format!("\r\nx-head-bytes: request=412, response={}\r\n\r\n", out.len());
            assert!(String::from_utf8(out).unwrap().ends_with(&expected), "{expected}");
        }
        assert_eq!(insert(b"HTTP/1.1 200 OK\r\n", 1), None);
    }
}
