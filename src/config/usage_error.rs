//! The errors of clap as one line: what was found and what is expected.

use std::error::Error as _;

use clap::{
    Command, Error,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::environment::{variable_of, variable_without_utf8};

/// Describes an invalid argument.
pub(super) fn of_argument(error: &Error) -> String {
    describe(error, None)
}

/// Describes an invalid variable.
pub(super) fn of_variable(error: &Error, command: &Command) -> String {
    let variable = match flag(error) {
        Some(flag) => variable_of(command, flag),
        None => variable_without_utf8(command),
    };
    describe(error, variable.as_deref())
}

fn describe(error: &Error, variable: Option<&str>) -> String {
    let found = text(error, ContextKind::InvalidValue).unwrap_or_default();
    let name = variable.or_else(|| flag(error)).unwrap_or_default();
    match error.kind() {
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => match (found, expected(error)) {
            ("", None) => format!("missing value for {name}; see --help"),
            ("", Some(expected)) => format!("missing value for {name}: {expected}"),
            (found, expected) => {
                let expected = expected.unwrap_or_else(|| "see --help".to_owned());
                format!("invalid value {found:?} for {name}: {expected}")
            }
        },
        ErrorKind::TooManyValues => format!("unexpected value {found:?} for {name}; see --help"),
        ErrorKind::ArgumentConflict if !name.is_empty() => format!("{name} is set twice; see --help"),
        ErrorKind::UnknownArgument => {
            let argument = text(error, ContextKind::InvalidArg).unwrap_or_default();
            unexpected("argument", argument, text(error, ContextKind::SuggestedArg))
        }
        ErrorKind::InvalidSubcommand => {
            let command = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            unexpected("command", command, None)
        }
        ErrorKind::InvalidUtf8 => {
            let name = variable.unwrap_or("an argument");
            format!("invalid bytes in {name}: expected UTF-8")
        }
        _ => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            line.strip_prefix("error: ").unwrap_or(line).to_owned()
        }
    }
}

/// Returns the flag that the error is about, such as `--listen`.
fn flag(error: &Error) -> Option<&str> {
    // With its value, as in the help: `--listen <ADDR:PORT>`.
    text(error, ContextKind::InvalidArg)?.split(' ').next()
}

/// Returns the values that the flag allows.
fn expected(error: &Error) -> Option<String> {
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(valid)) if !valid.is_empty() => {
            Some(format!("expected {}", valid.join(" or ")))
        }
        _ => error.source().map(ToString::to_string),
    }
}

fn unexpected(kind: &str, found: &str, similar: Option<&str>) -> String {
    // clap suggests --compress for --nope. A typing error rarely changes the first letter.
    let start = |name: &str| name.trim_start_matches('-').chars().next();
    match similar.filter(|similar| start(similar) == start(found)) {
        Some(similar) => format!("unexpected {kind} '{found}'; did you mean {similar}?"),
        None => format!("unexpected {kind} '{found}'; see --help"),
    }
}

fn text(error: &Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}
