//! The load: one thread, one epoll, and as little work for a message as a client can have.
//!
//! A closed loop: each connection sends its batch, waits for as many replies, and sends the next one. So the rate is what
//! the server can do, and the latency is the one at that rate, when the server never rests.

use std::{
    io::{self, Read, Write},
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::{client::Client, frame::Counter, machine, process::Server, workload::Workload};

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
    pub seconds: f64,
    /// Nanoseconds from the write of a batch to each of its replies.
    pub latency: Histogram<u64>,
    /// Processor seconds of the server and of the load.
    pub server_cpu: f64,
    pub load_cpu: f64,
}

impl Outcome {
    pub fn rate(&self) -> f64 {
        self.messages as f64 / self.seconds
    }
}

struct Connection {
    stream: TcpStream,
    counter: Counter,
    /// Which batch is sent, how much of it, since when, and how many of its replies are still to come.
    batch: usize,
    written: usize,
    sent: Instant,
    awaited: usize,
}

/// Drives connections that are open and checked.
pub struct Load<'a> {
    workload: &'a Workload,
    in_flight: usize,
    connections: Vec<Connection>,
    poll: Poll,
    buffer: Vec<u8>,
}

impl<'a> Load<'a> {
    pub fn new(workload: &'a Workload, in_flight: usize, clients: Vec<Client>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut connections = Vec::new();
        for (index, client) in clients.into_iter().enumerate() {
            let stream = client.into_stream();
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut stream, Token(index), interest)?;
            connections.push(Connection {
                stream,
                counter: Counter::default(),
                batch: index % workload.batches.len(),
                written: 0,
                sent: Instant::now(),
                awaited: 0,
            });
        }
        Ok(Self {
            workload,
            in_flight,
            connections,
            poll,
            buffer: vec![0; BUFFER],
        })
    }

    /// Opens so many connections and checks the echo on each.
    pub fn open(
        server: &Server,
        workload: &'a Workload,
        connections: usize,
        in_flight: usize,
    ) -> io::Result<Self> {
        let clients: io::Result<Vec<Client>> = (0..connections)
            .map(|index| workload.open(server.addr, index))
            .collect();
        Self::new(workload, in_flight, clients?)
    }

    /// Sends and receives for so long, then waits for what is still in flight.
    pub fn run(&mut self, server: &Server, times: Times) -> io::Result<Outcome> {
        let mut latency = Histogram::new(3).map_err(io::Error::other)?;
        let mut events = Events::with_capacity(1024);
        let begin = Instant::now() + times.warm_up;
        // Both are set when the measured part begins.
        let (mut from, mut until) = (begin, None::<Instant>);
        let (mut server_cpu, mut load_cpu) = (0.0, 0.0);
        let mut messages = 0;
        for connection in &mut self.connections {
            connection.send(self.workload, self.in_flight, Instant::now())?;
        }
        loop {
            self.wait(&mut events)?;
            let now = Instant::now();
            if until.is_none() && now >= begin {
                (server_cpu, load_cpu) = (server.cpu(), machine::cpu_of_this());
                from = Instant::now();
                until = Some(from + times.measured);
            }
            if until.is_some_and(|until| now >= until) {
                break;
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
                if until.is_some() {
                    messages += replies as u64;
                    let took = now.duration_since(connection.sent).as_nanos() as u64;
                    latency.record_n(took, replies as u64).map_err(io::Error::other)?;
                }
                if connection.took(replies)? {
                    connection.send(self.workload, self.in_flight, now)?;
                }
            }
        }
        let outcome = Outcome {
            messages,
            seconds: from.elapsed().as_secs_f64(),
            latency,
            server_cpu: server.cpu() - server_cpu,
            load_cpu: machine::cpu_of_this() - load_cpu,
        };
        self.finish(&mut events)?;
        Ok(outcome)
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

    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        loop {
            match self.poll.poll(events, Some(SILENCE)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(()) if events.is_empty() => return Err(io::Error::other("the server fell silent")),
                Ok(()) => return Ok(()),
            }
        }
    }
}

impl Connection {
    fn send(&mut self, workload: &Workload, in_flight: usize, now: Instant) -> io::Result<()> {
        self.batch = (self.batch + 1) % workload.batches.len();
        (self.written, self.sent, self.awaited) = (0, now, in_flight);
        self.write(workload)
    }

    fn write(&mut self, workload: &Workload) -> io::Result<()> {
        let batch = &workload.batches[self.batch];
        while self.written < batch.len() {
            match self.stream.write(&batch[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Counts the replies that are there.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut replies = 0;
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Err(io::Error::other("the server ended a connection")),
                Ok(count) => {
                    replies += self.counter.feed(&buffer[..count])?;
                    // Less than was asked for: there was no more, and epoll tells when there is.
                    if count < buffer.len() {
                        return Ok(replies);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(replies),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether these were the last replies of the batch.
    fn took(&mut self, replies: usize) -> io::Result<bool> {
        match self.awaited.checked_sub(replies) {
            Some(awaited) => {
                self.awaited = awaited;
                Ok(awaited == 0)
            }
            None => Err(io::Error::other("more replies than messages")),
        }
    }
}
