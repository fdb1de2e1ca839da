//! System calls a message, as strace counts them.

use std::{
    collections::BTreeMap,
    fs, io,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    load::Load,
    machine,
    peers::Peer,
    process::{self, Server},
    run::Run,
    table::{Table, places},
    workload::{Point, Reply, Workload},
};

const POINTS: [(Point, usize); 2] = [
    (
        Point {
            connections: 1,
            in_flight: 1,
            bytes: 32,
        },
        5000,
    ),
    (
        Point {
            connections: 64,
            in_flight: 16,
            bytes: 32,
        },
        100,
    ),
];
/// The longest that strace may take to attach and to sum up.
const PATIENCE: Duration = Duration::from_secs(10);

pub fn measure(run: &mut Run) {
    println!("## System calls\n");
    if machine::said("strace", &["--version"]).is_none() {
        println!("Left out: strace is not installed.\n");
        return;
    }
    println!(
        "System calls of the server a message, counted by strace, which slows the server down and so may have it find \
         more at once than it would alone. Those above 0.005 are named.\n"
    );
    let mut table = Table::new(&["server", "point", "all", "by name"]);
    for peer in run.peers.clone() {
        // Attaching takes longest: a check does it once.
        let points = if run.warm_rounds == 0 {
            &POINTS[..1]
        } else {
            &POINTS
        };
        for &(point, batches) in points {
            let batches = if run.warm_rounds == 0 {
                batches / 10
            } else {
                batches
            };
            match count(run, &peer, point, batches) {
                Ok(counts) => {
                    let all: f64 = counts.values().sum();
                    let mut named: Vec<(&String, &f64)> =
                        counts.iter().filter(|(_, count)| **count > 0.005).collect();
                    named.sort_by(|one, other| other.1.total_cmp(one.1));
                    let named: Vec<String> = named
                        .iter()
                        .map(|(name, count)| format!("{name} {}", places(**count, 2)))
                        .collect();
                    let row = [
                        peer.name.to_owned(),
                        point.to_string(),
                        places(all, 2),
                        named.join(", "),
                    ];
                    table.row(&row);
                }
                Err(error) => run.fail(format!("system calls at {point}"), peer.name, error),
            }
        }
    }
    table.print();
}

/// Calls a message, by name.
fn count(run: &Run, peer: &Peer, point: Point, batches: usize) -> io::Result<BTreeMap<String, f64>> {
    let workload = Workload::new(Reply::Verbatim, point);
    let server = run.start(peer, &peer.recipe)?;
    // No core is its own here: strace needs it too.
    let mut load = Load::open(&server, &workload, point.connections, point.in_flight, None)?;
    // Buffers grow and code is compiled before it counts.
    load.batches(batches)?;
    let strace = Strace::attach(&server)?;
    let messages = load.batches(batches)? as f64;
    let counts = strace.detach()?;
    Ok(counts
        .into_iter()
        .map(|(name, count)| (name, count as f64 / messages))
        .collect())
}

/// strace, attached to a server; ended with this, whatever happens.
struct Strace {
    child: std::process::Child,
    summary: PathBuf,
    said: PathBuf,
}

impl Strace {
    fn attach(server: &Server) -> io::Result<Self> {
        let (summary, said) = (process::log("strace.txt")?, process::log("strace.log")?);
        let child = Command::new("strace")
            .args(["-f", "-c", "-U", "calls,name", "-o"])
            .arg(&summary)
            .args(["-p", &server.pid().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&said)?)
            .spawn()?;
        let mut strace = Self { child, summary, said };
        let since = Instant::now();
        loop {
            let text = fs::read_to_string(&strace.said)?;
            if text.contains("attached") {
                // It says so of the first thread; the others follow at once.
                thread::sleep(Duration::from_millis(50));
                return Ok(strace);
            }
            if strace.child.try_wait()?.is_some() || since.elapsed() > PATIENCE {
                return Err(io::Error::other(format!("strace cannot attach: {}", text.trim())));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn detach(mut self) -> io::Result<BTreeMap<String, u64>> {
        if let Some(pid) = Pid::from_raw(self.child.id() as i32) {
            kill_process(pid, Signal::INT)?;
        }
        let since = Instant::now();
        while self.child.try_wait()?.is_none() {
            if since.elapsed() > PATIENCE {
                return Err(io::Error::other("strace does not end"));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(summed(&fs::read_to_string(&self.summary)?))
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let _ = fs::remove_file(&self.summary);
        let _ = fs::remove_file(&self.said);
    }
}

/// Lines of a count and a name; the last one, the total, is not taken.
fn summed(text: &str) -> BTreeMap<String, u64> {
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let count = words.next()?.parse().ok()?;
        Some((words.next()?.to_owned(), count))
    });
    lines.filter(|(name, _)| name != "total").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_read() {
        let text = "    calls syscall\n--------- ----------------\n     5000 recvfrom\n       12 futex\n--------- ----------------\n     5012 total\n";
        let counts = summed(text);
        assert_eq!(counts.len(), 2);
        assert_eq!(counts["recvfrom"], 5000);
    }
}
