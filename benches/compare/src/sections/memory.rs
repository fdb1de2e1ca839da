//! What an idle connection costs in memory.

use std::{io, thread, time::Duration};

use crate::{
    client::Client,
    peers::Peer,
    process::Recipe,
    run::Run,
    table::{Table, whole},
    workload::{Point, Reply, Workload},
};

/// A server may still be giving back what it no longer needs.
const SETTLE: Duration = Duration::from_secs(1);

/// Bytes a connection: just opened, and after a message each way.
struct Cost {
    opened: f64,
    used: f64,
}

pub fn measure(run: &mut Run, idle: &[usize]) {
    println!(
        "## Memory\n\nResident bytes of the server's process for each connection, after the handshake and after one \
         message each way. What the kernel holds for a socket is not in it.\n"
    );
    let idle: Vec<usize> = idle.iter().map(|&count| run.within_limits(count)).collect();
    let fewest = idle.iter().copied().min().unwrap_or(0);
    let columns = idle
        .iter()
        .map(|&count| (Reply::Verbatim, count, format!("{} plain", whole(count as f64))))
        .chain([(
            Reply::Compressed,
            fewest,
            format!("{} with deflate", whole(fewest as f64)),
        )])
        .collect::<Vec<_>>();
    let mut head = vec!["server".to_owned(), "process alone".to_owned()];
    for (.., name) in &columns {
        head.push(name.clone());
        head.push("after a message".to_owned());
    }
    let mut table = Table::new(&head);
    for peer in run.peers.clone().iter().filter(|peer| peer.real) {
        let mut alone = f64::NAN;
        let mut cells = Vec::new();
        for (reply, count, name) in &columns {
            let recipe = if reply.compressed() {
                peer.compressing.as_ref()
            } else {
                Some(&peer.recipe)
            };
            let cost = recipe
                .map(|recipe| cost(run, peer, recipe, *reply, *count))
                .transpose();
            match cost {
                Ok(Some((before, cost))) => {
                    if !reply.compressed() {
                        alone = before;
                    }
                    eprintln!("{} {name} {}", peer.name, whole(cost.opened));
                    cells.extend([whole(cost.opened), whole(cost.used)]);
                }
                Ok(None) => cells.extend(["–".to_owned(), "–".to_owned()]),
                Err(error) => {
                    run.fail(format!("memory of {name}"), peer.name, error);
                    cells.extend(["failed".to_owned(), "failed".to_owned()]);
                }
            }
        }
        let mut row = vec![peer.name.to_owned(), whole(alone)];
        row.extend(cells);
        table.row(&row);
    }
    table.print();
}

/// The server's memory before, and what each connection adds to it.
fn cost(run: &Run, peer: &Peer, recipe: &Recipe, reply: Reply, count: usize) -> io::Result<(f64, Cost)> {
    let bytes = if reply.compressed() { 1024 } else { 32 };
    let workload = Workload::new(
        reply,
        Point {
            connections: count,
            in_flight: 1,
            bytes,
        },
    );
    let server = run.start(peer, recipe)?;
    // What is made once, with the first connection, is not counted.
    drop(workload.open(server.addr, 0)?);
    thread::sleep(SETTLE.min(run.times.measured));
    let before = server.resident()?;
    let mut clients = Vec::with_capacity(count);
    for index in 0..count {
        clients.push(Client::open(
            server.addr,
            index,
            reply.path(),
            reply.compressed(),
        )?);
    }
    thread::sleep(SETTLE.min(run.times.measured));
    let opened = server.resident()?;
    for client in &mut clients {
        workload.check(client)?;
    }
    thread::sleep(SETTLE.min(run.times.measured));
    let used = server.resident()?;
    let each = |now: f64| (now - before) / count as f64;
    Ok((
        before,
        Cost {
            opened: each(opened),
            used: each(used),
        },
    ))
}
