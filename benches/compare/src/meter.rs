//! Processor time: of the server, of the load, and of whatever else ran on their cores.

use std::{fs, time::Instant};

use rustix::param::clock_ticks_per_second;

use crate::{
    machine::{self, Cores},
    process::Server,
};

/// Begins to measure when it is made.
pub struct Meter {
    cores: Option<Cores>,
    since: Instant,
    at: Readings,
}

/// Seconds, each since some time of its own.
struct Readings {
    server: f64,
    load: f64,
    /// Of the server's core and of the load's.
    cores: Option<(f64, f64)>,
}

/// What was used between two readings.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub seconds: f64,
    pub server: f64,
    pub load: f64,
    /// The share of a core that went to others, on the core that lost more; nothing where no core is ours.
    pub disturbed: Option<f64>,
}

impl Meter {
    pub fn begin(server: &Server, cores: Option<Cores>) -> Self {
        let at = Readings::take(server, cores);
        Self {
            cores,
            since: Instant::now(),
            at,
        }
    }

    pub fn since(&self) -> Instant {
        self.since
    }

    pub fn end(&self, server: &Server) -> Usage {
        let seconds = self.since.elapsed().as_secs_f64();
        let now = Readings::take(server, self.cores);
        let (server, load) = (now.server - self.at.server, now.load - self.at.load);
        let disturbed = now.cores.zip(self.at.cores).map(|(now, at)| {
            let others = (now.0 - at.0 - server).max(now.1 - at.1 - load);
            (others / seconds).max(0.0)
        });
        Usage {
            seconds,
            server,
            load,
            disturbed,
        }
    }
}

impl Readings {
    fn take(server: &Server, cores: Option<Cores>) -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        Self {
            server: server.cpu(),
            load: machine::cpu_of_this(),
            cores: cores.and_then(|cores| Some((busy(&stat, cores.server)?, busy(&stat, cores.load)?))),
        }
    }
}

/// Seconds in which a core worked for some process, or for another guest of the host.
fn busy(stat: &str, core: usize) -> Option<f64> {
    let name = format!("cpu{core} ");
    let line = stat.lines().find_map(|line| line.strip_prefix(&name))?;
    let ticks: Vec<f64> = line
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    // user, nice, system, and steal; what interrupts take is no process's.
    let sum = ticks.first()? + ticks.get(1)? + ticks.get(2)? + ticks.get(7)?;
    Some(sum / clock_ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_found_in_stat() {
        let stat = "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 100 0 200 5 5 5 5 100 0 0\ncpu10 1 1 1 1 1 1 1 1 0 0\n";
        let ticks = clock_ticks_per_second() as f64;
        assert_eq!(busy(stat, 0), Some(400.0 / ticks));
        assert_eq!(busy(stat, 1), None);
    }
}
