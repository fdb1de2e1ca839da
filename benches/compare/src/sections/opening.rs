//! Connections opened and closed a second.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    time::Instant,
};

use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::{
    client, frame,
    load::{Outcome, Times},
    machine::Cores,
    meter::Meter,
    peers::OURS,
    process::Server,
    run::Run,
    stats::{median, ratio, spread},
    table::{Table, percent, places, whole},
    workload::{Point, Reply, Workload},
};

/// Connections that are in the making at the same time.
const AT_ONCE: usize = 64;
const SILENCE: std::time::Duration = std::time::Duration::from_secs(10);

pub fn measure(run: &mut Run) {
    println!(
        "## Opening and closing\n\nConnections a second, {AT_ONCE} at a time: connect, shake hands, one message of 32 \
         bytes and its echo, a Close and the answer to it. The time is that of one connection, from connect to that answer.\n"
    );
    let workload = Workload::new(
        Reply::Verbatim,
        Point {
            connections: 1,
            in_flight: 1,
            bytes: 32,
        },
    );
    let mut servers = Vec::new();
    for peer in run.peers.clone().into_iter().filter(|peer| peer.real) {
        let started = run.start(&peer, &peer.recipe).and_then(|server| {
            workload.open(server.addr, 0)?;
            Ok(server)
        });
        match started {
            Ok(server) => servers.push((peer, server, Vec::<Outcome>::new())),
            Err(error) => run.fail("opening", peer.name, error),
        }
    }
    for round in 0..run.warm_rounds + run.rounds {
        let mut failed = Vec::new();
        for (peer, server, outcomes) in &mut servers {
            match run.undisturbed(|| cycle(server, workload.first(), run.times, run.cores)) {
                Ok(outcome) if round >= run.warm_rounds => {
                    eprintln!("opening {} {}", peer.name, whole(outcome.rate()));
                    outcomes.push(outcome);
                }
                Ok(_) => {}
                Err(error) => {
                    run.fail("opening", peer.name, error);
                    failed.push(peer.name);
                }
            }
        }
        servers.retain(|(peer, ..)| !failed.contains(&peer.name));
    }
    let each =
        |outcomes: &[Outcome], value: fn(&Outcome) -> f64| outcomes.iter().map(value).collect::<Vec<_>>();
    let ours = servers.iter().find(|(peer, ..)| peer.name == OURS);
    let ours = ours
        .map(|(.., outcomes)| each(outcomes, Outcome::rate))
        .unwrap_or_default();
    let mut table = Table::new(&[
        "server",
        "connections/s",
        "spread",
        "ws-echo divided by it",
        "p50 µs",
        "p99 µs",
        "server µs a connection",
        "server busy",
        "load busy",
        "disturbed",
    ]);
    for (peer, _, outcomes) in &servers {
        let rates = each(outcomes, Outcome::rate);
        let figure = |value| median(&each(outcomes, value));
        table.row(&[
            peer.name.to_owned(),
            whole(median(&rates)),
            percent(spread(&rates)),
            places(ratio(&ours, &rates), 2),
            places(figure(|outcome| outcome.microseconds(0.5)), 0),
            places(figure(|outcome| outcome.microseconds(0.99)), 0),
            places(figure(Outcome::cost), 1),
            percent(figure(Outcome::server_busy)),
            percent(figure(Outcome::load_busy)),
            percent(figure(|outcome| outcome.usage.disturbed.unwrap_or(f64::NAN))),
        ]);
    }
    table.print();
}

/// One connection on its way from connect to its end.
struct Cycle {
    stream: TcpStream,
    since: Instant,
    state: State,
    got: Vec<u8>,
}

#[derive(PartialEq)]
enum State {
    Connecting,
    Shaking,
    /// The message and the Close are sent.
    Closing,
}

fn cycle(server: &Server, message: &[u8], times: Times, cores: Option<Cores>) -> io::Result<Outcome> {
    let request = client::request(Reply::Verbatim.path(), false);
    // 1000, a normal closure.
    let goodbye = [message, &frame::masked(frame::CLOSE, &[0x03, 0xe8])].concat();
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(256);
    let mut latency = Histogram::new(3).map_err(io::Error::other)?;
    let mut slots = Vec::new();
    for index in 0..AT_ONCE {
        slots.push(Some(Cycle::begin(&poll, server.addr, index)?));
    }
    let begin = Instant::now() + times.warm_up;
    let mut meter = None::<Meter>;
    let (mut usage, mut finished) = (None, 0);
    let mut open = AT_ONCE;
    while open > 0 {
        poll.poll(&mut events, Some(SILENCE))?;
        if events.is_empty() {
            return Err(io::Error::other("a connection does not come to its end"));
        }
        match &meter {
            None if Instant::now() >= begin => meter = Some(Meter::begin(server, cores)),
            Some(meter) if usage.is_none() && meter.since().elapsed() >= times.measured => {
                usage = Some(meter.end(server));
            }
            _ => {}
        }
        for event in &events {
            let slot = &mut slots[event.token().0];
            let Some(cycle) = slot else { continue };
            if !cycle.step(&request, &goodbye)? {
                continue;
            }
            if meter.is_some() && usage.is_none() {
                finished += 1;
                latency
                    .record(cycle.since.elapsed().as_nanos() as u64)
                    .map_err(io::Error::other)?;
            }
            *slot = if usage.is_none() {
                Some(Cycle::begin(&poll, server.addr, event.token().0)?)
            } else {
                open -= 1;
                None
            };
        }
    }
    let usage = usage.ok_or_else(|| io::Error::other("no run"))?;
    Ok(Outcome {
        messages: finished,
        latency,
        usage,
    })
}

impl Cycle {
    fn begin(poll: &Poll, addr: SocketAddr, index: usize) -> io::Result<Self> {
        let since = Instant::now();
        let mut stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        poll.registry()
            .register(&mut stream, Token(index), Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            stream,
            since,
            state: State::Connecting,
            got: Vec::new(),
        })
    }

    /// Goes as far as it can; whether it is at its end.
    fn step(&mut self, request: &[u8], goodbye: &[u8]) -> io::Result<bool> {
        if self.state == State::Connecting {
            if let Some(error) = self.stream.take_error()? {
                return Err(error);
            }
            if self.stream.peer_addr().is_err() {
                return Ok(false);
            }
            self.stream.write_all(request)?;
            self.state = State::Shaking;
        }
        let mut buffer = [0; 2048];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    let got = String::from_utf8_lossy(&self.got).into_owned();
                    return Err(io::Error::other(format!(
                        "the stream ends without an echo and a Close: {got:?}"
                    )));
                }
                Ok(count) => self.got.extend(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
            if self.state == State::Closing && self.said_goodbye(goodbye) {
                return Ok(true);
            }
            if self.state == State::Shaking && self.got.ends_with(b"\r\n\r\n") {
                client::accepted(&self.got)?;
                self.got.clear();
                self.stream.write_all(goodbye)?;
                self.state = State::Closing;
            }
        }
    }

    /// Whether the echo is there, and a Close after it.
    fn said_goodbye(&self, goodbye: &[u8]) -> bool {
        let echo = frame::read_header(goodbye).map_or(0, |header| header.length + header.payload as usize);
        let after = self.got.get(echo..).and_then(frame::read_header);
        after.is_some_and(|header| header.opcode == frame::CLOSE)
    }
}
