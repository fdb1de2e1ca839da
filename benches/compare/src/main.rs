//! ws-echo beside its peers: starts them, drives them in turn, and prints what it measured as Markdown.
//!
//! `cargo run --release` in this directory does all of it; `--help` tells how to do less. BENCHMARKS.md of the project says how to read it.

mod client;
mod frame;
mod load;
mod machine;
mod meter;
mod options;
mod peers;
mod process;
mod run;
mod sections;
mod stats;
mod table;
mod workload;

use std::{io, process::ExitCode};

use clap::Parser;

use crate::options::{Command, Options};

// As ws-echo has it: the Rust peers are this program too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match &options.command {
        Some(Command::Serve { server }) => server.serve().map(|()| true),
        Some(Command::Launch {
            core,
            parent,
            command,
        }) => process::launch(*core, *parent, command).map(|()| true),
        None => compare(&options),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all went well.
fn compare(options: &Options) -> io::Result<bool> {
    let mut run = run::Run::prepare(options)?;
    run.introduce();
    for section in options.sections() {
        sections::measure(section, &mut run, options)?;
    }
    Ok(run.conclude())
}
