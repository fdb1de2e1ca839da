//! The figures of this process, from `/proc`.

use rustix::process::{Resource, getrlimit};

use super::process::ProcessFigures;

/// Reads the figures. Those that `/proc` does not have are `None`.
pub(crate) fn process_figures() -> ProcessFigures {
    let Ok(process) = procfs::process::Process::myself() else {
        return ProcessFigures::default();
    };
    let mut figures = ProcessFigures {
        open_fds: process.fd_count().ok(),
        max_fds: getrlimit(Resource::Nofile).current,
        ..ProcessFigures::default()
    };
    if let Ok(stat) = process.stat() {
        figures.cpu_seconds = Some(seconds(stat.utime + stat.stime));
        #[expect(clippy::cast_precision_loss, reason = "seconds, for some million years")]
        let boot = procfs::boot_time_secs().ok().map(|boot| boot as f64);
        figures.start_seconds = boot.map(|boot| boot + seconds(stat.starttime));
        figures.resident_bytes = Some(stat.rss * procfs::page_size());
        figures.virtual_bytes = Some(stat.vsize);
    }
    figures
}

#[expect(
    clippy::cast_precision_loss,
    reason = "hundredths of seconds, for some thousand years"
)]
fn seconds(ticks: u64) -> f64 {
    ticks as f64 / procfs::ticks_per_second() as f64
}
