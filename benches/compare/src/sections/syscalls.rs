//! System calls a message, as strace counts them.

use std::{
    io::{self, BufRead, BufReader, Read},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    load::Load,
    machine,
    report::{places, table},
    run::Run,
    servers::Spec,
    workload::{Point, Reply, Workload},
};

const POINTS: [Point; 2] = [Point::new(1, 1, 32), Point::new(64, 16, 32)];

pub fn measure(run: &mut Run) {
    println!("### System calls\n");
    if machine::output("strace", &["--version"]).is_none() {
        println!("Skipped: strace is not installed.\n");
        return;
    }
    println!(
        "System calls of the server for each message, by strace. strace slows the server down, so that a read may return \
         more messages than usual. Calls above 0.005 are named.\n"
    );
    let points = if run.quick { &POINTS[..1] } else { &POINTS };
    let mut rows = Vec::new();
    for spec in run.servers.clone() {
        for &point in points {
            match count(run, &spec, point) {
                Ok(mut calls) => {
                    let all = places(calls.iter().map(|(_, count)| count).sum(), 2);
                    calls.retain(|(_, count)| *count > 0.005);
                    calls.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
                    let named: Vec<_> = calls
                        .iter()
                        .map(|(name, count)| format!("{name} {count:.2}"))
                        .collect();
                    rows.push(vec![
                        spec.name.to_owned(),
                        point.to_string(),
                        all,
                        named.join(", "),
                    ]);
                }
                Err(error) => run.fail(format!("system calls at {point}"), spec.name, error),
            }
        }
    }
    table("server | point | all | by name", &rows);
}

/// Returns the calls for each message, by name.
fn count(run: &Run, spec: &Spec, point: Point) -> io::Result<Vec<(String, f64)>> {
    let workload = Workload::new(Reply::Verbatim, point);
    let server = run.start(spec)?;
    // The load generator does not spin, because strace needs a core too.
    let mut load = Load::open(&server, &workload, false)?;
    // Buffers grow and code is compiled before the calls count.
    load.run(run.meter(&server)?, None)?;
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-U", "calls,name", "-p", &server.pid().to_string()]);
    let mut strace = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut output = BufReader::new(strace.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?);
    let mut text = String::new();
    output.read_line(&mut text)?;
    if !text.contains("attached") {
        strace.wait()?;
        return Err(io::Error::other(format!("strace cannot attach: {}", text.trim())));
    }
    // strace reports the first thread, and attaches to the others at once.
    thread::sleep(Duration::from_millis(50));
    let before = load.replies;
    let outcome = run.meter(&server).and_then(|meter| load.run(meter, None));
    kill_process(Pid::from_child(&strace), Signal::INT)?;
    output.read_to_string(&mut text)?;
    strace.wait()?;
    outcome?;
    Ok(summary(&text, (load.replies - before) as f64))
}

/// Parses the lines with a count and a name, without the total.
fn summary(text: &str, messages: f64) -> Vec<(String, f64)> {
    let lines = text.lines().filter_map(|line| {
        let (count, name) = line.trim().split_once(' ')?;
        Some((name.trim().to_owned(), count.parse::<f64>().ok()? / messages))
    });
    lines.filter(|(name, _)| name != "total").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_parsed() {
        let text = "strace: Process 7 detached\n    calls syscall\n--------- ------\n     5000 recvfrom\n       12 futex\n--------- ------\n     5012 total\n";
        let calls = summary(text, 10.0);
        assert_eq!(calls, [("recvfrom".to_owned(), 500.0), ("futex".to_owned(), 1.2)]);
    }
}
