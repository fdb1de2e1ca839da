//! Messages a second, latency, and what a message costs the server.

use crate::{
    load::{Load, Outcome},
    peers::{OURS, Peer},
    process::{Recipe, Server},
    run::Run,
    stats::{median, ratio, spread},
    table::{Table, percent, places, whole},
    workload::{Point, Reply, Workload},
};

/// What the rounds showed of one server at one point.
#[derive(Debug, Default)]
struct Samples {
    rate: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    /// Microseconds of the server's processor time for a message.
    cost: Vec<f64>,
    server_busy: Vec<f64>,
    load_busy: Vec<f64>,
    disturbed: Vec<f64>,
}

impl Samples {
    fn push(&mut self, outcome: &Outcome) {
        self.rate.push(outcome.rate());
        self.p50.push(outcome.microseconds(0.5));
        self.p99.push(outcome.microseconds(0.99));
        self.cost.push(outcome.cost());
        self.server_busy.push(outcome.server_busy());
        self.load_busy.push(outcome.load_busy());
        self.disturbed.push(outcome.usage.disturbed.unwrap_or(f64::NAN));
    }
}

pub fn measure(run: &mut Run, reply: Reply, points: &[Point]) {
    let (title, what) = match reply {
        Reply::Verbatim => ("Verbatim", "Binary messages, and the same bytes back."),
        Reply::Stamped => (
            "Stamped",
            "Text messages, and the reply of the classic tutorial, `客户端发送的信息：{message},{ms}`.",
        ),
        Reply::Compressed => (
            "Compressed",
            "JSON-like text with permessage-deflate, 64 different messages in turn, the same text back, compressed.",
        ),
    };
    println!("## {title}\n\n{what}\n");
    let entrants: Vec<(Peer, Recipe)> = run
        .peers
        .iter()
        .filter_map(|peer| match reply {
            Reply::Verbatim => Some((peer.clone(), peer.recipe.clone())),
            Reply::Stamped => peer.stamps.then(|| (peer.clone(), peer.recipe.clone())),
            Reply::Compressed => Some((peer.clone(), peer.compressing.clone()?)),
        })
        .collect();
    if reply == Reply::Compressed {
        agreements(run, &entrants);
    }
    let results: Vec<(Point, Vec<(Peer, Samples)>)> = points
        .iter()
        .map(|&point| (point, rounds(run, reply, point, &entrants)))
        .collect();
    ratios(&results);
    details(&results);
}

/// All rounds at one point. The servers stay up between them, and have nothing to do while another one is driven.
fn rounds(run: &mut Run, reply: Reply, point: Point, entrants: &[(Peer, Recipe)]) -> Vec<(Peer, Samples)> {
    let workload = Workload::new(reply, point);
    let mut servers: Vec<(Peer, Server, Samples)> = Vec::new();
    for (peer, recipe) in entrants {
        match run.start(peer, recipe) {
            Ok(server) => servers.push((peer.clone(), server, Samples::default())),
            Err(error) => run.fail(point, peer.name, error),
        }
    }
    for round in 0..run.warm_rounds + run.rounds {
        // Another one begins each time, so that no server always follows the same one.
        let begin = round % servers.len().max(1);
        servers.rotate_left(begin);
        let mut failed = Vec::new();
        for (peer, server, samples) in &mut servers {
            let outcome = run.undisturbed(|| {
                Load::open(server, &workload, point.connections, point.in_flight, run.cores)?
                    .run(server, run.times)
            });
            match outcome {
                Ok(outcome) if round >= run.warm_rounds => {
                    eprintln!("{point} {} {}", peer.name, whole(outcome.rate()));
                    samples.push(&outcome);
                }
                Ok(_) => {}
                Err(error) => {
                    run.fail(point, peer.name, error);
                    failed.push(peer.name);
                }
            }
        }
        servers.rotate_right(begin);
        servers.retain(|(peer, ..)| !failed.contains(&peer.name));
    }
    servers
        .into_iter()
        .map(|(peer, _, samples)| (peer, samples))
        .collect()
}

/// What each agreed to, for it decides what a message costs.
fn agreements(run: &mut Run, entrants: &[(Peer, Recipe)]) {
    let point = Point {
        connections: 1,
        in_flight: 1,
        bytes: 1024,
    };
    let workload = Workload::new(Reply::Compressed, point);
    for (peer, recipe) in entrants {
        let agreed = run
            .start(peer, recipe)
            .and_then(|server| workload.open(server.addr, 0));
        match agreed {
            Ok(client) => println!("- {}: `{}`", peer.name, client.extensions.unwrap_or_default()),
            Err(error) => run.fail("compression", peer.name, error),
        }
    }
    println!();
}

/// Ours beside each of the others, at a glance.
fn ratios(results: &[(Point, Vec<(Peer, Samples)>)]) {
    let mut others: Vec<&Peer> = Vec::new();
    for (peer, _) in results.iter().flat_map(|(_, rows)| rows) {
        if peer.name != OURS && !others.iter().any(|other| other.name == peer.name) {
            others.push(peer);
        }
    }
    if others.is_empty() || !results.iter().any(|(_, rows)| ours(rows).is_some()) {
        return;
    }
    println!("Messages a second of ws-echo, divided by those of each other server:\n");
    matrix(results, &others, |ours, other| ratio(&ours.rate, &other.rate));
    println!("Processor time of each other server for a message, divided by that of ws-echo:\n");
    matrix(results, &others, |ours, other| ratio(&other.cost, &ours.cost));
}

/// Above 1, ours is ahead; the last column names those that it is not ahead of.
fn matrix(results: &[(Point, Vec<(Peer, Samples)>)], others: &[&Peer], value: fn(&Samples, &Samples) -> f64) {
    let names = others.iter().map(|peer| peer.name);
    let head: Vec<&str> = std::iter::once("point").chain(names).chain(["behind"]).collect();
    let mut table = Table::new(&head);
    for (point, rows) in results {
        let Some(ours) = ours(rows) else { continue };
        let mut cells = vec![point.to_string()];
        let mut behind = Vec::new();
        for other in others {
            let found = rows.iter().find(|(peer, _)| peer.name == other.name);
            let value = found.map_or(f64::NAN, |(_, samples)| value(ours, samples));
            cells.push(places(value, 2));
            if other.real && value < 1.0 {
                behind.push(other.name);
            }
        }
        cells.push(if behind.is_empty() {
            "none".to_owned()
        } else {
            behind.join(", ")
        });
        table.row(&cells);
    }
    table.print();
}

fn details(results: &[(Point, Vec<(Peer, Samples)>)]) {
    let mut table = Table::new(&[
        "point",
        "server",
        "messages/s",
        "spread",
        "p50 µs",
        "p99 µs",
        "server µs a message",
        "server busy",
        "load busy",
        "disturbed",
    ]);
    for (point, rows) in results {
        for (peer, samples) in rows {
            table.row(&[
                point.to_string(),
                peer.name.to_owned(),
                whole(median(&samples.rate)),
                percent(spread(&samples.rate)),
                places(median(&samples.p50), 0),
                places(median(&samples.p99), 0),
                places(median(&samples.cost), 2),
                percent(median(&samples.server_busy)),
                percent(median(&samples.load_busy)),
                percent(median(&samples.disturbed)),
            ]);
        }
    }
    table.print();
}

fn ours(rows: &[(Peer, Samples)]) -> Option<&Samples> {
    rows.iter()
        .find(|(peer, _)| peer.name == OURS)
        .map(|(_, samples)| samples)
}
