//! The sections of the comparison. Each prints a title and its tables.

mod connections;
mod latency;
mod memory;
mod syscalls;
mod throughput;
mod tls;

use clap::ValueEnum;

use crate::{
    Options,
    run::Run,
    workload::{Point, Reply},
};

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Section {
    /// Messages a second and latency, with the received bytes as the reply
    Verbatim,
    /// The same with the tutorial's reply
    Stamped,
    /// The same with permessage-deflate
    Compressed,
    /// Latency at the same number of messages a second for all servers
    Paced,
    /// Connections opened and closed a second
    Opening,
    /// Bytes of memory for an idle connection
    Memory,
    /// The cost of a message with a growing number of open connections
    Growth,
    /// System calls a message, by strace
    Syscalls,
    /// The time from the start of a process to its first echo
    Start,
    /// TLS handshakes a second, and wss compared with ws
    Tls,
}

impl Section {
    pub fn measure(self, run: &mut Run, options: &Options) {
        match self {
            Self::Verbatim => throughput::measure(run, Reply::Verbatim, &options.points),
            Self::Stamped => {
                throughput::measure(
                    run,
                    Reply::Stamped,
                    &[Point::new(64, 1, 32), Point::new(64, 16, 32)],
                );
            }
            Self::Compressed => throughput::measure(run, Reply::Compressed, &[Point::new(64, 1, 1024)]),
            Self::Paced => latency::paced(run, options.rate),
            Self::Opening => connections::measure(run),
            Self::Memory => memory::idle(run, &options.idle),
            Self::Growth => memory::growth(run, &options.idle),
            Self::Syscalls => syscalls::measure(run),
            Self::Start => latency::start(run),
            Self::Tls => tls::measure(run, options.ws_echo.as_deref()),
        }
    }
}
