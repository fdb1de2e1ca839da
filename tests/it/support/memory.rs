//! What a running server holds, as the kernel sees it.

use std::{fs, net::SocketAddr, path::Path};

use super::{process::Process, until};

pub(crate) const KIB: u64 = 1024;
pub(crate) const MIB: u64 = 1024 * KIB;

/// A watch over the memory of a process, from when it was begun.
pub(crate) struct Memory {
    pid: u32,
    before: u64,
}

impl Memory {
    /// Begins to watch: the kernel forgets the highest figure that it has seen so far.
    pub(crate) fn watch(process: &Process) -> Self {
        let pid = process.pid();
        fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
        let before = status(pid, "VmRSS:");
        Self { pid, before }
    }

    /// The most that the process has grown since: the kernel keeps the peak, so that none between two looks is missed.
    pub(crate) fn growth(&self) -> u64 {
        status(self.pid, "VmHWM:").saturating_sub(self.before)
    }

    /// How much more of it is resident now.
    pub(crate) fn growth_now(&self) -> u64 {
        status(self.pid, "VmRSS:").saturating_sub(self.before)
    }

    /// Asserts that the process never grew so much.
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

/// A figure of `/proc/<pid>/status` in bytes.
fn status(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * KIB
}

/// How many of the server's connections hold a descriptor: those that the kernel finishes alone count no more.
pub(crate) fn connections(process: &Process) -> usize {
    connections_at(process.addr())
}

/// The same of one of its addresses, which is of IPv4.
pub(crate) fn connections_at(addr: SocketAddr) -> usize {
    unread_bytes(addr).len()
}

/// Waits until the server has accepted `count` connections and has read every byte that was sent over them.
pub(crate) async fn until_read(process: &Process, count: usize) {
    until("the server to read all that was sent", || {
        let unread = unread_bytes(process.addr());
        unread.len() == count && unread.iter().all(|&bytes| bytes == 0)
    })
    .await;
}

/// How many bytes wait in the kernel for the server, for each connection that it has a descriptor of.
fn unread_bytes(addr: SocketAddr) -> Vec<u64> {
    const LISTENING: &str = "0A";
    let port = format!(":{:04X}", addr.port());
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let mine = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (_, receive_queue) = fields[4].split_once(':').unwrap();
        (fields[1].ends_with(&port) && fields[3] != LISTENING && fields[9] != "0")
            .then(|| u64::from_str_radix(receive_queue, 16).unwrap())
    });
    mine.collect()
}

/// How many file descriptors are open.
pub(crate) fn descriptors(process: &Process) -> usize {
    let directory = Path::new("/proc").join(process.pid().to_string()).join("fd");
    fs::read_dir(directory).unwrap().count()
}
