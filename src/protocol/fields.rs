//! Lists, tokens and quoted strings of header fields (RFC 9110 section 5.6).
//!
//! All functions take and return bytes. A field value may contain obs-text (bytes from 0x80 up) anywhere (RFC 9110 section
//! 5.5). If the line were converted to `str`, one such byte would lose its other elements.

use std::borrow::Cow;

/// Splits a field value at `separator`, `,` or `;`, and trims each part.
///
/// A separator in a quoted string does not split, and a backslash in a quoted string escapes the next byte (RFC 9110
/// section 5.6.4). A quoted string that is not closed ends with the value. Empty parts are returned too, for callers
/// that reject them. [`elements`] skips them.
pub fn split(value: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    value
        .split(move |&byte| {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ => return !quoted && byte == separator,
            }
            false
        })
        .map(trim)
}

/// Returns the elements of a list field over all its lines. Empty elements are skipped, as RFC 9110 section 5.6.1.2
/// requires of a recipient.
///
/// A quoted string ends with its line at the latest. Each proxy on the way may add a line, and a quoted string that one
/// sender leaves open must not hide the elements of the next.
pub fn elements<'f>(lines: impl IntoIterator<Item = &'f [u8]>) -> impl Iterator<Item = &'f [u8]> {
    lines
        .into_iter()
        .flat_map(|line| split(line, b','))
        .filter(|element| !element.is_empty())
}

/// Returns the elements of a field whose elements are tokens, over all its lines.
///
/// A token has no quotation mark, so every comma splits. Empty elements are returned too, for callers that reject them.
pub fn tokens<'f>(lines: impl IntoIterator<Item = &'f [u8]>) -> impl Iterator<Item = &'f [u8]> {
    lines
        .into_iter()
        .flat_map(|line| line.split(|&byte| byte == b','))
        .map(trim)
}

/// Returns the parameters of an element, the parts between semicolons. Empty ones are returned too.
pub fn parameters(element: &[u8]) -> impl Iterator<Item = &[u8]> {
    split(element, b';')
}

/// Splits `name=value`. The value keeps its quotes ([`unquote`] removes them). It is `None` if there is no `=`.
///
/// White space around `=` is removed (RFC 9110 section 5.6.3: a recipient must parse BWS and ignore it).
pub fn name_and_value(parameter: &[u8]) -> (&[u8], Option<&[u8]>) {
    match parameter.iter().position(|&byte| byte == b'=') {
        Some(at) => (trim(&parameter[..at]), Some(trim(&parameter[at + 1..]))),
        None => (trim(parameter), None),
    }
}

/// Returns a value without the quotes and escapes of a quoted string, and any other value unchanged.
///
/// Returns `None` if the value starts with a quote and its closing quote is missing, or is not the last byte.
pub fn unquote(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let Some(inside) = value.strip_prefix(b"\"") else {
        return Some(Cow::Borrowed(value));
    };
    let mut text = Vec::with_capacity(inside.len());
    let mut bytes = inside.iter();
    loop {
        match bytes.next()? {
            b'"' => return bytes.as_slice().is_empty().then_some(Cow::Owned(text)),
            b'\\' => text.push(*bytes.next()?),
            &byte => text.push(byte),
        }
    }
}

/// Returns whether `text` is a token: one or more of the characters of RFC 9110 section 5.6.2.
pub fn is_token(text: &[u8]) -> bool {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(is_tchar)
}

