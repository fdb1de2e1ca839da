//! Lists, tokens and quoted strings of header fields (RFC 9110 section 5.6).
//!
//! All functions take and return bytes. A field value may hold obs-text, bytes from 0x80 up, anywhere (RFC 9110 section
//! 5.5). A conversion of the line to `str` would lose the elements beside such a byte.

use std::borrow::Cow;

/// Splits a field value at `separator`, `,` or `;`, and trims each part.
///
/// A separator in a quoted string separates nothing, and a backslash in a quoted string escapes the next byte (RFC 9110
/// section 5.6.4). A quoted string that is not closed ends with the value. Empty parts are returned too, for callers
/// that refuse them. [`elements`] skips them.
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
/// A quoted string ends with its line at the latest: what one sender left open must not swallow the line of the next.
pub fn elements<'f>(lines: impl IntoIterator<Item = &'f [u8]>) -> impl Iterator<Item = &'f [u8]> {
    lines
        .into_iter()
        .flat_map(|line| split(line, b','))
        .filter(|element| !element.is_empty())
}

/// Returns the elements of a field whose elements are tokens, over all its lines.
///
/// A token has no quotation mark, so a quotation mark protects no comma here. Empty elements are returned too, for
/// callers that refuse them.
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

/// Splits `name=value`. The value is as it came, see [`unquote`], and None if there is no `=`.
///
/// White space around `=` is removed (RFC 9110 section 5.6.3: a recipient must parse BWS and ignore it).
pub fn name_and_value(parameter: &[u8]) -> (&[u8], Option<&[u8]>) {
    match parameter.iter().position(|&byte| byte == b'=') {
        Some(at) => (trim(&parameter[..at]), Some(trim(&parameter[at + 1..]))),
        None => (trim(parameter), None),
    }
}

/// Returns a value without the quotes and escapes of a quoted string; any other value as it is.
///
/// None if the value starts with a quote and its closing quote is missing, or is not the last byte.
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

/// Whether `text` is a token: one or more of the characters of RFC 9110 section 5.6.2.
pub fn is_token(text: &[u8]) -> bool {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(is_tchar)
}

/// Removes optional white space, SP and HTAB, at both ends (RFC 9110 section 5.6.3).
pub fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
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

    /// A quoted string that holds `text`.
    fn quote(text: &[u8]) -> Vec<u8> {
        let escaped = text.iter().flat_map(|&byte| match byte {
            b'"' | b'\\' => vec![b'\\', byte],
            _ => vec![byte],
        });
        [b'"'].into_iter().chain(escaped).chain([b'"']).collect()
    }

    #[test]
    fn a_separator_in_quotes_separates_nothing() {
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
    fn a_quote_protects_no_comma_between_tokens() {
        let list: Vec<_> = tokens([&b"\"a,b"[..], b" close\t,"]).collect();
        assert_eq!(list, [&b"\"a"[..], b"b", b"close", b""]);
    }

    #[test]
    fn parameters_have_names_and_may_have_values() {
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
    fn a_value_loses_its_quotes_and_escapes_and_an_open_quote_has_no_value() {
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
    fn a_token_has_one_character_or_more_and_no_separator() {
        assert!(is_token(b"!#$%&'*+-.^_`|~09azAZ"));
        for text in [&b""[..], b"a b", b"a\"", b"(", b"a/b", b"\xE9", b"a\0", b"\x7F"] {
            assert!(!is_token(text), "{}", text.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_split_and_what_was_split_splits_again(
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
        fn joining_gives_back_what_was_quoted(texts in vec(vec(any::<u8>(), 0..20), 1..8)) {
            let quoted: Vec<_> = texts.iter().map(|text| quote(text)).collect();
            let line = quoted.join(&b", "[..]);
            let values: Vec<_> = elements([&line[..]])
                .map(|element| unquote(element).unwrap().into_owned())
                .collect();
            prop_assert_eq!(values, texts);
        }

        #[test]
        fn joining_gives_back_tokens(names in vec("[!-+\\--~]{1,10}", 1..8)) {
            let line = names.join(" ,");
            let list: Vec<_> = tokens([line.as_bytes()]).collect();
            let expected: Vec<_> = names.iter().map(String::as_bytes).collect();
            prop_assert_eq!(list, expected);
        }
    }
}
