//! JavaScript as tokens: enough to drop comments and white space, and to find the names that a module uses.
//!
//! A token is a slice of the source. A template is split at its `${` and `}`, so that the code inside is tokens too.

/// A part of a script that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'s> {
    /// A name, keyword or number.
    Word(&'s str),
    /// A string or regular expression, or the text of a template up to `${` or the closing quote.
    Literal(&'s str),
    /// The text of a template with the tag `html`: its line breaks are white space of markup.
    Markup(&'s str),
    /// One character of punctuation.
    Mark(char),
    /// A line break between two tokens.
    Break,
    /// Other white space, or a comment, between two tokens.
    Space,
}

/// Splits a script into tokens.
///
/// # Errors
/// If a comment, string, template or regular expression has no end.
pub(crate) fn tokens(source: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    // For each open brace whether it belongs to a template, and which kind.
    let mut braces: Vec<Option<bool>> = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let (token, len) = if rest.starts_with("//") {
            (Token::Space, rest.find('\n').unwrap_or(rest.len()))
        } else if let Some(comment) = rest.strip_prefix("/*") {
            (
                Token::Space,
                comment.find("*/").ok_or("a comment without an end")? + 4,
            )
        } else if first.is_whitespace() {
            let len = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
            (
                if rest[..len].contains('\n') {
                    Token::Break
                } else {
                    Token::Space
                },
                len,
            )
        } else if is_word(first) {
            let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            (Token::Word(&rest[..len]), len)
        } else if matches!(first, '"' | '\'') {
            let len = end_of(rest, |c, _| c == first).ok_or_else(|| format!("no end: {}", line(rest)))?;
            (Token::Literal(&rest[..len]), len)
        } else if first == '/' && is_operand_expected(&tokens) {
            let mut in_class = false;
            let end = end_of(rest, |c, _| {
                in_class = if in_class { c != ']' } else { c == '[' };
                c == '/' && !in_class
            });
            let len = end.ok_or_else(|| format!("no end: {}", line(rest)))?;
            (Token::Literal(&rest[..len]), len)
        } else if first == '`' || first == '}' && matches!(braces.last(), Some(Some(_))) {
            let is_markup = match braces.last() {
                Some(Some(is_markup)) if first == '}' => *is_markup,
                _ => tokens.last() == Some(&Token::Word("html")),
            };
            if first == '}' {
                braces.pop();
            }
            let end = end_of(rest, |c, rest| c == '`' || rest.starts_with("${"));
            let mut len = end.ok_or_else(|| format!("no end: {}", line(rest)))?;
            if rest[..len].ends_with('$') {
                len += 1;
                braces.push(Some(is_markup));
            }
            let text = &rest[..len];
            (
                if is_markup {
                    Token::Markup(text)
                } else {
                    Token::Literal(text)
                },
                len,
            )
        } else {
            match first {
                '{' => braces.push(None),
                '}' => drop(braces.pop()),
                _ => {}
            }
            (Token::Mark(first), first.len_utf8())
        };
        // Of white space one token is left: a line break if there was one.
        match (tokens.last(), token) {
            (Some(Token::Break), Token::Space | Token::Break) => {}
            (Some(Token::Space), Token::Space) => {}
            (Some(Token::Space), Token::Break) => {
                tokens.pop();
                tokens.push(token);
            }
            _ => tokens.push(token),
        }
        rest = &rest[len..];
    }
    Ok(tokens)
}

/// Writes tokens as a script, with the least white space between them. The style of the page ends each statement with a
/// semicolon, but a line break stays where it could end one.
pub(crate) fn minify(tokens: &[Token<'_>]) -> String {
    let mut script = String::new();
    let mut previous: Option<Token<'_>> = None;
    for (index, token) in tokens.iter().enumerate() {
        match token {
            Token::Word(text) | Token::Literal(text) => script.push_str(text),
            Token::Markup(text) => script.push_str(&without_indentation(text)),
            Token::Mark(mark) => script.push(*mark),
            Token::Space | Token::Break => {
                let next = tokens.get(index + 1).copied();
                let separator = match (previous, next) {
                    (None, _) | (_, None) => "",
                    (
                        Some(Token::Mark(
                            '{' | '(' | '[' | ',' | ';' | '=' | '>' | '&' | '|' | '?' | ':' | '*' | '!',
                        )),
                        _,
                    ) => "",
                    (
                        _,
                        Some(Token::Mark(
                            '}' | ')' | ']' | ',' | ';' | '.' | '?' | ':' | '=' | '&' | '|' | '*' | '<' | '>',
                        )),
                    ) => "",
                    _ if *token == Token::Break => "\n",
                    (Some(Token::Word(_)), Some(Token::Word(_))) => " ",
                    // Two signs: `a + +b`.
                    (Some(Token::Mark('+' | '-')), Some(Token::Mark('+' | '-'))) => " ",
                    _ => "",
                };
                script.push_str(separator);
                continue;
            }
        }
        previous = Some(*token);
    }
    script
}

fn without_indentation(text: &str) -> String {
    let mut lines = text.split('\n');
    let mut markup = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        markup.truncate(markup.trim_end_matches([' ', '\t', '\r']).len());
        markup.push('\n');
        markup.push_str(line.trim_start_matches([' ', '\t']));
    }
    markup
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '#')
}

/// Whether a `/` after these tokens starts a regular expression, and does not divide.
fn is_operand_expected(tokens: &[Token<'_>]) -> bool {
    match tokens
        .iter()
        .rfind(|token| !matches!(token, Token::Space | Token::Break))
    {
        None => true,
        Some(Token::Mark(mark)) => !matches!(mark, ')' | ']' | '}'),
        Some(Token::Word(word)) => matches!(
            *word,
            "return" | "typeof" | "case" | "in" | "of" | "await" | "void"
        ),
        _ => false,
    }
}

/// Returns the length of the literal at the start of `rest`: through the character for which `ends` returns true, which gets
/// the character and the text from it. A character after a backslash is skipped.
fn end_of(rest: &str, mut ends: impl FnMut(char, &str) -> bool) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if ends(c, &rest[at..]) {
            return Some(at + c.len_utf8());
        }
    }
    None
}

fn line(rest: &str) -> &str {
    rest.lines().next().unwrap_or_default()
}
