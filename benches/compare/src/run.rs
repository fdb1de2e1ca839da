//! One comparison: its servers, its cores, its rounds and its failures.

use std::{fmt::Display, io, time::Duration};

use crate::{
    Options,
    machine::{self, Cores},
    meter::{Meter, Outcome},
    process::Server,
    report::{Samples, whole},
    servers::{self, Spec},
};

/// Files that a process needs besides its connections.
const OTHER_FILES: u64 = 100;
/// Linux has 28,231 ports for connections to one address.
const PORTS: u64 = 28_000;
/// A run is repeated if other processes took more than this share of a core.
const DISTURBED: f64 = 0.05;

pub struct Run {
    pub servers: Vec<Spec>,
    pub cores: Option<Cores>,
    pub quick: bool,
    /// The duration of one run, which follows a warm-up of a fifth of it.
    pub measured: Duration,
    /// Rounds of warm-up, and measured rounds.
    pub warm_rounds: usize,
    pub rounds: usize,
    open_files: u64,
    failures: Vec<String>,
}

impl Run {
    /// Finds the servers, builds ws-echo, moves to the load generator's core, and prints the first section.
    pub fn prepare(options: &Options) -> io::Result<Self> {
        let (cores, open_files) = (Cores::choose(), machine::raise_open_files());
        let (servers, missing) = servers::find(options)?;
        println!("### Machine and versions\n");
        machine::describe(cores, open_files);
        // Not earlier, because the builds need all cores.
        if let Some(cores) = cores {
            machine::pin(cores.load)?;
        }
        let versions: Vec<_> = servers
            .iter()
            .map(|spec| format!("{}: {}", spec.name, spec.version))
            .collect();
        println!("- {}", versions.join("; "));
        let compiler = machine::output("rustc", &["--version"]).unwrap_or_else(|| "rustc unknown".to_owned());
        println!("- {compiler}, link-time optimisation and mimalloc for all Rust servers");
        let (seconds, rounds) = (options.seconds, options.rounds);
        let plural = if rounds == 1 { "" } else { "s" };
        println!(
            "- {seconds} s for each run, {rounds} measured round{plural}, each server once in a round\n"
        );
        for line in missing {
            println!("{line}.\n");
        }
        Ok(Self {
            servers,
            cores,
            quick: options.quick,
            measured: Duration::from_secs_f64(seconds),
            warm_rounds: usize::from(!options.quick),
            rounds: usize::from(rounds),
            open_files,
            failures: Vec::new(),
        })
    }

    /// Returns the compared servers without the responder, which is no WebSocket server.
    pub fn websocket_servers(&self) -> Vec<Spec> {
        self.servers
            .iter()
            .filter(|spec| spec.name != servers::RESPONDER)
            .cloned()
            .collect()
    }

    pub fn start(&self, spec: &Spec) -> io::Result<Server> {
        Server::start(spec, self.cores)
    }

    pub fn meter<'a>(&self, server: &'a Server) -> io::Result<Meter<'a>> {
        Meter::new(self, server)
    }

    /// Measures every server once in each round. The servers stay up, and are idle while another one is measured.
    /// Returns the servers without a failure.
    pub fn rounds(
        &mut self,
        what: &str,
        specs: &[Spec],
        measure: impl Fn(&Self, &Server) -> io::Result<Outcome>,
    ) -> Vec<(Spec, Samples)> {
        let start = |spec: &Spec| {
            let server = self
                .start(spec)
                .map_err(|error| self.fail(what, spec.name, error))
                .ok();
            (spec.clone(), server, Samples::default())
        };
        let mut servers: Vec<_> = specs.iter().map(start).collect();
        for round in 0..self.warm_rounds + self.rounds {
            for turn in 0..servers.len() {
                // Each round starts with another server, so that no server always follows the same one.
                let turn = (round + turn) % servers.len();
                let (spec, server, samples) = &mut servers[turn];
                let Some(running) = server else { continue };
                match self.undisturbed(|| measure(self, running)) {
                    Ok(outcome) if round >= self.warm_rounds => {
                        eprintln!("{what} {} {}", spec.name, whole(outcome.rate));
                        samples.0.push(outcome);
                    }
                    Ok(_) => {}
                    Err(error) => {
                        *server = None;
                        self.fail(what, spec.name, error);
                    }
                }
            }
        }
        let results = servers.into_iter().filter(|(_, server, _)| server.is_some());
        results.map(|(spec, _, samples)| (spec, samples)).collect()
    }

    /// Measures once more if other processes used the cores meanwhile, and returns the less disturbed run. On a machine
    /// that is never quiet this doubles the time at most.
    pub fn undisturbed(&self, measure: impl Fn() -> io::Result<Outcome>) -> io::Result<Outcome> {
        let first = measure()?;
        // The kernel counts hundredths of a second, which is too coarse for a shorter run.
        if self.measured < Duration::from_millis(300)
            || first.disturbed.is_nan()
            || first.disturbed <= DISTURBED
        {
            return Ok(first);
        }
        let second = measure()?;
        Ok(if second.disturbed < first.disturbed {
            second
        } else {
            first
        })
    }

    /// Returns at most as many connections as a process here can open.
    pub fn within_limits(&self, connections: usize) -> usize {
        connections.min(self.open_files.saturating_sub(OTHER_FILES).min(PORTS) as usize)
    }

    /// Adds a failure to the last section. The comparison continues.
    pub fn fail(&mut self, what: impl Display, server: &str, error: impl Display) {
        let line = format!("{server}, {what}: {error}");
        eprintln!("FAILED {line}");
        self.failures.push(line);
    }

    /// Prints the failures, and returns whether there are none.
    pub fn conclude(&self) -> bool {
        if !self.failures.is_empty() {
            println!("### Failures\n\n- {}", self.failures.join("\n- "));
        }
        self.failures.is_empty()
    }
}
