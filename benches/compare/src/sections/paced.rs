//! Latency where all servers have the same to do.

use crate::{
    load::{Load, Outcome},
    run::Run,
    stats::median,
    table::{Table, percent, places, whole},
    workload::{Point, Reply, Workload},
};

const CONNECTIONS: usize = 64;

pub fn measure(run: &mut Run, rate: u32) {
    println!("## Latency at the same rate\n");
    if run.cores.is_none() {
        println!("Left out: the load needs a core of its own to keep time.\n");
        return;
    }
    println!(
        "{} messages a second of 32 bytes over {CONNECTIONS} connections, whatever the \
         server does: µs from when a message was due to its reply.\n",
        whole(f64::from(rate))
    );
    let workload = Workload::new(
        Reply::Verbatim,
        Point {
            connections: CONNECTIONS,
            in_flight: 1,
            bytes: 32,
        },
    );
    let mut servers = Vec::new();
    for peer in run.peers.clone() {
        match run.start(&peer, &peer.recipe) {
            Ok(server) => servers.push((peer, server, Vec::<Outcome>::new())),
            Err(error) => run.fail("pace", peer.name, error),
        }
    }
    for round in 0..run.warm_rounds + run.rounds {
        let mut failed = Vec::new();
        for (peer, server, outcomes) in &mut servers {
            let outcome = run.undisturbed(|| {
                Load::open(server, &workload, CONNECTIONS, 1, run.cores)?.paced(server, run.times, rate)
            });
            match outcome {
                Ok(outcome) if round >= run.warm_rounds => outcomes.push(outcome),
                Ok(_) => {}
                Err(error) => {
                    run.fail("pace", peer.name, error);
                    failed.push(peer.name);
                }
            }
        }
        servers.retain(|(peer, ..)| !failed.contains(&peer.name));
    }
    let mut table = Table::new(&[
        "server",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "server busy",
        "disturbed",
    ]);
    for (peer, _, outcomes) in &servers {
        let figure =
            |value: &dyn Fn(&Outcome) -> f64| median(&outcomes.iter().map(value).collect::<Vec<_>>());
        table.row(&[
            peer.name.to_owned(),
            places(figure(&|outcome| outcome.microseconds(0.5)), 0),
            places(figure(&|outcome| outcome.microseconds(0.99)), 0),
            places(figure(&|outcome| outcome.microseconds(0.999)), 0),
            percent(figure(&Outcome::server_busy)),
            percent(figure(&|outcome| outcome.usage.disturbed.unwrap_or(f64::NAN))),
        ]);
    }
    table.print();
}
