//! Servers as processes.

use std::{
    fs::{self, File},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    machine::{self, Cores},
    servers::Spec,
};

const START: Duration = Duration::from_secs(20);

/// A running server. Dropping it ends the process.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pub name: &'static str,
    pub addr: SocketAddr,
    pub tls: bool,
    /// When it was started.
    pub since: Instant,
    log: PathBuf,
}

impl Server {
    /// Starts a server on its core, and waits for the address in its log.
    pub fn start(spec: &Spec, cores: Option<Cores>) -> io::Result<Self> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/logs");
        fs::create_dir_all(&directory)?;
        let log = directory.join(format!("{}-{}.log", std::process::id(), spec.name));
        let file = File::create(&log)?;
        // The server ends with this process, however that ends.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL"])
            .args(&spec.command)
            .env("NODE_ENV", "production");
        // The defaults of a server are compared, not the environment of this run.
        for (variable, _) in std::env::vars_os() {
            let name = variable.to_string_lossy();
            if name == "RUST_LOG" || name.starts_with("WS_ECHO_") {
                command.env_remove(variable);
            }
        }
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let since = Instant::now();
        // A process inherits the core of the thread that starts it.
        if let Some(cores) = cores {
            machine::pin(cores.server)?;
        }
        let child = command.spawn();
        if let Some(cores) = cores {
            machine::pin(cores.load)?;
        }
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self {
            child: child?,
            name: spec.name,
            addr,
            tls: spec.tls,
            since,
            log,
        };
        loop {
            let log = fs::read_to_string(&server.log)?;
            if let Some(addr) = address(&log, spec.tls) {
                server.addr = addr;
                return Ok(server);
            }
            let status = server.child.try_wait()?;
            if status.is_some() || since.elapsed() > START {
                let log = log.trim();
                return Err(io::Error::other(format!(
                    "does not start (exit status {status:?}): {log}"
                )));
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns the processor seconds of all its threads.
    pub fn processor_time(&self) -> f64 {
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

    /// Returns the bytes of resident memory. Reads smaps_rollup, because the kernel may update `status` late.
    pub fn resident(&self) -> io::Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid()))?;
        let kilobytes = text
            .lines()
            .find_map(|line| line.strip_prefix("Rss:")?.strip_suffix("kB")?.trim().parse().ok());
        kilobytes
            .map(|kilobytes: f64| kilobytes * 1024.0)
            .ok_or_else(|| io::Error::other("no Rss in smaps_rollup"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.log);
    }
}

/// Returns the first loopback address in the complete lines of a log, or the first https address.
fn address(log: &str, tls: bool) -> Option<SocketAddr> {
    let prefix = if tls { "https://127.0.0.1:" } else { "127.0.0.1:" };
    let (complete, _) = log.rsplit_once('\n')?;
    let (_, rest) = complete.split_once(prefix)?;
    let port = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
    Some(SocketAddr::from(([127, 0, 0, 1], port.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_a_log() {
        let log =
            "[2025 INFO x] starting\nlistening url=http://127.0.0.1:4567\nlistening url=https://127.0.0.1:45";
        assert_eq!(
            address(log, false),
            Some(SocketAddr::from(([127, 0, 0, 1], 4567)))
        );
        assert_eq!(address(log, true), None, "the line is incomplete");
        assert_eq!(
            address(&format!("{log}68\n"), true),
            Some(SocketAddr::from(([127, 0, 0, 1], 4568)))
        );
    }
}
