//! The real binary.

use std::{
    net::SocketAddr,
    os::fd::OwnedFd,
    process::{ExitStatus, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

use super::{raw::Raw, soon};

/// `ws-echo`, without what the environment of the tests says to it.
pub(crate) fn ws_echo() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ws-echo"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("WS_ECHO_") {
            command.env_remove(name);
        }
    }
    command
        .env_remove("RUST_LOG")
        .env_remove("RUST_BACKTRACE")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// A running server.
pub(crate) struct Process {
    child: Child,
    /// Read as it comes: a log that nobody reads would stop the server.
    log: UnboundedReceiver<String>,
    /// The lines that were passed over while another one was looked for.
    pub(crate) passed: Vec<String>,
    pub(crate) addrs: Vec<SocketAddr>,
}

impl Process {
    /// Starts a server on a free port of 127.0.0.1.
    pub(crate) async fn start(args: &[&str]) -> Self {
        Self::listening(&["127.0.0.1:0"], 1, args).await
    }

    /// Starts a server that listens as told, and waits until its log has named `count` addresses.
    pub(crate) async fn listening(listen: &[&str], count: usize, args: &[&str]) -> Self {
        let mut command = ws_echo();
        for listen in listen {
            command.args(["--listen", listen]);
        }
        command.args(args);
        Self::spawn(command, count).await
    }

    /// Starts a server that takes its socket from `listener`, as systemd passes one.
    pub(crate) async fn inheriting(listener: &std::net::TcpListener, args: &[&str]) -> Self {
        Self::spawn(Self::passing(listener, "", args), 1).await
    }

    /// The command that passes it, by that name.
    pub(crate) fn passing(listener: &std::net::TcpListener, name: &str, args: &[&str]) -> Command {
        let server = ws_echo();
        let mut command = Command::new("sh");
        // The third descriptor is the first that is passed, and LISTEN_PID the process that it is passed to.
        command
            .args(["-c", "LISTEN_PID=$$ exec \"$0\" \"$@\" 3<&0 </dev/null"])
            .arg(server.as_std().get_program())
            .args(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("LISTEN_FDS", "1")
            .env("LISTEN_FDNAMES", name)
            .env_remove("RUST_LOG")
            .stdin(OwnedFd::from(listener.try_clone().unwrap()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Starts `command`, and waits until its log has named `count` addresses.
    pub(crate) async fn spawn(mut command: Command, count: usize) -> Self {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, log) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let _ = sender.send(line);
            }
        });
        let mut process = Self {
            child,
            log,
            passed: Vec::new(),
            addrs: Vec::new(),
        };
        while process.addrs.len() < count {
            let addr = process.listening_on("http").await;
            process.addrs.push(addr);
        }
        process
    }

    /// The next address of that scheme that the log names.
    pub(crate) async fn listening_on(&mut self, scheme: &str) -> SocketAddr {
        let scheme = format!("{scheme}://");
        loop {
            let line = self.logged("listening").await;
            if let Some((_, addr)) = line.split_once(&scheme) {
                // In JSON a quotation mark follows.
                return addr.split('"').next().unwrap().trim().parse().unwrap();
            }
            self.passed.push(line);
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addrs[0]
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// The next line of the log that contains `what`.
    pub(crate) async fn logged(&mut self, what: &str) -> String {
        soon(what, async {
            loop {
                match self.log.recv().await {
                    Some(line) if line.contains(what) => return line,
                    Some(line) => self.passed.push(line),
                    None => panic!("the log ended without {what:?}: {:#?}", self.passed),
                }
            }
        })
        .await
    }

    /// A connection that speaks bytes.
    pub(crate) async fn raw(&self, path: &str) -> Raw {
        Raw::open(self.addr(), path, "").await.1
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid() as i32).unwrap(), signal).unwrap();
    }

    /// Waits for the process to end by itself; gives what was left of its log too.
    pub(crate) async fn exit(mut self) -> (ExitStatus, Vec<String>) {
        soon("the end of the process", async {
            let mut rest = Vec::new();
            while let Some(line) = self.log.recv().await {
                rest.push(line);
            }
            (self.child.wait().await.unwrap(), rest)
        })
        .await
    }
}
