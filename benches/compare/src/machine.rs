//! The machine: its cores, its limits and its description.

use std::{ffi::OsStr, fs, io, process::Command};

use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
    time::{ClockId, clock_gettime},
};

/// The core of the server and the core of the load generator.
#[derive(Clone, Copy, Debug)]
pub struct Cores {
    pub server: usize,
    pub load: usize,
}

impl Cores {
    /// Returns the first and the last core that this process may use, or nothing if it has only one.
    pub fn choose() -> Option<Self> {
        let allowed = sched_getaffinity(None).ok()?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
        Some(Self {
            server: cores.next()?,
            load: cores.next_back()?,
        })
    }
}

/// Keeps this thread, and the processes that it starts from now on, on one core.
pub fn pin(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

/// Raises the limit of open files as far as possible, for this process and its children, and returns it.
pub fn raise_open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    );
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Returns the processor seconds of this process, which has one thread.
pub fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Returns the output of a command, or nothing if it fails.
pub fn output(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// Prints processor, memory and kernel as a list.
pub fn describe(cores: Option<Cores>, open_files: u64) {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let cpu = read("/proc/cpuinfo");
    let model = field(&cpu, "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let count = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let memory = field(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let gigabytes = memory.trim_end_matches(" kB").parse().unwrap_or(f64::NAN) / 1024.0 / 1024.0;
    let virtual_machine = if cpu.contains("hypervisor") {
        ", a virtual machine"
    } else {
        ""
    };
    let pinning = match cores {
        Some(Cores { server, load }) => format!("server on core {server}, load generator on core {load}"),
        None => "only one core: nothing is pinned, and server and load generator share it".to_owned(),
    };
    println!("- {model}, {count} cores, {gigabytes:.0} GiB{virtual_machine}; {pinning}");
    let (kernel, load) = (read("/proc/sys/kernel/osrelease"), read("/proc/loadavg"));
    let (kernel, load) = (kernel.trim(), load.split(' ').next().unwrap_or("?"));
    println!("- Linux {kernel}; {open_files} open files a process; load average {load} at the start");
}
