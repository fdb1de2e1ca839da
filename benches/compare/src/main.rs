//! Compares ws-echo with other WebSocket servers and prints the results as Markdown.
//!
//! BENCHMARKS.md of the project describes the method and the columns.

mod client;
mod frame;
mod load;
mod machine;
mod meter;
mod process;
mod report;
mod run;
mod sections;
mod servers;
mod workload;

use std::{io, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};

use crate::{sections::Section, workload::Point};

// The allocator of ws-echo: this program also runs the compared Rust servers.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Compares ws-echo with other WebSocket servers, and prints Markdown
#[derive(Debug, Parser)]
#[command(max_term_width = 100)]
pub struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    /// Run for a few seconds only, to check that every section works
    #[arg(long)]
    quick: bool,
    /// Sections, separated by commas [default: all]
    #[arg(long, value_delimiter = ',')]
    only: Vec<Section>,
    /// Servers, separated by commas [default: all]
    #[arg(long, value_delimiter = ',', value_parser = servers::NAMES)]
    servers: Vec<String>,
    /// Points of the first table, CONNECTIONS:IN_FLIGHT:BYTES, separated by commas
    // The points of --quick have one payload for each length of a frame header.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "1:1:32,64:1:32,512:1:32,64:16:32,64:1:1024,16:1:16384,4:1:1048576",
        default_value_if("quick", "true", "1:1:32,8:4:1024,2:1:70000")
    )]
    points: Vec<Point>,
    /// Seconds of one run of one server, 0.01 to 600
    #[arg(long, value_parser = seconds, default_value = "0.3", default_value_if("quick", "true", "0.03"))]
    seconds: f64,
    /// Measured rounds, after one round of warm-up
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..), default_value = "15",
        default_value_if("quick", "true", "1"))]
    rounds: u16,
    /// Messages a second of the section `paced`
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000), default_value = "20000",
        default_value_if("quick", "true", "1000"))]
    rate: u32,
    /// Numbers of idle connections in the sections `memory` and `growth`, separated by commas
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "5000,20000",
        default_value_if("quick", "true", "100")
    )]
    idle: Vec<usize>,
    /// Compare this binary of ws-echo instead of building one
    #[arg(long, value_name = "PATH")]
    ws_echo: Option<PathBuf>,
    /// Compare one more binary of ws-echo, as the server `before`
    #[arg(long, value_name = "PATH")]
    before: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one of the compared Rust servers
    #[command(hide = true)]
    Serve { server: String },
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text
        .parse()
        .ok()
        .filter(|seconds| (0.01..=600.0).contains(seconds));
    seconds.ok_or_else(|| "expected 0.01 to 600".to_owned())
}

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match &options.command {
        Some(Command::Serve { server }) => servers::serve(server).map(|()| true),
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

/// Runs the sections and returns whether every server answered correctly.
fn compare(options: &Options) -> io::Result<bool> {
    let mut run = run::Run::prepare(options)?;
    let sections = if options.only.is_empty() {
        Section::value_variants()
    } else {
        &options.only
    };
    for section in sections {
        eprintln!("=== {section:?}");
        section.measure(&mut run, options);
    }
    Ok(run.conclude())
}
