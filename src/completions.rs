//! `ws-echo completions SHELL`: the script that completes commands, flags and values in a shell.

use std::io;

use clap::CommandFactory as _;
use clap_complete::{Generator, Shell};

use crate::config::Cli;

/// Returns the script for a shell.
///
/// # Errors
/// If the script is not UTF-8, which no flag causes.
pub fn script(shell: Shell) -> io::Result<String> {
    let mut command = Cli::command();
    command.set_bin_name("ws-echo");
    command.build();
    let mut script = Vec::new();
    shell.try_generate(&command, &mut script)?;
    let script = String::from_utf8(script).map_err(io::Error::other)?;
    Ok(match shell {
        // clap_complete 4.6 writes the hyphen of a program's name in two ways, so that bash finds no flag after a command.
        Shell::Bash => script.replace("ws__subcmd__echo", "ws__echo"),
        _ => script,
    })
}
