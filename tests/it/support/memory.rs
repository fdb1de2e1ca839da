//! The resources of a running server, as the kernel reports them: memory, connections and file descriptors.
//!
//! Only Linux reports them in `/proc`. On other systems the bounds of memory and descriptors are not checked, so that the rest of
//! a test runs, and [`until_read`] fails. The same goes for the memory of a server that an emulator runs, because the emulator's
//! memory is part of it.

use std::{env, fs, net::SocketAddr, path::Path};

use super::{
    process::{Process, RUNNER},
    until,
};

pub(crate) const KIB: u64 = 1024;
pub(crate) const MIB: u64 = 1024 * KIB;

/// Whether this system has the files of `/proc`.
const IS_REPORTED: bool = cfg!(target_os = "linux");

fn is_memory_reported() -> bool {
    IS_REPORTED && env::var_os(RUNNER).is_none()
}

/// A measurement of a process's resident memory from its start on.
pub(crate) struct Memory {
    pid: u32,
    before: u64,
}

impl Memory {
    /// Starts a measurement: writing 5 to `clear_refs` resets the peak (`VmHWM`).
    pub(crate) fn measure(process: &Process) -> Self {
        let pid = process.pid();
        if is_memory_reported() {
            fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
        }
        let before = status(pid, "VmRSS:");
        Self { pid, before }
    }

    /// Returns the growth in bytes to the peak since the start. The kernel records the peak, so that no short one is missed.
    pub(crate) fn growth(&self) -> u64 {
        status(self.pid, "VmHWM:").saturating_sub(self.before)
    }

    /// Returns the growth in bytes from the start until now.
    pub(crate) fn growth_now(&self) -> u64 {
        status(self.pid, "VmRSS:").saturating_sub(self.before)
    }

    /// Asserts that the peak of the growth is less than `bound` bytes.
    pub(crate) fn assert_grew_less_than(&self, bound: u64, attack: &str) {
        let grown = self.growth();
        eprintln!(
            "measured: {attack}: {} KiB more, of {} allowed",
            grown / KIB,
            bound / KIB
        );
        assert!(grown < bound, "{attack}: {} KiB more", grown / KIB);
    }
}

/// Returns the largest resident memory of a process in bytes until now, or `None` if it has exited or the system reports none.
pub(crate) fn peak(pid: u32) -> Option<u64> {
    if !is_memory_reported() {
        return None;
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * KIB)
}

/// Returns a field of `/proc/<pid>/status` in bytes, and 0 where there is none.
fn status(pid: u32, name: &str) -> u64 {
    if !is_memory_reported() {
        return 0;
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * KIB
}

/// Waits until no connection of the server has a file descriptor.
pub(crate) async fn until_no_connections(process: &Process) {
    if IS_REPORTED {
        until("the connections to be closed", || {
            connections_at(process.addr()) == 0
        })
        .await;
    }
}

/// Returns the number of the connections of one IPv4 address of the server that have a file descriptor. The kernel completes closed
/// ones without one.
pub(crate) fn connections_at(addr: SocketAddr) -> usize {
    unread_bytes(addr).len()
}

/// Waits until the server has accepted `count` connections and has read every byte that was sent over them.
pub(crate) async fn until_read(process: &Process, count: usize) {
    until("the server to read all bytes", || {
        let unread = unread_bytes(process.addr());
        unread.len() == count && unread.iter().all(|&bytes| bytes == 0)
    })
    .await;
}

/// Returns the number of bytes that the server has not read, for each connection that has a file descriptor.
fn unread_bytes(addr: SocketAddr) -> Vec<u64> {
    const LISTENING: &str = "0A";
    let port = format!(":{:04X}", addr.port());
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let queues = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (_, receive_queue) = fields[4].split_once(':').unwrap();
        (fields[1].ends_with(&port) && fields[3] != LISTENING && fields[9] != "0")
            .then(|| u64::from_str_radix(receive_queue, 16).unwrap())
    });
    queues.collect()
}

/// Returns the number of open file descriptors, and 0 where it is not known.
pub(crate) fn descriptors(process: &Process) -> usize {
    if !IS_REPORTED {
        return 0;
    }
    let directory = Path::new("/proc").join(process.pid().to_string()).join("fd");
    fs::read_dir(directory).unwrap().count()
}
