//! A proxy as a process.

use std::{
    fs,
    net::SocketAddr,
    process::{Command, Stdio},
};

use system_tests::port;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::{
    group::Group,
    support::{
        check::{Checked, report},
        process::Process,
    },
};

/// A running proxy. Its files are in a folder of its own.
pub(crate) struct Program {
    pub(crate) url: String,
    // Before the folder, which is removed after the programs have ended.
    _group: Group,
    _folder: TempDir,
}

impl Program {
    /// Starts a proxy. `configure` gets its folder and its address, and returns the name and the text of its configuration, and the
    /// command. In the command, `FILE` is the path of the configuration, and `FOLDER` the folder.
    pub(crate) async fn start(
        configure: impl FnOnce(&str, SocketAddr) -> (&'static str, String, Vec<String>),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let addr = SocketAddr::from(([127, 0, 0, 1], port::free()));
        let path = folder.path().to_str().unwrap().to_owned();
        let (name, config, command) = configure(&path, addr);
        let file = folder.path().join(name);
        fs::write(&file, config).unwrap();
        let mut words = command.iter().map(|word| {
            word.replace("FILE", file.to_str().unwrap())
                .replace("FOLDER", &path)
        });
        let log = fs::File::create(folder.path().join("output")).unwrap();
        let mut program = Command::new(words.next().unwrap());
        program
            .args(words)
            // Debian has the programs of servers there.
            .env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()))
            .env("HOME", &path)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let mut group =
            Group::start(&mut program).unwrap_or_else(|error| panic!("cannot start {}: {error}", command[0]));
        let output = folder.path().join("output");
        while TcpStream::connect(addr).await.is_err() {
            if let Some(status) = group.exited() {
                panic!(
                    "{} exited with {status}: {}",
                    command[0],
                    fs::read_to_string(output).unwrap()
                );
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        Self {
            url: format!("ws://{addr}/"),
            _group: group,
            _folder: folder,
        }
    }

    /// Runs `ws-echo check` through the proxy.
    pub(crate) async fn check(&self, args: &[&str]) -> Checked {
        report(&[&[&*self.url], args].concat()).await
    }
}

/// All checks, for a proxy that is configured right. Each takes seconds, or none.
pub(crate) const ALL: &str = "--idle=2s";

/// The checks that take less than a second together, for a proxy that changes fields.
pub(crate) const QUICK: &str = "--skip=size,ping,latency,backpressure,polling";

/// Starts the server behind a proxy.
pub(crate) async fn server() -> Process {
    Process::start(&[]).await
}

/// Returns an address on which nothing listens.
pub(crate) fn nobody() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port::free()))
}
