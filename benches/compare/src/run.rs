//! One comparison: its servers, its cores, and what went wrong in it.

use std::{fmt::Display, io, time::Duration};

use crate::{
    load::{Outcome, Times},
    machine::{self, Cores},
    options::Options,
    peers::{self, Choice, Peer},
    process::{Recipe, Server},
};

/// Files that a process needs beside its connections.
const OTHER_FILES: u64 = 100;
/// A run that lost more than this share of a core to others is made again.
const DISTURBED: f64 = 0.05;

pub struct Run {
    pub peers: Vec<Peer>,
    pub cores: Option<Cores>,
    pub times: Times,
    /// Rounds that do not count, and those that do.
    pub warm_rounds: usize,
    pub rounds: usize,
    missing: Vec<String>,
    open_files: u64,
    failures: Vec<String>,
    machine: Vec<String>,
}

impl Run {
    /// Finds the servers, builds ours, and takes the load's core.
    pub fn prepare(options: &Options) -> io::Result<Self> {
        let cores = Cores::choose();
        let open_files = machine::raise_open_files();
        let choice = Choice {
            only: options.peers.clone(),
            binary: options.ws_echo.clone(),
            before: options.before.clone(),
        };
        let (peers, missing) = peers::find(&choice)?;
        // After the builds, which are to have all cores.
        let machine = machine::describe(cores, open_files);
        if let Some(cores) = cores {
            machine::pin(cores.load)?;
        }
        let (warm_rounds, rounds) = options.rounds();
        Ok(Self {
            peers,
            cores,
            times: options.times(),
            warm_rounds,
            rounds,
            missing,
            open_files,
            failures: Vec::new(),
            machine,
        })
    }

    /// The machine and the versions.
    pub fn introduce(&self) {
        println!("## Machine and versions\n");
        for line in &self.machine {
            println!("- {line}");
        }
        let versions: Vec<String> = self
            .peers
            .iter()
            .map(|peer| format!("{}: {}", peer.name, peer.version))
            .collect();
        println!("- {}", versions.join("; "));
        let compiler = machine::said("rustc", &["--version"]).unwrap_or_else(|| "rustc unknown".to_owned());
        println!("- {compiler}, link-time optimisation and mimalloc for all that is Rust");
        println!(
            "- {} s a run, {} round{} that count{}, servers in turn within each\n",
            self.times.measured.as_secs_f64(),
            self.rounds,
            if self.rounds == 1 { "" } else { "s" },
            if self.rounds == 1 { "s" } else { "" },
        );
        for line in &self.missing {
            println!("{line}.\n");
        }
    }

    /// Starts a server on its core.
    pub fn start(&self, peer: &Peer, recipe: &Recipe) -> io::Result<Server> {
        Server::start(peer.name, recipe, self.cores.map(|cores| cores.server))
    }

    /// Measures once more where something else had the cores meanwhile, and takes the run that lost less of them. On a
    /// machine that is never quiet this doubles the time, and no more.
    pub fn undisturbed(&self, measure: impl Fn() -> io::Result<Outcome>) -> io::Result<Outcome> {
        let first = measure()?;
        // The kernel counts in hundredths of a second: of a shorter run it cannot say.
        let tells = self.times.measured >= Duration::from_millis(300);
        if !tells || first.usage.disturbed.is_none_or(|share| share <= DISTURBED) {
            return Ok(first);
        }
        let second = measure()?;
        Ok(if second.usage.disturbed < first.usage.disturbed {
            second
        } else {
            first
        })
    }

    /// At most as many connections as a process here can hold.
    pub fn within_limits(&self, connections: usize) -> usize {
        connections.min(self.open_files.saturating_sub(OTHER_FILES) as usize)
    }

    /// Remembers what went wrong; the others go on.
    pub fn fail(&mut self, what: impl Display, peer: &str, error: impl Display) {
        let line = format!("{peer}, {what}: {error}");
        eprintln!("FAILED {line}");
        self.failures.push(line);
    }

    /// Says what went wrong, and whether nothing did.
    pub fn conclude(&self) -> bool {
        if !self.failures.is_empty() {
            println!("## What failed\n");
            for line in &self.failures {
                println!("- {line}");
            }
        }
        self.failures.is_empty()
    }
}
