//! The parts of the comparison, each with its table.

mod growth;
mod memory;
mod opening;
mod paced;
mod speed;
mod start;
mod syscalls;

use std::io;

use crate::{
    options::{Options, Section},
    run::Run,
    workload::{Point, Reply},
};

pub fn measure(section: Section, run: &mut Run, options: &Options) -> io::Result<()> {
    eprintln!("=== {section:?}");
    let point = |connections, in_flight, bytes| Point {
        connections,
        in_flight,
        bytes,
    };
    match section {
        Section::Verbatim => speed::measure(run, Reply::Verbatim, &options.points()),
        Section::Stamped => {
            speed::measure(run, Reply::Stamped, &[point(64, 1, 32), point(64, 16, 32)]);
        }
        Section::Compressed => speed::measure(run, Reply::Compressed, &[point(64, 1, 1024)]),
        Section::Paced => paced::measure(run, options.rate()),
        Section::Opening => opening::measure(run),
        Section::Memory => memory::measure(run, &options.idle()),
        Section::Growth => growth::measure(run, &options.idle()),
        Section::Syscalls => syscalls::measure(run),
        Section::Start => start::measure(run),
    }
    Ok(())
}
