//! The cost of TLS in ws-echo: full handshakes a second, and wss compared with ws.

use std::{io, path::Path, time::Duration};

use mio::net::TcpStream;
use rustls::{
    ClientConnection,
    version::{TLS12, TLS13},
};

use super::connections::{Steps, cycle};
use crate::{
    client,
    load::Load,
    report::{places, table, whole},
    run::Run,
    servers::{self, Spec},
    workload::{Point, Reply, Workload},
};

const POINTS: [Point; 4] = [
    Point::new(1, 1, 32),
    Point::new(64, 16, 32),
    Point::new(16, 1, 16 * 1024),
    Point::new(4, 1, 1024 * 1024),
];
/// Handshakes that are in progress at the same time.
const AT_ONCE: usize = 16;

pub fn measure(run: &mut Run, binary: Option<&Path>) {
    println!("### TLS\n");
    let plain = match run.servers.iter().find(|spec| spec.name == servers::OURS) {
        Some(spec) => spec.clone(),
        None => match servers::ws_echo(servers::OURS, binary) {
            Ok(spec) => spec,
            Err(error) => return run.fail("tls", servers::OURS, error),
        },
    };
    let secure = plain
        .clone()
        .with(&["--tls-listen=127.0.0.1:0", "--tls-self-signed"]);
    let ws = Spec { name: "ws", ..plain };
    let wss = Spec {
        name: "wss",
        tls: true,
        ..secure
    };
    if let Err(error) = handshakes(run, &ws, &wss) {
        run.fail("tls", servers::OURS, error);
    }
    throughput(run, &[ws, wss]);
}

/// One TLS handshake, or none, and then a reset. After a FIN, the connections in TIME_WAIT would use up the ports.
struct Handshake(Option<ClientConnection>);

impl Steps for Handshake {
    fn advance(&mut self, stream: &mut TcpStream) -> io::Result<bool> {
        while let Some(tls) = self
            .0
            .as_mut()
            .filter(|tls| tls.is_handshaking() || tls.wants_write())
        {
            match tls.complete_io(stream) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?;
        Ok(true)
    }
}

fn handshakes(run: &mut Run, ws: &Spec, wss: &Spec) -> io::Result<()> {
    println!(
        "Connections to ws-echo, {AT_ONCE} at a time, each closed after the handshake. No session is resumed.\n"
    );
    let (tls12, tls13) = (client::tls_config(&TLS12)?, client::tls_config(&TLS13)?);
    let named = |name, spec: &Spec| Spec { name, ..spec.clone() };
    let specs = [
        named("TCP alone", ws),
        named("TLS 1.2", wss),
        named("TLS 1.3", wss),
    ];
    let results = run.rounds("handshakes", &specs, |run, server| {
        let config = server
            .tls
            .then_some(if server.name == "TLS 1.2" { &tls12 } else { &tls13 });
        cycle(run, server, AT_ONCE, || {
            Ok(Handshake(config.cloned().map(client::tls).transpose()?))
        })
    });
    let mut rows = Vec::new();
    for (spec, samples) in results {
        let (rate, cost) = (
            samples.median(|outcome| outcome.rate),
            samples.median(|outcome| outcome.cost),
        );
        let figures = vec![
            spec.name.to_owned(),
            whole(rate),
            places(cost, 0),
            whole(1e6 / cost),
        ];
        rows.push([figures, samples.busy().to_vec()].concat());
    }
    let head = "connection | handshakes/s | server µs a handshake | at most, on one core";
    table(
        &format!("{head} | server busy | generator busy | disturbed"),
        &rows,
    );
    Ok(())
}

fn throughput(run: &mut Run, specs: &[Spec]) {
    println!("Messages over wss (TLS 1.3) and over ws, echoed unchanged.\n");
    let mut rows = Vec::new();
    for point in POINTS {
        let workload = Workload::new(Reply::Verbatim, point);
        let results = run.rounds(&format!("tls {point}"), specs, |run, server| {
            Load::open(server, &workload, run.cores.is_some())?.run(run.meter(server)?, None)
        });
        let [(_, ws), (_, wss)] = &results[..] else {
            continue;
        };
        rows.push(vec![
            point.to_string(),
            whole(ws.median(|outcome| outcome.rate)),
            whole(wss.median(|outcome| outcome.rate)),
            places(wss.ratio(ws, |outcome| outcome.rate), 3),
            places(ws.median(|outcome| outcome.cost), 2),
            places(wss.median(|outcome| outcome.cost), 2),
            ws.busy()[1].clone(),
            wss.busy()[1].clone(),
        ]);
    }
    let head = "point | ws messages/s | wss messages/s | wss divided by ws | ws server µs a message";
    table(
        &format!("{head} | wss server µs a message | ws generator busy | wss generator busy"),
        &rows,
    );
}
