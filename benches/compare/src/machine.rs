//! The machine: its cores, its limits, and what must be said of it beside the figures.

use std::{fs, io, process::Command};

use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
    time::{ClockId, clock_gettime},
};

/// The core of the server and the core of the load.
#[derive(Clone, Copy, Debug)]
pub struct Cores {
    pub server: usize,
    pub load: usize,
}

impl Cores {
    /// The first and the last of those that this process may use; nothing where there is but one.
    pub fn choose() -> Option<Self> {
        let allowed = sched_getaffinity(None).ok()?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
        let server = cores.next()?;
        Some(Self {
            server,
            load: cores.next_back()?,
        })
    }
}

/// Keeps this thread, and what it starts from now on, on one core.
pub fn pin(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

/// As many open files as this process can have, for itself and for what it starts.
pub fn raise_open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Processor time that this process has had, in seconds; all of it is that of one thread.
pub fn cpu_of_this() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// What a command says, in one line; nothing where it cannot be run.
pub fn said(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// The version of a crate that this program was built with.
pub fn crate_version(name: &str) -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let entry = format!("name = \"{name}\"\nversion = \"");
    lock.split_once(&entry)
        .and_then(|(_, rest)| rest.split('"').next())
        .unwrap_or("?")
}

/// Processor, memory and kernel, as a list.
pub fn describe(cores: Option<Cores>, open_files: u64) -> Vec<String> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let model = field(&cpu, "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let count = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let memory = field(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let memory: f64 = memory.trim_end_matches(" kB").parse().unwrap_or(f64::NAN);
    let virtual_machine = if cpu.contains("hypervisor") {
        ", a virtual machine"
    } else {
        ""
    };
    let load = read("/proc/loadavg");
    let pinning = match cores {
        Some(Cores { server, load }) => format!("server on core {server}, load on core {load}"),
        None => "one core alone: nothing is pinned, and the load takes from the server".to_owned(),
    };
    vec![
        format!(
            "{model}, {count} cores, {:.0} GiB{virtual_machine}; {pinning}",
            memory / 1024.0 / 1024.0
        ),
        format!(
            "Linux {}; {open_files} open files a process; load average {} at the start",
            read("/proc/sys/kernel/osrelease").trim(),
            load.split(' ').next().unwrap_or("?"),
        ),
    ]
}
