//! Lists, tokens and quoted strings of header fields, and the offers of permessage-deflate.
#![no_main]

use std::ops::Range;

use libfuzzer_sys::fuzz_target;
use ws_echo::protocol::{Client, Server, deflate::Deflate, fields};

fuzz_target!(|input: &[u8]| {
    let lines: Vec<&[u8]> = input.split(|&byte| byte == b'\n').collect();
    for line in &lines {
        for separator in [b',', b';'] {
            let parts: Vec<_> = fields::split(line, separator).collect();
            check_parts(line, &parts, separator);
            for part in &parts {
                assert!(!has_separator(part, separator));
            }
        }
        let tokens: Vec<_> = fields::tokens([*line]).collect();
        check_parts(line, &tokens, b',');
        assert!(tokens.iter().all(|token| !token.contains(&b',')));
        assert_eq!(
            fields::parameters(line).collect::<Vec<_>>(),
            fields::split(line, b';').collect::<Vec<_>>()
        );
        check_name_and_value(line);
        check_unquote(line);
    }
    // A list over several lines is the list of each line, without the empty elements.
    let elements: Vec<_> = fields::elements(lines.iter().copied()).collect();
    let expected: Vec<_> = lines
        .iter()
        .flat_map(|line| fields::split(line, b','))
        .filter(|element| !element.is_empty())
        .collect();
    assert_eq!(elements, expected);
    for parameter in elements.iter().copied().flat_map(fields::parameters) {
        check_name_and_value(parameter);
        if let (_, Some(value)) = fields::name_and_value(parameter) {
            check_unquote(value);
        }
    }
    check_negotiate(Deflate::negotiate(lines.iter().copied()));
    check_negotiate(Deflate::negotiate([&[b"permessage-deflate;", input].concat()]));
});

/// Returns the range of `part` in `whole`, from which it borrows.
fn place(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr() - whole.as_ptr().addr();
    assert_eq!(&whole[start..start + part.len()], part);
    start..start + part.len()
}

fn is_white_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Checks that two parts have one separator and white space between them, and that no other byte is lost.
fn check_parts(whole: &[u8], parts: &[&[u8]], separator: u8) {
    let mut end = 0;
    for (position, part) in parts.iter().enumerate() {
        let place = place(whole, part);
        let between: Vec<_> = whole[end..place.start]
            .iter()
            .copied()
            .filter(|&byte| !is_white_space(byte))
            .collect();
        let expected: &[u8] = if position == 0 { &[] } else { &[separator] };
        assert_eq!(between, expected);
        assert_eq!(fields::trim(part), *part);
        end = place.end;
    }
    assert!(!parts.is_empty());
    assert!(whole[end..].iter().copied().all(is_white_space));
}

/// Returns whether a separator is outside of the quoted strings of a part.
fn has_separator(part: &[u8], separator: u8) -> bool {
    let mut bytes = part.iter();
    while let Some(&byte) = bytes.next() {
        if byte == separator {
            return true;
        }
        if byte == b'"' {
            while let Some(&quoted) = bytes.next() {
                match quoted {
                    b'"' => break,
                    b'\\' => _ = bytes.next(),
                    _ => {}
                }
            }
        }
    }
    false
}

/// Checks that the first `=` separates name and value, both without white space around them.
fn check_name_and_value(parameter: &[u8]) {
    let (name, value) = fields::name_and_value(parameter);
    assert!(!name.contains(&b'='));
    match value {
        None => {
            assert!(!parameter.contains(&b'='));
            check_parts(parameter, &[name], b'=');
        }
        Some(value) => check_parts(parameter, &[name, value], b'='),
    }
    assert_eq!(
        fields::is_token(name),
        !name.is_empty() && name.iter().all(is_tchar)
    );
}

fn is_tchar(byte: &u8) -> bool {
    byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(byte)
}

/// Checks that a value without quotes is unchanged, and that quoting and unquoting returns the same text.
fn check_unquote(value: &[u8]) {
    let Some(text) = fields::unquote(value) else {
        assert_eq!(value.first(), Some(&b'"'));
        return;
    };
    if value.first() != Some(&b'"') {
        assert_eq!(&*text, value);
    }
    let mut quoted = vec![b'"'];
    for &byte in &*text {
        if byte == b'"' || byte == b'\\' {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    quoted.push(b'"');
    assert_eq!(fields::unquote(&quoted).as_deref(), Some(&*text));
}

/// Checks that the response to an offer is an offer that gets the same response, with windows that both contexts support.
fn check_negotiate(deflate: Option<Deflate>) {
    let Some(deflate) = deflate else {
        return;
    };
    assert!((9..=15).contains(&deflate.server_max_window_bits));
    assert!((9..=15).contains(&deflate.client_max_window_bits));
    assert_eq!(Deflate::negotiate([&deflate.to_string()]), Some(deflate));
    let (mut compressed, mut out) = (Vec::new(), Vec::new());
    let message = [b'a'; 40];
    assert!(deflate.deflater::<Server>().compress(&message, &mut compressed));
    let mut inflater = deflate.inflater::<Client>();
    assert_eq!(inflater.decompress(&compressed, &mut out, 40), Ok(()));
    assert_eq!(inflater.finish(&mut out, 40), Ok(()));
    assert_eq!(out, message);
}
