//! The server as a process.

use std::{
    ffi::OsStr,
    net::SocketAddr,
    process::{ExitStatus, Stdio},
    sync::Mutex,
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdin, Command},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

pub(crate) use super::system::Signal;
use super::{in_time, raw::Raw, system};
use crate::project;

/// The environment variable with a command that runs the binary, such as an emulator, with arguments.
pub(crate) const RUNNER: &str = "WS_ECHO_TEST_RUNNER";

/// Returns the command `ws-echo`, without the environment variables that configure it.
pub(crate) fn ws_echo() -> Command {
    let binary = project::ws_echo();
    let runner = std::env::var(RUNNER).unwrap_or_default();
    let mut words = runner.split_whitespace().map(OsStr::new).chain([binary.as_ref()]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("WS_ECHO_") {
            command.env_remove(name);
        }
    }
    command
        .env_remove("RUST_LOG")
        .env_remove("RUST_BACKTRACE")
        .current_dir(project::root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// A running server.
pub(crate) struct Process {
    child: Child,
    /// Open on systems where its end stops the server.
    stdin: Mutex<Option<ChildStdin>>,
    /// The lines of the log. A task reads them at once, because a full pipe would block the server.
    log: UnboundedReceiver<String>,
    /// The lines that [`Self::logged`] has skipped.
    pub(crate) skipped: Vec<String>,
    /// The lines that [`Self::logged`] has found.
    pub(crate) found: Vec<String>,
    /// The addresses of the HTTP listeners.
    pub(crate) addrs: Vec<SocketAddr>,
}

impl Process {
    /// Starts a server on a free port of 127.0.0.1.
    pub(crate) async fn start(args: &[&str]) -> Self {
        Self::start_on(&["127.0.0.1:0"], 1, args).await
    }

    /// Starts a server with these values of `--listen`, and waits until it listens on `count` addresses.
    pub(crate) async fn start_on(listen: &[&str], count: usize, args: &[&str]) -> Self {
        let mut command = ws_echo();
        for listen in listen {
            command.args(["--listen", listen]);
        }
        command.args(args);
        Self::spawn(command, count).await
    }

    /// Starts a server that inherits the socket of `listener`, as from systemd.
    pub(crate) async fn with_socket(listener: &std::net::TcpListener, args: &[&str]) -> Self {
        Self::spawn(Self::command_with_socket(listener, "", args), 1).await
    }

    /// Returns the command of a server that inherits the socket of `listener` under `name`.
    pub(crate) fn command_with_socket(
        listener: &std::net::TcpListener,
        name: &str,
        args: &[&str],
    ) -> Command {
        let server = ws_echo();
        let mut command = Command::new("sh");
        // The first inherited descriptor is 3. LISTEN_PID must be the server's own process, which `exec` makes of the shell.
        command
            .args(["-c", "LISTEN_PID=$$ exec \"$0\" \"$@\" 3<&0 </dev/null"])
            .arg(server.as_std().get_program())
            .args(server.as_std().get_args())
            .args(args)
            .current_dir(project::root())
            .env("LISTEN_FDS", "1")
            .env("LISTEN_FDNAMES", name)
            .env_remove("RUST_LOG")
            .stdin(system::stdin_of(listener))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Starts `command`, and waits until it listens on `count` addresses.
    pub(crate) async fn spawn(mut command: Command, count: usize) -> Self {
        system::prepare(&mut command);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, log) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let _ = sender.send(line);
            }
        });
        let mut process = Self {
            stdin: Mutex::new(child.stdin.take()),
            child,
            log,
            skipped: Vec::new(),
            found: Vec::new(),
            addrs: Vec::new(),
        };
        while process.addrs.len() < count {
            let addr = process.listening_on("http").await;
            process.addrs.push(addr);
        }
        process
    }

    /// Waits for the next listener of this scheme in the log, and returns its address.
    pub(crate) async fn listening_on(&mut self, scheme: &str) -> SocketAddr {
        let scheme = format!("{scheme}://");
        loop {
            let line = self.logged("listening").await;
            if let Some((_, addr)) = line.split_once(&scheme) {
                // In JSON, a quotation mark ends the address.
                return addr.split('"').next().unwrap().trim().parse().unwrap();
            }
            self.skipped.push(line);
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addrs[0]
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Waits for the next line of the log that contains `text`, and returns it.
    pub(crate) async fn logged(&mut self, text: &str) -> String {
        in_time(text, async {
            loop {
                match self.log.recv().await {
                    Some(line) if line.contains(text) => {
                        self.found.push(line.clone());
                        return line;
                    }
                    Some(line) => self.skipped.push(line),
                    None => panic!(
                        "the log ended without {text:?}: {:?}, {:#?}",
                        self.child.wait().await,
                        self.skipped
                    ),
                }
            }
        })
        .await
    }

    /// Opens a session with a client that reads and writes frames byte by byte.
    pub(crate) async fn raw(&self, path: &str) -> Raw {
        Raw::open(self.addr(), path, "").await.1
    }

    /// Ends the server's standard input, if it is a pipe.
    pub(crate) fn end_stdin(&self) {
        drop(self.stdin.lock().unwrap().take());
    }

    /// Sends a signal. Where there is none, SIGTERM and SIGINT end the server's standard input instead.
    pub(crate) fn signal(&self, signal: Signal) {
        system::send(&self.child, &self.stdin, signal);
    }

    /// Waits until the process exits. Returns its status and the remaining lines of its log.
    pub(crate) async fn exit(mut self) -> (ExitStatus, Vec<String>) {
        in_time("the end of the process", async {
            let mut remaining = Vec::new();
            while let Some(line) = self.log.recv().await {
                remaining.push(line);
            }
            (self.child.wait().await.unwrap(), remaining)
        })
        .await
    }
}
