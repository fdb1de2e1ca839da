//! What a message costs while more and more connections are open.

use std::io;

use crate::{
    client::Client,
    load::{Load, Outcome},
    peers::Peer,
    run::Run,
    stats::median,
    table::{Table, places, whole},
    workload::{Point, Reply, Workload},
};

/// Connections that say something while the others are idle.
const ACTIVE: usize = 64;
/// Where it begins; the sizes of the memory table follow.
const FEW: [usize; 3] = [1, 64, 1000];
/// Opening so many connections takes longer than a run: there are not as many rounds.
const ROUNDS: usize = 3;

pub fn measure(run: &mut Run, idle: &[usize]) {
    println!(
        "## As connections grow\n\nConnections open, 64 of them active (all where there are fewer) with one message of \
         32 bytes in flight: messages a second, and µs of the server's processor time a message.\n"
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
    let peers: Vec<Peer> = run.peers.iter().filter(|peer| peer.real).cloned().collect();
    // For each server and size, the rates and the costs.
    let mut samples = vec![vec![(Vec::new(), Vec::new()); sizes.len()]; peers.len()];
    for _ in 0..run.rounds.min(ROUNDS) {
        for (peer, samples) in peers.iter().zip(&mut samples) {
            match climb(run, peer, &sizes) {
                Ok(outcomes) => {
                    for (outcome, (rates, costs)) in outcomes.iter().zip(samples) {
                        rates.push(outcome.rate());
                        costs.push(outcome.cost());
                    }
                }
                Err(error) => run.fail("growth", peer.name, error),
            }
        }
    }
    let mut head = vec!["server".to_owned()];
    for &size in &sizes {
        head.extend([format!("{} open", whole(size as f64)), "µs".to_owned()]);
    }
    let mut table = Table::new(&head);
    for (peer, samples) in peers.iter().zip(&samples) {
        let mut row = vec![peer.name.to_owned()];
        for (rates, costs) in samples {
            row.extend([whole(median(rates)), places(median(costs), 2)]);
        }
        table.row(&row);
    }
    table.print();
}

/// One server, with more connections at each step.
fn climb(run: &Run, peer: &Peer, sizes: &[usize]) -> io::Result<Vec<Outcome>> {
    let workload = Workload::new(
        Reply::Verbatim,
        Point {
            connections: ACTIVE,
            in_flight: 1,
            bytes: 32,
        },
    );
    let server = run.start(peer, &peer.recipe)?;
    let mut idle = Vec::new();
    let mut outcomes = Vec::new();
    for &size in sizes {
        let active = size.min(ACTIVE);
        while idle.len() + active < size {
            idle.push(Client::open(
                server.addr,
                idle.len(),
                workload.reply.path(),
                false,
            )?);
        }
        let outcome = run
            .undisturbed(|| Load::open(&server, &workload, active, 1, run.cores)?.run(&server, run.times))?;
        eprintln!("{} of {size} {}", peer.name, whole(outcome.rate()));
        outcomes.push(outcome);
    }
    Ok(outcomes)
}
