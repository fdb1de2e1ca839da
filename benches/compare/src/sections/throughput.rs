//! Messages a second, latency, and the server's processor time for a message.

use crate::{
    load::Load,
    report::{Samples, places, table},
    run::Run,
    servers::{OURS, RESPONDER, Spec},
    workload::{Point, Reply, Workload},
};

/// The results of all servers at each point.
type Results = Vec<(Point, Vec<(Spec, Samples)>)>;

pub fn measure(run: &mut Run, reply: Reply, points: &[Point]) {
    let (title, what) = match reply {
        Reply::Verbatim => ("Verbatim", "Binary messages, echoed unchanged."),
        Reply::Stamped => (
            "Stamped",
            "Text messages, with the stamped reply of the classic tutorial: `客户端发送的信息：{message},{ms}`.",
        ),
        Reply::Compressed => (
            "Compressed",
            "JSON-like text with permessage-deflate: 64 different messages in turn, echoed compressed.",
        ),
    };
    println!("### {title}\n\n{what}\n");
    let mut specs = run.servers.clone();
    if reply == Reply::Stamped {
        specs.retain(|spec| spec.full);
    } else if reply == Reply::Compressed {
        specs = specs.iter().filter_map(Spec::compressing).collect();
        print_extensions(run, &specs);
    }
    let mut results = Results::new();
    for &point in points {
        let workload = Workload::new(reply, point);
        let measured = run.rounds(&point.to_string(), &specs, |run, server| {
            Load::open(server, &workload, run.cores.is_some())?.run(run.meter(server)?, None)
        });
        results.push((point, measured));
    }
    let others: Vec<&str> = specs
        .iter()
        .map(|spec| spec.name)
        .filter(|name| *name != OURS)
        .collect();
    if !others.is_empty() && others.len() < specs.len() {
        println!("Messages a second: ws-echo divided by each other server.\n");
        ratios(&results, &others, |ours, other| {
            ours.ratio(other, |outcome| outcome.rate)
        });
        println!("Server processor time for a message: each other server divided by ws-echo.\n");
        ratios(&results, &others, |ours, other| {
            other.ratio(ours, |outcome| outcome.cost)
        });
    }
    let mut rows = Vec::new();
    for (point, measured) in &results {
        for (spec, samples) in measured {
            let mut row = vec![point.to_string(), spec.name.to_owned()];
            row.extend(samples.rate());
            row.extend(samples.costs(2));
            rows.push(row);
        }
    }
    let head = "point | server | messages/s | spread | p50 µs | p99 µs | server µs a message";
    table(
        &format!("{head} | server busy | generator busy | disturbed"),
        &rows,
    );
}

/// Prints the negotiated extensions, because the cost of a message depends on them.
fn print_extensions(run: &mut Run, specs: &[Spec]) {
    let workload = Workload::new(Reply::Compressed, Point::new(1, 1, 1024));
    for spec in specs {
        match run.start(spec).and_then(|server| workload.open(&server)) {
            Ok(client) => println!("- {}: `{}`", spec.name, client.extensions),
            Err(error) => run.fail("compression", spec.name, error),
        }
    }
    println!();
}

/// Prints a ratio for each point and server. Above 1, ws-echo is ahead; the last column names the servers that are
/// ahead of it.
fn ratios(results: &Results, others: &[&str], ratio: fn(&Samples, &Samples) -> f64) {
    let mut rows = Vec::new();
    for (point, measured) in results {
        let find = |name: &str| {
            measured
                .iter()
                .find(|(spec, _)| spec.name == name)
                .map(|(_, samples)| samples)
        };
        let Some(ours) = find(OURS) else { continue };
        let mut row = vec![point.to_string()];
        let mut behind = Vec::new();
        for &other in others {
            let ratio = find(other).map_or(f64::NAN, |samples| ratio(ours, samples));
            row.push(places(ratio, 2));
            if ratio < 1.0 && other != RESPONDER {
                behind.push(other);
            }
        }
        row.push(if behind.is_empty() {
            "none".to_owned()
        } else {
            behind.join(", ")
        });
        rows.push(row);
    }
    table(&format!("point | {} | behind", others.join(" | ")), &rows);
}
