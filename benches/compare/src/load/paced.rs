//! The open loop: messages at a rate that no server's slowness can lower.

use std::{
    collections::VecDeque,
    io,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use mio::Events;

use super::{Load, Outcome, SILENCE, Times};
use crate::{meter::Meter, process::Server};

impl Load<'_> {
    /// Sends so many messages a second over all connections, whether replies are there or not. A message's time begins when
    /// it was due and not when it was sent, so that a server that stalls pays for all that it keeps waiting.
    pub fn paced(&mut self, server: &Server, times: Times, rate: u32) -> io::Result<Outcome> {
        let mut latency = Histogram::new(3).map_err(io::Error::other)?;
        let mut events = Events::with_capacity(1024);
        let mut due = vec![VecDeque::new(); self.connections.len()];
        let (start, pause) = (Instant::now(), Duration::from_secs(1) / rate);
        let mut meter = None::<Meter>;
        let (mut sent, mut messages, mut pending) = (0, 0, 0);
        let mut usage = None;
        while usage.is_none() || pending > 0 {
            let now = Instant::now();
            match &meter {
                None if now >= start + times.warm_up => meter = Some(Meter::begin(server, self.cores)),
                Some(meter) if usage.is_none() && meter.since().elapsed() >= times.measured => {
                    usage = Some(meter.end(server));
                }
                _ => {}
            }
            while usage.is_none() && start + pause * sent <= now {
                let index = sent as usize % self.connections.len();
                let connection = &mut self.connections[index];
                connection.written = 0;
                connection.write(self.workload)?;
                if connection.written < self.workload.first().len() {
                    return Err(io::Error::other("the server takes no more"));
                }
                due[index].push_back(start + pause * sent);
                sent += 1;
                pending += 1;
            }
            match self.poll.poll(&mut events, Some(Duration::ZERO)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                outcome => outcome?,
            }
            for event in &events {
                let replies = self.connections[event.token().0].read(&mut self.buffer)?;
                let now = Instant::now();
                let due = &mut due[event.token().0];
                if replies > due.len() {
                    return Err(io::Error::other("more replies than messages"));
                }
                for due in due.drain(..replies) {
                    pending -= 1;
                    if meter.is_some() && usage.is_none() {
                        messages += 1;
                        let took = now.duration_since(due).as_nanos() as u64;
                        latency.record(took).map_err(io::Error::other)?;
                    }
                }
            }
            if start.elapsed() > times.warm_up + times.measured + SILENCE {
                return Err(io::Error::other("the server does not keep up"));
            }
        }
        let usage = usage.ok_or_else(|| io::Error::other("no run"))?;
        Ok(Outcome {
            messages,
            latency,
            usage,
        })
    }
}
