//! The load: one thread, one epoll, and as little work for a message as a client can have.
//!
//! A closed loop: each connection sends its batch, waits for as many replies, and sends the next one. So the rate is what
//! the server can do, and the latency is the one at that rate, when the server never rests.

mod connection;
mod paced;

use std::{
    io,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use self::connection::Connection;

use crate::{
    client::Client,
    machine::{self, Cores},
    meter::{Meter, Usage},
    process::Server,
    workload::Workload,
};

/// The longest that nothing may come while replies are awaited.
const SILENCE: Duration = Duration::from_secs(10);
const BUFFER: usize = 256 * 1024;

/// How long a run is, and how long before it begins to count.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    pub warm_up: Duration,
    pub measured: Duration,
}

/// What one run showed.
#[derive(Debug)]
pub struct Outcome {
    pub messages: u64,
    /// Nanoseconds from the write of a batch to each of its replies.
    pub latency: Histogram<u64>,
    /// Processor time; that of the load without what it spun away.
    pub usage: Usage,
}

impl Outcome {
    pub fn rate(&self) -> f64 {
        self.messages as f64 / self.usage.seconds
    }

    /// Microseconds of the server's processor time for a message.
    pub fn cost(&self) -> f64 {
        self.usage.server * 1e6 / self.messages as f64
    }

    pub fn server_busy(&self) -> f64 {
        self.usage.server / self.usage.seconds
    }

    pub fn load_busy(&self) -> f64 {
        self.usage.load / self.usage.seconds
    }

    pub fn microseconds(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e3
    }
}

/// Drives connections that are open and checked.
pub struct Load<'a> {
    workload: &'a Workload,
    in_flight: usize,
    connections: Vec<Connection>,
    poll: Poll,
    buffer: Vec<u8>,
    cores: Option<Cores>,
    /// Processor seconds in which it only looked for something to do.
    spun: f64,
}

impl<'a> Load<'a> {
    fn new(
        workload: &'a Workload,
        in_flight: usize,
        clients: Vec<Client>,
        cores: Option<Cores>,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut connections = Vec::new();
        for (index, client) in clients.into_iter().enumerate() {
            let stream = client.into_stream();
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut stream, Token(index), interest)?;
            connections.push(Connection::new(stream, index % workload.batches.len()));
        }
        Ok(Self {
            workload,
            in_flight,
            connections,
            poll,
            buffer: vec![0; BUFFER],
            cores,
            spun: 0.0,
        })
    }

    /// Opens so many connections and checks the echo on each.
    pub fn open(
        server: &Server,
        workload: &'a Workload,
        connections: usize,
        in_flight: usize,
        cores: Option<Cores>,
    ) -> io::Result<Self> {
        let clients: io::Result<Vec<Client>> = (0..connections)
            .map(|index| workload.open(server.addr, index))
            .collect();
        Self::new(workload, in_flight, clients?, cores)
    }

    /// Sends and receives for so long, then waits for what is still in flight.
    pub fn run(&mut self, server: &Server, times: Times) -> io::Result<Outcome> {
        let mut latency = Histogram::new(3).map_err(io::Error::other)?;
        let mut events = Events::with_capacity(1024);
        let begin = Instant::now() + times.warm_up;
        let mut meter = None::<Meter>;
        let mut messages = 0;
        for connection in &mut self.connections {
            connection.send(self.workload, self.in_flight, Instant::now())?;
        }
        let usage = loop {
            self.wait(&mut events)?;
            match &meter {
                None if Instant::now() >= begin => {
                    self.spun = 0.0;
                    meter = Some(Meter::begin(server, self.cores));
                }
                Some(meter) if meter.since().elapsed() >= times.measured => break meter.end(server),
                _ => {}
            }
            for event in &events {
                let connection = &mut self.connections[event.token().0];
                if event.is_writable() && connection.awaited > 0 {
                    connection.write(self.workload)?;
                }
                let replies = connection.read(&mut self.buffer)?;
                if replies == 0 {
                    continue;
                }
                let now = Instant::now();
                if meter.is_some() {
                    messages += replies as u64;
                    let took = now.duration_since(connection.sent).as_nanos() as u64;
                    latency.record_n(took, replies as u64).map_err(io::Error::other)?;
                }
                if connection.took(replies)? {
                    connection.send(self.workload, self.in_flight, now)?;
                }
            }
        };
        let outcome = Outcome {
            messages,
            latency,
            usage: self.without_spinning(usage),
        };
        self.finish(&mut events)?;
        Ok(outcome)
    }

    fn without_spinning(&self, usage: Usage) -> Usage {
        Usage {
            load: (usage.load - self.spun).max(0.0),
            ..usage
        }
    }

    /// So many batches on each connection, counted and not timed.
    pub fn batches(&mut self, batches: usize) -> io::Result<u64> {
        let mut events = Events::with_capacity(1024);
        let mut left = vec![batches; self.connections.len()];
        let mut open = self.connections.len();
        for connection in &mut self.connections {
            connection.send(self.workload, self.in_flight, Instant::now())?;
        }
        while open > 0 {
            self.wait(&mut events)?;
            for event in &events {
                let connection = &mut self.connections[event.token().0];
                if event.is_writable() && connection.awaited > 0 {
                    connection.write(self.workload)?;
                }
                let replies = connection.read(&mut self.buffer)?;
                if replies > 0 && connection.took(replies)? {
                    let left = &mut left[event.token().0];
                    *left -= 1;
                    if *left > 0 {
                        connection.send(self.workload, self.in_flight, Instant::now())?;
                    } else {
                        open -= 1;
                    }
                }
            }
        }
        Ok((batches * self.in_flight * self.connections.len()) as u64)
    }

    /// Takes the replies that are still to come.
    fn finish(&mut self, events: &mut Events) -> io::Result<()> {
        // What the last wait told of is not read yet.
        for index in 0..self.connections.len() {
            self.settle(index)?;
        }
        while self.connections.iter().any(|connection| connection.awaited > 0) {
            self.wait(events)?;
            for event in &*events {
                self.settle(event.token().0)?;
            }
        }
        Ok(())
    }

    fn settle(&mut self, index: usize) -> io::Result<()> {
        let connection = &mut self.connections[index];
        if connection.awaited > 0 {
            connection.write(self.workload)?;
            let replies = connection.read(&mut self.buffer)?;
            connection.took(replies)?;
        }
        Ok(())
    }

    /// Waits for something to read or write. Where it has a core to itself it does not sleep: a client that has to be
    /// woken adds the time of that to every round trip, and it is longer than what a server does for a small message.
    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let timeout = if self.cores.is_some() {
            Duration::ZERO
        } else {
            SILENCE
        };
        if self.look(events, timeout)? {
            return Ok(());
        }
        let (since, cpu) = (Instant::now(), machine::cpu_of_this());
        while !self.look(events, timeout)? {
            if since.elapsed() >= SILENCE {
                return Err(io::Error::other("the server fell silent"));
            }
        }
        self.spun += machine::cpu_of_this() - cpu;
        Ok(())
    }

    /// Whether there is something to do, after that time at the latest.
    fn look(&mut self, events: &mut Events, timeout: Duration) -> io::Result<bool> {
        match self.poll.poll(events, Some(timeout)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            outcome => outcome.map(|()| !events.is_empty()),
        }
    }
}
