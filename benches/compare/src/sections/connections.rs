//! Connections opened and closed a second.

use std::{
    io::{self, Read, Write},
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::{
    client,
    frame::{self, Header},
    load,
    meter::Outcome,
    process::Server,
    report::{places, table},
    run::Run,
    servers::OURS,
    workload::{Reply, Workload},
};

/// Connections that are open at the same time.
const AT_ONCE: usize = 64;

pub fn measure(run: &mut Run) {
    println!(
        "### Opening and closing\n\nConnections a second, {AT_ONCE} at a time: opening handshake, one message of 32 bytes \
         and its echo, closing handshake. The time is from connect to the server's Close frame.\n"
    );
    let workload = Workload::small(1);
    let request = client::request(Reply::Verbatim);
    // Close code 1000, a normal closure.
    let message = [&workload.frame[..], &frame::masked(frame::CLOSE, &[0x03, 0xe8])].concat();
    let results = run.rounds("opening", &run.websocket_servers(), |run, server| {
        workload.open(server)?;
        cycle(run, server, AT_ONCE, || {
            Ok(Exchange {
                request: &request,
                message: &message,
                ..Exchange::default()
            })
        })
    });
    let ours = results
        .iter()
        .find(|(spec, _)| spec.name == OURS)
        .map(|(_, samples)| samples);
    let mut rows = Vec::new();
    for (spec, samples) in &results {
        let mut row = vec![spec.name.to_owned()];
        row.extend(samples.rate());
        row.push(places(
            ours.map_or(f64::NAN, |ours| ours.ratio(samples, |outcome| outcome.rate)),
            2,
        ));
        row.extend(samples.costs(1));
        rows.push(row);
    }
    let head =
        "server | connections/s | spread | ws-echo divided by it | p50 µs | p99 µs | server µs a connection";
    table(
        &format!("{head} | server busy | generator busy | disturbed"),
        &rows,
    );
}

/// The steps of one connection after it is established.
pub trait Steps {
    /// Reads and writes until the socket would block. Returns whether the connection has done all its steps.
    fn advance(&mut self, stream: &mut TcpStream) -> io::Result<bool>;
}

/// Opens connections until the meter has its figures, `at_once` at a time, and drops each after its last step.
pub fn cycle<S: Steps>(
    run: &Run,
    server: &Server,
    at_once: usize,
    steps: impl Fn() -> io::Result<S>,
) -> io::Result<Outcome> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(256);
    let mut meter = run.meter(server)?;
    let begin = |poll: &Poll, index| {
        let since = Instant::now();
        let mut stream = TcpStream::connect(server.addr)?;
        stream.set_nodelay(true)?;
        poll.registry()
            .register(&mut stream, Token(index), Interest::READABLE | Interest::WRITABLE)?;
        io::Result::Ok(Some((since, stream, steps()?)))
    };
    let slots: io::Result<Vec<_>> = (0..at_once).map(|index| begin(&poll, index)).collect();
    let mut slots = slots?;
    loop {
        let running = meter.running()?;
        if !running && slots.iter().all(Option::is_none) {
            return Ok(meter.outcome());
        }
        load::poll(&mut poll, &mut events, Some(Duration::from_millis(100)))?;
        for event in &events {
            let slot = &mut slots[event.token().0];
            let Some((since, stream, steps)) = slot else {
                continue;
            };
            if let Some(error) = stream.take_error()? {
                return Err(error);
            }
            if stream.peer_addr().is_ok() && steps.advance(stream)? {
                meter.record(since.elapsed(), 1);
                *slot = if running {
                    begin(&poll, event.token().0)?
                } else {
                    None
                };
            }
        }
    }
}

/// The opening handshake, a message and the closing handshake.
#[derive(Default)]
struct Exchange<'a> {
    request: &'a [u8],
    /// The frame of the message, and the Close frame.
    message: &'a [u8],
    requested: bool,
    upgraded: bool,
    received: Vec<u8>,
}

impl Steps for Exchange<'_> {
    fn advance(&mut self, stream: &mut TcpStream) -> io::Result<bool> {
        if !self.requested {
            stream.write_all(self.request)?;
            self.requested = true;
        }
        let mut buffer = [0; 2048];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => {
                    let received = String::from_utf8_lossy(&self.received);
                    return Err(io::Error::other(format!(
                        "closes without an echo and a Close: {received:?}"
                    )));
                }
                Ok(count) => self.received.extend(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
            if self.upgraded && self.is_closed() {
                return Ok(true);
            }
            if !self.upgraded && self.received.ends_with(b"\r\n\r\n") {
                client::check_response(&String::from_utf8_lossy(&self.received))?;
                self.received.clear();
                self.upgraded = true;
                stream.write_all(self.message)?;
            }
        }
    }
}

impl Exchange<'_> {
    /// Returns whether a Close frame follows the echo.
    fn is_closed(&self) -> bool {
        let echo = Header::read(self.message).map_or(0, |header| header.length + header.payload);
        let after = self.received.get(echo..).and_then(Header::read);
        after.is_some_and(|header| header.opcode == frame::CLOSE)
    }
}
