//! The errors of clap as one line: what was found and what is expected.

use std::error::Error as _;

use clap::{
    Arg, Command, Error,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::environment::{variable_of, variable_without_utf8};

/// Describes an invalid argument.
pub(super) fn of_argument(error: &Error, command: &Command) -> String {
    match missing_argument(error, command) {
        Some(arg) => {
            let values: Vec<_> = arg.get_possible_values();
            let values: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
            if values.is_empty() {
                return format!("missing {}; see --help", name_of(arg));
            }
            format!("missing {}: expected {}", name_of(arg), alternatives(&values))
        }
        None => describe(error, None),
    }
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
    // A positional argument is in angle brackets.
    let name = name.trim_start_matches('<').trim_end_matches('>');
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
            let valid: Vec<&str> = valid.iter().map(String::as_str).collect();
            Some(format!("expected {}", alternatives(&valid)))
        }
        _ => error.source().map(ToString::to_string),
    }
}

/// Returns the positional argument that a command lacks.
fn missing_argument<'c>(error: &Error, command: &'c Command) -> Option<&'c Arg> {
    let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    if error.kind() != ErrorKind::MissingRequiredArgument {
        return None;
    }
    let name = missing.first()?.trim_matches(['<', '>']);
    let subcommands = command.get_subcommands();
    subcommands
        .flat_map(Command::get_positionals)
        .find(|arg| name_of(arg) == name)
}

/// Returns the name of a positional argument in `--help`, without its brackets.
fn name_of(arg: &Arg) -> String {
    match arg.get_value_names() {
        Some([name, ..]) => name.to_string(),
        _ => arg.get_id().as_str().to_owned(),
    }
}

/// Joins values: `a, b or c`.
fn alternatives(values: &[&str]) -> String {
    match values {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => values.concat(),
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