/// Removes optional white space, SP and HTAB, at both ends (RFC 9110 section 5.6.3).
pub fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', shorter @ ..] | [shorter @ .., b' ' | b'\t'] = text {
        text = shorter;
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn parts(value: &[u8], separator: u8) -> Vec<&[u8]> {
        split(value, separator).collect()
    }

    /// Returns a quoted string with the contents `text`.
    fn quote(text: &[u8]) -> Vec<u8> {
        let escaped = text.iter().flat_map(|&byte| match byte {
            b'"' | b'\\' => vec![b'\\', byte],
            _ => vec![byte],
        });
        [b'"'].into_iter().chain(escaped).chain([b'"']).collect()
    }

    #[test]
    fn a_separator_in_a_quoted_string_does_not_split() {
        for (value, expected) in [
            (&b"a, b ,\tc"[..], &[&b"a"[..], b"b", b"c"][..]),
            (b"a=\"1,2\",b", &[b"a=\"1,2\"", b"b"]),
            (b"a=\"1\\\",2\",b", &[b"a=\"1\\\",2\"", b"b"]),
            (b"a=\"1\\\\\",b", &[b"a=\"1\\\\\"", b"b"]),
            // Outside of quotes a backslash is a byte like any other.
            (b"a\\,b", &[b"a\\", b"b"]),
            (b"a,\"b, c", &[b"a", b"\"b, c"]),
            (b"\xE9, a\xFF", &[b"\xE9", b"a\xFF"]),
            (b",a,", &[b"", b"a", b""]),
            (b"", &[b""]),
        ] {
            assert_eq!(parts(value, b','), expected, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn a_list_spans_lines_and_skips_empty_elements() {
        let lines = [&b"a, ,\"b"[..], b"", b"c;d, \xE9,"];
        let list: Vec<_> = elements(lines).collect();
        assert_eq!(list, [&b"a"[..], b"\"b", b"c;d", b"\xE9"]);
    }

    #[test]
    fn a_list_of_tokens_splits_at_each_comma_even_in_quotes() {
        let list: Vec<_> = tokens([&b"\"a,b"[..], b" close\t,"]).collect();
        assert_eq!(list, [&b"\"a"[..], b"b", b"close", b""]);
    }

    #[test]
    fn parameters_split_into_names_and_optional_values() {
        let element = b"x; a ; b = 1;c=\"2;=\" ;d=;";
        let list: Vec<_> = parameters(element).map(name_and_value).collect();
        let expected: [(&[u8], Option<&[u8]>); 6] = [
            (b"x", None),
            (b"a", None),
            (b"b", Some(b"1")),
            (b"c", Some(b"\"2;=\"")),
            (b"d", Some(b"")),
            (b"", None),
        ];
        assert_eq!(list, expected);
    }

    #[test]
    fn unquote_removes_quotes_and_escapes_and_rejects_an_unclosed_quote() {
        for (value, expected) in [
            (&b"a"[..], Some(&b"a"[..])),
            (b"", Some(b"")),
            (b"\"\"", Some(b"")),
            (b"\"a b\"", Some(b"a b")),
            (b"\"a\\\"\\\\\\b\"", Some(b"a\"\\b")),
            (b"\"\xE9\"", Some(b"\xE9")),
            (b"\"", None),
            (b"\"a", None),
            (b"\"a\\\"", None),
            (b"\"a\"b", None),
        ] {
            assert_eq!(unquote(value).as_deref(), expected, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn a_token_has_at_least_one_character_and_no_separator() {
        assert!(is_token(b"!#$%&'*+-.^_`|~09azAZ"));
        for text in [&b""[..], b"a b", b"a\"", b"(", b"a/b", b"\xE9", b"a\0", b"\x7F"] {
            assert!(!is_token(text), "{}", text.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_split_without_a_panic_and_splitting_the_joined_parts_gives_the_same_parts(
            value in vec(prop_oneof![any::<u8>(), prop::sample::select(&b",;\"\\ =a"[..])], 0..60),
        ) {
            for separator in [b',', b';'] {
                let first = parts(&value, separator);
                let joined = first.join(&separator);
                prop_assert_eq!(&parts(&joined, separator), &first);
            }
            for part in elements([&value[..]]).chain(tokens([&value[..]])).flat_map(parameters) {
                let (name, value) = name_and_value(part);
                let _ = (is_token(name), value.map(unquote));
            }
        }

        #[test]
        fn quoted_and_joined_texts_split_and_unquote_to_the_same_texts(texts in vec(vec(any::<u8>(), 0..20), 1..8)) {
            let quoted: Vec<_> = texts.iter().map(|text| quote(text)).collect();
            let line = quoted.join(&b", "[..]);
            let values: Vec<_> = elements([&line[..]])
                .map(|element| unquote(element).unwrap().into_owned())
                .collect();
            prop_assert_eq!(values, texts);
        }

        #[test]
        fn joined_tokens_split_to_the_same_tokens(names in vec("[!-+\\--~]{1,10}", 1..8)) {
            let line = names.join(" ,");
            let list: Vec<_> = tokens([line.as_bytes()]).collect();
            let expected: Vec<_> = names.iter().map(String::as_bytes).collect();
            prop_assert_eq!(list, expected);
        }
    }
}
