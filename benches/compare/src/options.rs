//! The command line.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};

use crate::{
    load::Times,
    peers::{Builtin, NAMES},
    workload::Point,
};

/// Compares ws-echo with its peers, and prints Markdown
#[derive(Debug, Parser)]
#[command(max_term_width = 100)]
pub struct Options {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// A few seconds in all: whether everything works, not how fast it is
    #[arg(long)]
    pub quick: bool,
    /// Sections, with commas; all of them where none is named
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<Section>,
    /// Servers, with commas; all of them where none is named
    #[arg(long, value_delimiter = ',', value_parser = NAMES)]
    pub peers: Vec<String>,
    /// Points of the first table, CONNECTIONS:IN_FLIGHT:BYTES, with commas
    #[arg(long, value_delimiter = ',')]
    pub points: Vec<Point>,
    /// Seconds of one run of one server
    #[arg(long, value_parser = seconds, default_value = "0.3")]
    pub seconds: Duration,
    /// Rounds that count; one more warms up
    #[arg(long, default_value = "15")]
    pub rounds: usize,
    /// Messages a second of the section `paced`
    #[arg(long, default_value = "20000", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rate: u32,
    /// Open and idle connections at which memory and growth are measured, with commas
    #[arg(long, value_delimiter = ',', default_value = "5000,20000")]
    pub idle: Vec<usize>,
    /// Another binary of ws-echo than the one that cargo builds
    #[arg(long, value_name = "PATH")]
    pub ws_echo: Option<PathBuf>,
    /// One more binary of ws-echo, as the server `before`
    #[arg(long, value_name = "PATH")]
    pub before: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Be one of the Rust peers
    #[command(hide = true)]
    Serve { server: Builtin },
    /// Become another program, on one core
    #[command(hide = true)]
    Launch {
        #[arg(long)]
        core: Option<usize>,
        #[arg(long)]
        parent: u32,
        #[arg(last = true)]
        command: Vec<OsString>,
    },
}

/// The parts of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Section {
    /// Messages a second and latency, the bytes as they came
    Verbatim,
    /// The same with the tutorial's reply
    Stamped,
    /// The same with permessage-deflate
    Compressed,
    /// Latency where all servers get the same number of messages a second
    Paced,
    /// Connections opened and closed a second
    Opening,
    /// Bytes of memory for an idle connection
    Memory,
    /// What a message costs while more and more connections are open
    Growth,
    /// System calls a message, by strace
    Syscalls,
    /// From the start of a process to its first echo
    Start,
}

const POINTS: [(usize, usize, usize); 7] = [
    (1, 1, 32),
    (64, 1, 32),
    (512, 1, 32),
    (64, 16, 32),
    (64, 1, 1024),
    (16, 1, 16 * 1024),
    (4, 1, 1024 * 1024),
];

/// One of each length that a header can have.
const QUICK_POINTS: [(usize, usize, usize); 3] = [(1, 1, 32), (8, 4, 1024), (2, 1, 70_000)];

impl Options {
    pub fn sections(&self) -> Vec<Section> {
        if self.only.is_empty() {
            Section::value_variants().to_vec()
        } else {
            self.only.clone()
        }
    }

    pub fn points(&self) -> Vec<Point> {
        if !self.points.is_empty() {
            return self.points.clone();
        }
        let points: &[_] = if self.quick { &QUICK_POINTS } else { &POINTS };
        points
            .iter()
            .map(|&(connections, in_flight, bytes)| Point {
                connections,
                in_flight,
                bytes,
            })
            .collect()
    }

    pub fn times(&self) -> Times {
        let measured = if self.quick {
            Duration::from_millis(30)
        } else {
            self.seconds
        };
        Times {
            warm_up: measured / 5,
            measured,
        }
    }

    /// Rounds that do not count, and those that do.
    pub fn rounds(&self) -> (usize, usize) {
        if self.quick {
            (0, 1)
        } else {
            (1, self.rounds.max(1))
        }
    }

    pub fn rate(&self) -> u32 {
        if self.quick { 1000 } else { self.rate }
    }

    pub fn idle(&self) -> Vec<usize> {
        if self.quick { vec![100] } else { self.idle.clone() }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number")?;
    if (0.01..=600.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("0.01 to 600".to_owned())
    }
}
