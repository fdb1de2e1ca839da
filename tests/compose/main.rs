//! `docker compose up` as the README has it: built, started, used and stopped.

// A test that cannot go on says so by a panic.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{net::TcpListener, process::Command};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
#[ignore = "needs docker"]
async fn compose_serves_the_page_and_an_echo_and_stops_with_exit_code_0() {
    let project = Project::new();
    project.compose(&["up", "--detach", "--build", "--wait", "--wait-timeout", "120"]);
    let container = project.compose(&["ps", "--quiet"]);
    assert_eq!(
        inspect(
            &container,
            "{{.State.Health.Status}} {{.Config.User}} {{.HostConfig.ReadonlyRootfs}}"
        ),
        "healthy 65532:65532 true"
    );
    assert_eq!(
        inspect(
            &container,
            r#"{{index .Config.Labels "org.opencontainers.image.version"}}"#
        ),
        env!("CARGO_PKG_VERSION"),
    );

    let page = get(project.port, "/").await;
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(page.contains(r#"id="mes""#), "{page}");

    let url = format!("ws://localhost:{}/some/path", project.port);
    let (mut peer, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    peer.send(Message::text("through the container")).await.unwrap();
    let reply = peer.next().await.unwrap().unwrap().into_text().unwrap();
    assert!(
        reply.starts_with("客户端发送的信息：through the container,"),
        "{reply}"
    );
    let log = project.compose(&["logs", "--no-color"]);
    assert!(
        log.contains("through the container"),
        "the log shows no message: {log}"
    );

    // The session is open still: the server ends it, and then itself.
    project.compose(&["stop"]);
    assert_eq!(
        inspect(&container, "{{.State.ExitCode}} {{.State.OOMKilled}}"),
        "0 false"
    );
    let close = peer.next().await.unwrap().unwrap();
    let Message::Close(Some(close)) = close else {
        panic!("no Close frame but {close:?}");
    };
    assert_eq!(
        (u16::from(close.code), close.reason.as_str()),
        (1001, "ws-echo: shutting down")
    );
}

/// A compose project of this test's own; nothing of it is left when it is dropped, but the build's caches.
struct Project {
    name: String,
    port: u16,
}

impl Project {
    fn new() -> Self {
        // Free a moment ago: Docker cannot tell which one the system chose.
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Self {
            name: format!("ws-echo-test-{}", std::process::id()),
            port: free.port(),
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command
            .args(["compose", "--project-name", &self.name, "--ansi", "never"])
            .args(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("WS_ECHO_PORT", self.port.to_string());
        command
    }

    /// Runs `docker compose` and gives what it prints.
    fn compose(&self, args: &[&str]) -> String {
        run(self.command(args))
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.command(&["logs"]).status();
        }
        let down = [
            "down",
            "--volumes",
            "--remove-orphans",
            "--rmi",
            "local",
            "--timeout",
            "5",
        ];
        let _ = self.command(&down).status();
    }
}

fn inspect(container: &str, format: &str) -> String {
    let mut command = Command::new("docker");
    command.args(["inspect", "--format", format, container]);
    run(command)
}

fn run(mut command: Command) -> String {
    let output = command.output().expect("docker can be run");
    let stdout = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{stdout}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    stdout
}

async fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("localhost", port)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    String::from_utf8(response).unwrap()
}
