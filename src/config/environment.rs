//! The environment variables of the flags.

use std::{
    env::{self, VarError},
    path::PathBuf,
};

use clap::{Arg, Command, value_parser};

/// Returns the command without its variables.
pub(super) fn without_variables(command: Command) -> Command {
    command
        .mut_args(|arg| arg.env(None::<&str>))
        .mut_subcommands(without_variables)
}

/// Returns the variable of a flag such as `--listen`.
pub(super) fn variable_of(command: &Command, flag: &str) -> Option<String> {
    let name = flag.strip_prefix("--")?;
    args(command)
        .find(|arg| arg.get_long() == Some(name))
        .and_then(variable)
}

/// Returns the first variable that is not UTF-8 and is not a path, which may have any bytes.
pub(super) fn variable_without_utf8(command: &Command) -> Option<String> {
    let path = value_parser!(PathBuf).type_id();
    args(command)
        .filter(|arg| arg.get_value_parser().type_id() != path)
        .filter_map(variable)
        .find(|name| matches!(env::var(name), Err(VarError::NotUnicode(_))))
}

fn args(command: &Command) -> impl Iterator<Item = &Arg> {
    let subcommands = command.get_subcommands().flat_map(Command::get_arguments);
    command.get_arguments().chain(subcommands)
}

fn variable(arg: &Arg) -> Option<String> {
    Some(arg.get_env()?.to_string_lossy().into_owned())
}
