//! `ws-echo man`: the man page.

use std::io;

use clap::{Arg, Command, CommandFactory as _, builder::PossibleValue};
use clap_mangen::{
    Man,
    roff::{Inline, Roff, bold, italic, roman},
};

use crate::config::Cli;

/// Returns the page as roff. The sections of the flags are those of `--help`.
///
/// # Errors
/// If the page is not UTF-8, which no flag causes.
pub fn page() -> io::Result<String> {
    let mut page = Vec::new();
    let out: &mut dyn io::Write = &mut page;
    let command = Cli::command();
    let man = Man::new(command.clone());
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    // clap_mangen refers to a page for each command. Here, one page has all of them.
    let mut roff = Roff::default();
    roff.control("SH", ["COMMANDS"]);
    for subcommand in command.get_subcommands() {
        describe(&mut roff, subcommand);
    }
    roff.to_writer(out)?;
    man.render_options_section(out)?;
    let mut roff = Roff::default();
    roff.control("SH", ["NOTES"]);
    if let Some(notes) = command.get_after_help() {
        roff.text([roman(notes.to_string())]);
    }
    roff.to_writer(out)?;
    String::from_utf8(page).map_err(io::Error::other)
}

/// Appends a command with its own arguments. Those of `serve` have their own sections.
fn describe(roff: &mut Roff, command: &Command) {
    let serves = command.get_name() == "serve";
    let args = command.get_arguments().filter(|_| !serves);
    roff.control("TP", []);
    let mut header = vec![bold(command.get_name())];
    header.extend(
        command
            .get_positionals()
            .flat_map(|arg| [roman(" "), value_name(arg)]),
    );
    roff.text(header);
    roff.text([roman(format!(
        "{}.",
        command.get_about().cloned().unwrap_or_default()
    ))]);
    for arg in args {
        roff.control("RS", []);
        roff.control("TP", []);
        roff.text(match arg.get_long() {
            Some(long) => vec![bold(format!("--{long}")), roman(" "), value_name(arg)],
            None => vec![value_name(arg)],
        });
        let values = arg.get_possible_values();
        let values: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
        let help = arg.get_help().cloned().unwrap_or_default();
        roff.text([roman(match values[..] {
            [] => help.to_string(),
            _ => format!("{help}: {}", values.join(", ")),
        })]);
        roff.control("RE", []);
    }
}

fn value_name(arg: &Arg) -> Inline {
    italic(match arg.get_value_names() {
        Some([name, ..]) => name.to_string(),
        _ => arg.get_id().as_str().to_uppercase(),
    })
}
