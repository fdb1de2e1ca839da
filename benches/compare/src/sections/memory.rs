//! The cost of idle connections: their memory, and the processor time of a message on a server that has them.

use std::{io, thread, time::Duration};

use crate::{
    client::Client,
    load::Load,
    meter::Outcome,
    report::{Samples, places, table, whole},
    run::Run,
    servers::Spec,
    workload::{Point, Reply, Workload},
};

/// A server may still return memory that it no longer needs.
const SETTLE: Duration = Duration::from_secs(1);
/// Connections of "As connections grow" that are active.
const ACTIVE: usize = 64;
/// The first sizes of "As connections grow". The sizes of "Memory" follow.
const FEW: [usize; 3] = [1, 64, 1000];
/// Opening the connections takes longer than a run, so that there are fewer rounds.
const GROWTH_ROUNDS: usize = 3;

pub fn idle(run: &mut Run, idle: &[usize]) {
    println!(
        "### Memory\n\nResident bytes of the server's process for each connection, after the handshake and after one \
         message in each direction. The kernel's memory for the socket is not included.\n"
    );
    let idle: Vec<usize> = idle.iter().map(|&count| run.within_limits(count)).collect();
    let fewest = idle.iter().copied().min().unwrap_or(0);
    let plain = idle.iter().map(|&count| (Reply::Verbatim, count));
    let columns: Vec<_> = plain.chain([(Reply::Compressed, fewest)]).collect();
    let mut head = "server | process alone".to_owned();
    for &(reply, count) in &columns {
        let kind = if reply == Reply::Compressed {
            "with deflate"
        } else {
            "plain"
        };
        head += &format!(" | {} {kind} | after a message", whole(count as f64));
    }
    let mut rows = Vec::new();
    for spec in run.websocket_servers() {
        let (mut alone, mut cells) = (f64::NAN, Vec::new());
        for &(reply, count) in &columns {
            let plain = reply == Reply::Verbatim;
            let Some(spec) = (if plain {
                Some(spec.clone())
            } else {
                spec.compressing()
            }) else {
                cells.extend(["–", "–"].map(str::to_owned));
                continue;
            };
            match connection_memory(run, &spec, reply, count) {
                Ok((before, opened, used)) => {
                    if plain {
                        alone = before;
                    }
                    eprintln!("{} {count} {reply:?} {}", spec.name, whole(opened));
                    cells.extend([whole(opened), whole(used)]);
                }
                Err(error) => {
                    let what = format!("memory of {count} connections, {reply:?}");
                    run.fail(what, spec.name, error);
                    cells.extend(["failed", "failed"].map(str::to_owned));
                }
            }
        }
        rows.push([vec![spec.name.to_owned(), whole(alone)], cells].concat());
    }
    table(&head, &rows);
}

/// Returns the server's memory without connections, and the growth for each after the handshake and after a message.
fn connection_memory(run: &Run, spec: &Spec, reply: Reply, count: usize) -> io::Result<(f64, f64, f64)> {
    let bytes = if reply == Reply::Compressed { 1024 } else { 32 };
    let workload = Workload::new(reply, Point::new(count, 1, bytes));
    let server = run.start(spec)?;
    let resident = || {
        thread::sleep(SETTLE.min(run.measured));
        server.resident()
    };
    // The first connection allocates memory that all share.
    drop(workload.open(&server)?);
    let before = resident()?;
    let clients: io::Result<Vec<_>> = (0..count).map(|_| Client::open(&server, reply)).collect();
    let mut clients = clients?;
    let opened = resident()?;
    for client in &mut clients {
        workload.check(client)?;
    }
    let used = resident()?;
    let each = |now: f64| (now - before) / count as f64;
    Ok((before, each(opened), each(used)))
}

pub fn growth(run: &mut Run, idle: &[usize]) {
    println!(
        "### As connections grow\n\nAt most {ACTIVE} of the open connections are active, with one message of 32 bytes in \
         flight. Messages a second, and µs of the server's processor time for each.\n"
    );
    let most = idle.iter().copied().max().unwrap_or(0);
    let mut sizes: Vec<usize> = FEW
        .iter()
        .chain(idle)
        .map(|&size| run.within_limits(size))
        .collect();
    sizes.retain(|&size| size <= most);
    sizes.sort_unstable();
    sizes.dedup();
    let specs = run.websocket_servers();
    let mut results: Vec<Vec<Samples>> = specs
        .iter()
        .map(|_| sizes.iter().map(|_| Samples::default()).collect())
        .collect();
    for _ in 0..run.rounds.min(GROWTH_ROUNDS) {
        for (spec, samples) in specs.iter().zip(&mut results) {
            match climb(run, spec, &sizes) {
                Ok(outcomes) => samples
                    .iter_mut()
                    .zip(outcomes)
                    .for_each(|(samples, outcome)| samples.0.push(outcome)),
                Err(error) => run.fail("growth", spec.name, error),
            }
        }
    }
    let columns = sizes
        .iter()
        .map(|&size| format!(" | {} open | µs", whole(size as f64)));
    let mut rows = Vec::new();
    for (spec, sizes) in specs.iter().zip(&results) {
        let mut row = vec![spec.name.to_owned()];
        for samples in sizes {
            row.push(whole(samples.median(|outcome| outcome.rate)));
            row.push(places(samples.median(|outcome| outcome.cost), 2));
        }
        rows.push(row);
    }
    table(&format!("server{}", columns.collect::<String>()), &rows);
}

/// Measures one server with more open connections at each step.
fn climb(run: &Run, spec: &Spec, sizes: &[usize]) -> io::Result<Vec<Outcome>> {
    let server = run.start(spec)?;
    let mut idle = Vec::new();
    let mut outcomes = Vec::new();
    for &size in sizes {
        let workload = Workload::small(size.min(ACTIVE));
        while idle.len() + ACTIVE < size {
            idle.push(Client::open(&server, workload.reply)?);
        }
        let outcome = run.undisturbed(|| {
            Load::open(&server, &workload, run.cores.is_some())?.run(run.meter(&server)?, None)
        })?;
        eprintln!("{} of {size} {}", spec.name, whole(outcome.rate));
        outcomes.push(outcome);
    }
    Ok(outcomes)
}
