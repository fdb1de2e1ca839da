//! From the start of a process to its first echo.

use crate::{
    run::Run,
    stats::{median, spread},
    table::{Table, percent, places},
    workload::{Point, Reply, Workload},
};

pub fn measure(run: &mut Run) {
    println!("## Start to first echo\n\nFrom the start of the process to the first reply of 32 bytes.\n");
    let workload = Workload::new(
        Reply::Verbatim,
        Point {
            connections: 1,
            in_flight: 1,
            bytes: 32,
        },
    );
    let peers = run.peers.clone();
    let mut times = vec![Vec::new(); peers.len()];
    for _ in 0..run.warm_rounds + 2 * run.rounds {
        for (peer, times) in peers.iter().zip(&mut times) {
            let echoed = run.start(peer, &peer.recipe).and_then(|server| {
                workload.open(server.addr, 0)?;
                Ok(server.since.elapsed().as_secs_f64() * 1e3)
            });
            match echoed {
                Ok(milliseconds) => times.push(milliseconds),
                Err(error) => run.fail("start", peer.name, error),
            }
        }
    }
    let mut table = Table::new(&["server", "ms", "spread"]);
    for (peer, times) in peers.iter().zip(&times).filter(|(_, times)| !times.is_empty()) {
        table.row(&[
            peer.name.to_owned(),
            places(median(times), 1),
            percent(spread(times)),
        ]);
    }
    table.print();
}
