//! The figures of one run: messages, latency and processor time.

use std::{
    fs, io,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use rustix::param::clock_ticks_per_second;

use crate::{
    machine::{self, Cores},
    process::Server,
    run::Run,
};

/// Time within which a server must send all awaited replies.
pub const REPLY_TIMEOUT: Duration = Duration::from_secs(10);

/// The figures of one run. Shares are of a core, times are in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Messages or connections a second.
    pub rate: f64,
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    /// The server's processor time for one of them.
    pub cost: f64,
    pub server_busy: f64,
    /// Without the time in which the load generator polled without events.
    pub load_busy: f64,
    /// The share that other processes took, on the core that lost more. NaN if the cores are not pinned.
    pub disturbed: f64,
}

/// Takes the figures of one run, after its warm-up.
pub struct Meter<'a> {
    server: &'a Server,
    cores: Option<Cores>,
    measured: Duration,
    /// When the next readings are due: at the end of the warm-up and at the end of the run.
    due: Instant,
    readings: Vec<Readings>,
    latency: Histogram<u64>,
    /// Processor seconds spent on polling without events, and the processor time at which such polling began.
    spun: f64,
    idle_since: Option<f64>,
}

/// Seconds, each since a start of its own.
#[derive(Clone, Copy)]
struct Readings {
    time: Instant,
    server: f64,
    load: f64,
    spun: f64,
    /// Busy time of the server's core and of the load's.
    cores: [f64; 2],
}

impl<'a> Meter<'a> {
    pub fn new(run: &Run, server: &'a Server) -> io::Result<Self> {
        Ok(Self {
            server,
            cores: run.cores,
            measured: run.measured,
            due: Instant::now() + run.measured / 5,
            readings: Vec::new(),
            latency: Histogram::new(3).map_err(io::Error::other)?,
            spun: 0.0,
            idle_since: None,
        })
    }

    /// Takes the readings that are due, and returns whether the run continues.
    pub fn running(&mut self) -> io::Result<bool> {
        let now = Instant::now();
        if now > self.due + REPLY_TIMEOUT {
            return Err(io::Error::other("the server does not reply"));
        }
        if self.readings.len() < 2 && now >= self.due {
            self.idle(false);
            self.readings.push(self.read());
            self.due = Instant::now() + self.measured;
        }
        Ok(self.readings.len() < 2)
    }

    /// Records whether the last poll of the load generator had no events.
    pub fn idle(&mut self, idle: bool) {
        match self.idle_since {
            None if idle => self.idle_since = Some(machine::processor_time()),
            Some(since) if !idle => {
                self.spun += machine::processor_time() - since;
                self.idle_since = None;
            }
            _ => {}
        }
    }

    /// Counts replies, unless the run warms up or is over.
    pub fn record(&mut self, latency: Duration, replies: usize) {
        if self.readings.len() == 1 {
            // The histogram grows, so that no value is out of its range.
            let _ = self.latency.record_n(latency.as_nanos() as u64, replies as u64);
        }
    }

    /// Returns the figures, once the run is over.
    pub fn outcome(&self) -> Outcome {
        let (start, end) = (self.readings[0], self.readings[1]);
        let seconds = (end.time - start.time).as_secs_f64();
        let (server, load) = (end.server - start.server, end.load - start.load);
        let others = (end.cores[0] - start.cores[0] - server).max(end.cores[1] - start.cores[1] - load);
        let microseconds = |quantile| self.latency.value_at_quantile(quantile) as f64 / 1e3;
        Outcome {
            rate: self.latency.len() as f64 / seconds,
            p50: microseconds(0.5),
            p99: microseconds(0.99),
            p999: microseconds(0.999),
            cost: server * 1e6 / self.latency.len() as f64,
            server_busy: server / seconds,
            load_busy: (load - (end.spun - start.spun)).max(0.0) / seconds,
            // Unlike max, clamp keeps NaN.
            disturbed: others.clamp(0.0, f64::MAX) / seconds,
        }
    }

    fn read(&self) -> Readings {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let busy = |core: Option<usize>| core.and_then(|core| busy(&stat, core)).unwrap_or(f64::NAN);
        Readings {
            time: Instant::now(),
            server: self.server.processor_time(),
            load: machine::processor_time(),
            spun: self.spun,
            cores: [
                busy(self.cores.map(|cores| cores.server)),
                busy(self.cores.map(|cores| cores.load)),
            ],
        }
    }
}

/// Returns the seconds in which a core worked for any process, or for another guest of the host.
fn busy(stat: &str, core: usize) -> Option<f64> {
    let line = stat
        .lines()
        .find_map(|line| line.strip_prefix(&format!("cpu{core} ")))?;
    let ticks: Vec<f64> = line
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    // user, nice, system and steal; the time of interrupts belongs to no process.
    let sum = ticks.first()? + ticks.get(1)? + ticks.get(2)? + ticks.get(7)?;
    Some(sum / clock_ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_core_is_found() {
        let stat = "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 100 0 200 5 5 5 5 100 0 0\ncpu10 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(busy(stat, 0), Some(400.0 / clock_ticks_per_second() as f64));
        assert_eq!(busy(stat, 1), None);
    }
}
