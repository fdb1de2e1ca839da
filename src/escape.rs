//! Text from a peer without characters that end a line, move a terminal's cursor or change the direction of the text.

use std::{borrow::Cow, io};

/// Returns a text with line breaks and terminal control characters escaped.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if text.chars().all(|char| !needs_escape(char)) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if needs_escape(char) {
            escaped.extend(char.escape_debug());
        } else {
            escaped.push(char);
        }
    }
    escaped.into()
}

fn needs_escape(char: char) -> bool {
    // Line and paragraph separators, and the marks that change the direction of text.
    char.is_control()
        || matches!(char, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A compact JSON formatter that escapes the same characters. JSON itself requires escapes for ASCII controls only.
#[derive(Debug, Clone, Copy)]
pub struct EscapingJson;

impl serde_json::ser::Formatter for EscapingJson {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        mut fragment: &str,
    ) -> io::Result<()> {
        while let Some(at) = fragment.find(needs_escape) {
            let (before, rest) = fragment.split_at(at);
            out.write_all(before.as_bytes())?;
            let mut chars = rest.chars();
            if let Some(char) = chars.next() {
                // None of them is beyond the Basic Multilingual Plane.
                write!(out, "\\u{:04x}", u32::from(char))?;
            }
            fragment = chars.as_str();
        }
        out.write_all(fragment.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize as _;

    use super::*;

    const HOSTILE: &str = "a\x1b[31m\r\n\u{85}\u{2028}\u{202E}é";

    #[test]
    fn a_text_without_such_characters_is_unchanged() {
        assert!(matches!(escaped("héllo '\"\\"), Cow::Borrowed("héllo '\"\\")));
    }

    #[test]
    fn no_control_character_is_left_in_either_form() {
        assert_eq!(escaped(HOSTILE), r"a\u{1b}[31m\r\n\u{85}\u{2028}\u{202e}é");
        let mut json = Vec::new();
        HOSTILE
            .serialize(&mut serde_json::Serializer::with_formatter(
                &mut json,
                EscapingJson,
            ))
            .unwrap();
        let json = String::from_utf8(json).unwrap();
        assert!(!json.chars().any(needs_escape), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), HOSTILE);
    }
}
