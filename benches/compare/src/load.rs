//! The load generator: one thread with one epoll, which does as little work for a message as a client can.

use std::{
    collections::VecDeque,
    io,
    os::fd::AsRawFd,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, unix::SourceFd};

use crate::{
    client::Stream,
    frame::Counter,
    meter::{Meter, Outcome},
    process::Server,
    workload::Workload,
};

const BUFFER: usize = 256 * 1024;

/// Waits for events. A signal counts as a wait without events.
pub fn poll(poll: &mut Poll, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
    match poll.poll(events, timeout) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        outcome => outcome,
    }
}

/// Checked connections to one server.
pub struct Load<'a> {
    workload: &'a Workload,
    connections: Vec<Connection>,
    poll: Poll,
    timeout: Duration,
    sent: u64,
    pub replies: u64,
}

impl<'a> Load<'a> {
    /// Opens the connections of the workload's point and checks the echo on each. With `spin`, the load generator polls
    /// without sleeping: a wake-up takes longer than a server's work on a small message, and would be part of every
    /// round trip.
    pub fn open(server: &Server, workload: &'a Workload, spin: bool) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut connections = Vec::new();
        for index in 0..workload.point.connections {
            let stream = workload.open(server)?.stream;
            stream.socket().set_nonblocking(true)?;
            let (fd, interest) = (
                stream.socket().as_raw_fd(),
                Interest::READABLE | Interest::WRITABLE,
            );
            poll.registry()
                .register(&mut SourceFd(&fd), Token(index), interest)?;
            connections.push(Connection {
                stream,
                tls: server.tls,
                counter: Counter::default(),
                batch: index % workload.batches.len(),
                written: usize::MAX,
                due: VecDeque::new(),
            });
        }
        let timeout = Duration::from_millis(if spin { 0 } else { 100 });
        Ok(Self {
            workload,
            connections,
            poll,
            timeout,
            sent: 0,
            replies: 0,
        })
    }

    /// Sends and receives until the meter has its figures and all replies have arrived.
    ///
    /// Without a rate it is a closed loop: each connection sends its batch, waits for as many replies, and sends the
    /// next batch. So the server always has work, and the latency is the one at its highest rate.
    ///
    /// With a rate it is an open loop: this many messages are sent a second over all connections, independent of the
    /// replies. The latency of a message starts when it was due, not when it was sent, so that it includes every delay
    /// that a stalled server causes.
    pub fn run(&mut self, mut meter: Meter<'_>, rate: Option<u32>) -> io::Result<Outcome> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; BUFFER];
        let mut next = 0;
        let start = Instant::now();
        if rate.is_none() {
            for index in 0..self.connections.len() {
                self.send(index, start)?;
            }
        }
        loop {
            let running = meter.running()?;
            if !running && self.replies == self.sent {
                return Ok(meter.outcome());
            }
            while let Some(rate) = rate
                && running
            {
                let due = start + Duration::from_secs(1) / rate * next;
                if due > Instant::now() {
                    break;
                }
                self.send(next as usize % self.connections.len(), due)?;
                next += 1;
            }
            poll(&mut self.poll, &mut events, Some(self.timeout))?;
            meter.idle(events.is_empty());
            for event in &events {
                let connection = &mut self.connections[event.token().0];
                if event.is_writable() {
                    connection.write(self.workload)?;
                }
                let replies = connection.read(&mut buffer)?;
                if replies > 0 {
                    let now = Instant::now();
                    connection.settle(replies, now, &mut meter)?;
                    self.replies += replies as u64;
                    if connection.due.is_empty() && running && rate.is_none() {
                        self.send(event.token().0, now)?;
                    }
                }
            }
        }
    }

    fn send(&mut self, index: usize, due: Instant) -> io::Result<()> {
        self.sent += self.workload.point.in_flight as u64;
        self.connections[index].send(self.workload, due)
    }
}

/// A connection that reads and writes until the socket would block.
struct Connection {
    stream: Box<dyn Stream>,
    tls: bool,
    counter: Counter,
    /// The current batch, and how much of it is written.
    batch: usize,
    written: usize,
    /// When the batches were due whose replies are awaited, and how many replies are still to come.
    due: VecDeque<(Instant, usize)>,
}

impl Connection {
    fn send(&mut self, workload: &Workload, due: Instant) -> io::Result<()> {
        if self.written < workload.batches[self.batch].len() {
            return Err(io::Error::other("the server reads too slowly"));
        }
        self.batch = (self.batch + 1) % workload.batches.len();
        self.written = 0;
        self.due.push_back((due, workload.point.in_flight));
        self.write(workload)
    }

    fn write(&mut self, workload: &Workload) -> io::Result<()> {
        let batch = &workload.batches[self.batch];
        loop {
            let outcome = if self.written < batch.len() {
                self.stream.write(&batch[self.written..])
            } else {
                // TLS may have records that are not written yet.
                self.stream.flush().map(|()| 0)
            };
            match outcome {
                Ok(0) => return Ok(()),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns how many replies end in the bytes that have arrived.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut replies = 0;
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Err(io::Error::other("the server closed a connection")),
                Ok(count) => {
                    replies += self.counter.feed(&buffer[..count])?;
                    // A short read of a socket took all bytes, and epoll reports when there are more.
                    if count < buffer.len() && !self.tls {
                        return Ok(replies);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(replies),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Records the latency of these replies.
    fn settle(&mut self, mut replies: usize, now: Instant, meter: &mut Meter<'_>) -> io::Result<()> {
        while replies > 0 {
            let oldest = self
                .due
                .front_mut()
                .ok_or_else(|| io::Error::other("more replies than messages"))?;
            let count = replies.min(oldest.1);
            meter.record(now - oldest.0, count);
            replies -= count;
            oldest.1 -= count;
            if oldest.1 == 0 {
                self.due.pop_front();
            }
        }
        Ok(())
    }
}
