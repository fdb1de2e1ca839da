//! Latency at the same rate, and the time from the start of a server to its first reply.

use crate::{
    load::Load,
    report::{median, percent, places, spread, table, whole},
    run::Run,
    workload::Workload,
};

const CONNECTIONS: usize = 64;

pub fn paced(run: &mut Run, rate: u32) {
    println!("### Latency at the same rate\n");
    if run.cores.is_none() {
        println!("Skipped: the load generator needs its own core to send at a fixed rate.\n");
        return;
    }
    println!(
        "{} messages of 32 bytes a second over {CONNECTIONS} connections, independent of the replies. The time is from \
         when a message was due to its reply.\n",
        whole(f64::from(rate))
    );
    let workload = Workload::small(CONNECTIONS);
    let results = run.rounds("paced", &run.servers.clone(), |run, server| {
        Load::open(server, &workload, true)?.run(run.meter(server)?, Some(rate))
    });
    let mut rows = Vec::new();
    for (spec, samples) in &results {
        let [server_busy, _, disturbed] = samples.busy();
        let microseconds = |value| places(samples.median(value), 0);
        let quantiles = [
            microseconds(|of| of.p50),
            microseconds(|of| of.p99),
            microseconds(|of| of.p999),
        ];
        rows.push(
            [
                vec![spec.name.to_owned()],
                quantiles.to_vec(),
                vec![server_busy, disturbed],
            ]
            .concat(),
        );
    }
    table(
        "server | p50 µs | p99 µs | p99.9 µs | server busy | disturbed",
        &rows,
    );
}

pub fn start(run: &mut Run) {
    println!("### Start to first echo\n\nFrom the start of the process to the first reply of 32 bytes.\n");
    let workload = Workload::small(1);
    let servers = run.servers.clone();
    let mut times = vec![Vec::new(); servers.len()];
    for _ in 0..run.warm_rounds + 2 * run.rounds {
        for (spec, times) in servers.iter().zip(&mut times) {
            let elapsed = run.start(spec).and_then(|server| {
                workload.open(&server)?;
                Ok(server.since.elapsed())
            });
            match elapsed {
                Ok(elapsed) => times.push(elapsed.as_secs_f64() * 1e3),
                Err(error) => run.fail("start", spec.name, error),
            }
        }
    }
    let measured = servers.iter().zip(times).filter(|(_, times)| !times.is_empty());
    let rows: Vec<_> = measured
        .map(|(spec, times)| {
            vec![
                spec.name.to_owned(),
                places(median(times.clone()), 1),
                percent(spread(&times)),
            ]
        })
        .collect();
    table("server | ms | spread", &rows);
}
