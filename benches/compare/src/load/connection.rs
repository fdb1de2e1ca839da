//! What one connection has sent, and what it still waits for.

use std::{
    io::{self, Read, Write},
    time::Instant,
};

use mio::net::TcpStream;

use crate::{frame::Counter, workload::Workload};

/// A connection, without sleeping: it goes as far as the socket lets it.
pub(super) struct Connection {
    stream: TcpStream,
    counter: Counter,
    /// Which batch is sent, how much of it, since when, and how many of its replies are still to come.
    batch: usize,
    pub(super) written: usize,
    pub(super) sent: Instant,
    pub(super) awaited: usize,
}

impl Connection {
    /// `batch` is the one before the first that it sends.
    pub(super) fn new(stream: TcpStream, batch: usize) -> Self {
        Self {
            stream,
            counter: Counter::default(),
            batch,
            written: 0,
            sent: Instant::now(),
            awaited: 0,
        }
    }

    pub(super) fn send(&mut self, workload: &Workload, in_flight: usize, now: Instant) -> io::Result<()> {
        self.batch = (self.batch + 1) % workload.batches.len();
        (self.written, self.sent, self.awaited) = (0, now, in_flight);
        self.write(workload)
    }

    pub(super) fn write(&mut self, workload: &Workload) -> io::Result<()> {
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
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
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
    pub(super) fn took(&mut self, replies: usize) -> io::Result<bool> {
        match self.awaited.checked_sub(replies) {
            Some(awaited) => {
                self.awaited = awaited;
                Ok(awaited == 0)
            }
            None => Err(io::Error::other("more replies than messages")),
        }
    }
}
