//! Servers as processes: started on their core, asked for their time and memory, and never outliving this one.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    net::SocketAddr,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use crate::machine;

const START: Duration = Duration::from_secs(20);

/// How to start a server.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub environment: Vec<(&'static str, OsString)>,
}

/// A server that runs, until this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pub addr: SocketAddr,
    /// When it was started.
    pub since: Instant,
    log: PathBuf,
}

/// Where a log goes: a place of this run's own, for another one may go on beside it.
pub fn log(name: &str) -> io::Result<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/logs");
    fs::create_dir_all(&directory)?;
    Ok(directory.join(format!("{}-{name}", std::process::id())))
}

impl Server {
    /// Starts it by way of [`launch`], and waits for the address in its log.
    pub fn start(name: &str, recipe: &Recipe, core: Option<usize>) -> io::Result<Self> {
        let path = log(&format!("{name}.log"))?;
        let file = File::create(&path)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("launch");
        if let Some(core) = core {
            command.arg(format!("--core={core}"));
        }
        command.arg(format!("--parent={}", std::process::id())).arg("--");
        command.arg(&recipe.program).args(&recipe.arguments);
        // A server is compared as it comes, not as the surroundings of this run would have it.
        for (variable, _) in std::env::vars_os() {
            let named = variable.to_string_lossy();
            if named == "RUST_LOG" || named.starts_with("WS_ECHO_") {
                command.env_remove(variable);
            }
        }
        command.envs(recipe.environment.iter().map(|(name, value)| (name, value)));
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let since = Instant::now();
        // From here on the child is ended on every way out.
        let mut server = Self {
            child: command.spawn()?,
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            since,
            log: path,
        };
        loop {
            let said = fs::read_to_string(&server.log)?;
            if let Some(addr) = address(&said) {
                server.addr = addr;
                return Ok(server);
            }
            let status = server.child.try_wait()?;
            if status.is_some() || since.elapsed() > START {
                let why = status.map_or("it says no address".to_owned(), |status| status.to_string());
                return Err(io::Error::other(format!(
                    "does not start: {why}: {}",
                    said.trim()
                )));
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Processor time of all its threads, in seconds.
    pub fn cpu(&self) -> f64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid()))
            .into_iter()
            .flatten()
            .flatten();
        let nanoseconds: u64 = tasks
            .filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
            .filter_map(|stat| stat.split(' ').next()?.parse::<u64>().ok())
            .sum();
        nanoseconds as f64 / 1e9
    }

    /// Resident memory, in bytes. From smaps_rollup, for the kernel is allowed to be late with what `status` says.
    pub fn resident(&self) -> io::Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid()))
            .or_else(|_| fs::read_to_string(format!("/proc/{}/status", self.pid())))?;
        let line = text
            .lines()
            .find(|line| line.starts_with("Rss:") || line.starts_with("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
        kilobytes
            .map(|kilobytes| kilobytes * 1024.0)
            .ok_or_else(|| io::Error::other("no Rss in /proc"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.log);
    }
}

/// The first line that ends in an address of the loopback names where the server listens.
fn address(log: &str) -> Option<SocketAddr> {
    log.lines().filter(|_| log.ends_with('\n')).find_map(|line| {
        let at = line.find("127.0.0.1:")?;
        let text: String = line[at..]
            .chars()
            .take_while(|&letter| ".:".contains(letter) || letter.is_ascii_digit())
            .collect();
        text.parse().ok()
    })
}

/// Becomes another program, on its core, and one that dies with the comparison, however that ends. A process of its own
/// because both are set for the caller, and what comes of it inherits them.
pub fn launch(core: Option<usize>, parent: u32, command: &[OsString]) -> io::Result<()> {
    if let Some(core) = core {
        machine::pin(core)?;
    }
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // Had it died before, no signal would come any more.
    if getppid().is_none_or(|now| now.as_raw_nonzero().get() as u32 != parent) {
        return Err(io::Error::other("the comparison has ended"));
    }
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| io::Error::other("nothing to start"))?;
    Err(Command::new(program).args(arguments).exec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_a_log() {
        let log = "[2025 INFO x] starting\n[2025 INFO x] listening on http://127.0.0.1:4567\n";
        assert_eq!(address(log), Some(SocketAddr::from(([127, 0, 0, 1], 4567))));
        assert_eq!(
            address("listening on 127.0.0.1:45"),
            None,
            "the line is not whole"
        );
    }
}
