//! Builds, starts, uses and stops each profile of docker-compose.yml.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails panics at the place of the failure"
)]

mod pinned;

use std::{process::Command, sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use system_tests::{package_field, port, root};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};

type Peer = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The timeout of each step with containers.
const TIMEOUT: Duration = Duration::from_secs(120);

#[tokio::test]
#[ignore = "needs docker"]
async fn compose_serves_the_page_and_an_echo_and_stops_with_exit_code_0() {
    let project = Project::new("plain");
    project.up(&[], &[]);
    let container = project.compose(&["ps", "--quiet"]);
    assert_eq!(
        inspect(
            &container,
            "{{.State.Health.Status}} {{.Config.User}} {{.HostConfig.ReadonlyRootfs}}"
        ),
        "healthy 65532:65532 true"
    );
    for (label, value) in [
        ("title", package_field("name")),
        ("description", package_field("description")),
        ("version", package_field("version")),
        ("licenses", package_field("license")),
        ("revision", REVISION.to_owned()),
    ] {
        let label = format!(r#"{{{{index .Config.Labels "org.opencontainers.image.{label}"}}}}"#);
        assert_eq!(inspect(&container, &label), value, "{label}");
    }

    let page = get(project.port, "/").await;
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(page.contains(r#"id="mes""#), "{page}");

    let mut peer = connect(project.port, "/some/path").await.unwrap();
    let reply = exchange(&mut peer, "through the container").await;
    assert!(
        reply.starts_with("客户端发送的信息：through the container,"),
        "{reply}"
    );
    let log = project.compose(&["logs", "--no-color"]);
    assert!(
        log.contains("through the container"),
        "the log shows no message: {log}"
    );

    // The server closes the open session and exits.
    project.compose(&["stop"]);
    assert_eq!(
        inspect(&container, "{{.State.ExitCode}} {{.State.OOMKilled}}"),
        "0 false"
    );
    expect_shutdown(&mut peer).await;
}

#[tokio::test]
#[ignore = "needs docker"]
async fn three_replicas_behind_haproxy_share_the_clients_and_a_stopped_one_loses_none() {
    let project = Project::new("scale");
    project.up(&["--profile", "scale"], &["--scale", "echo=3"]);
    let replicas = project.compose(&["--profile", "scale", "ps", "--quiet", "echo"]);
    let replicas: Vec<_> = replicas.lines().map(str::to_owned).collect();
    assert_eq!(replicas.len(), 3);
    for replica in &replicas {
        let published = inspect(replica, "{{range .NetworkSettings.Ports}}{{.}}{{end}}");
        assert!(matches!(published.as_str(), "" | "[]"), "{published}");
    }

    // HAProxy does not report when it has found all three replicas.
    let mut peers = Vec::new();
    let all = async {
        while replicas
            .iter()
            .any(|replica| !peers.iter().any(|(at, _)| at == replica))
        {
            match connect(project.scale_port, "/?reply=json").await {
                Some(mut peer) => peers.push((replica_of(&mut peer, &replicas).await, peer)),
                None => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    };
    tokio::time::timeout(TIMEOUT, all)
        .await
        .expect("a client at each replica");
    let metrics = get(project.scale_port, "/metrics").await;
    assert!(metrics.starts_with("HTTP/1.1 404 "), "{metrics}");

    // One replica stops. Its clients get a Close and reconnect to another replica. The other clients are still served.
    let stopped = replicas[0].clone();
    let container = stopped.clone();
    let stop = tokio::task::spawn_blocking(move || docker(&["stop", "--time", "30", &container]));
    for (at, peer) in &mut peers {
        if *at == stopped {
            expect_shutdown(peer).await;
            let mut again = connect(project.scale_port, "/?reply=json")
                .await
                .expect("a handshake");
            assert_ne!(replica_of(&mut again, &replicas).await, stopped);
        } else {
            exchange(peer, "still there?").await;
        }
    }
    stop.await.unwrap();
    assert_eq!(inspect(&stopped, "{{.State.ExitCode}}"), "0");

    // All services stop. HAProxy still forwards the Close frames of the replicas.
    let (_, mut last) = peers
        .into_iter()
        .find(|(at, _)| *at != stopped)
        .expect("a client at each replica");
    project.compose(&["--profile", "scale", "stop"]);
    expect_shutdown(&mut last).await;
}

#[tokio::test]
#[ignore = "needs docker"]
async fn the_profile_tls_serves_wss_with_the_certificate_in_its_log() {
    let project = Project::new("tls");
    project.up(&["--profile", "tls"], &[]);
    let container = project.compose(&["--profile", "tls", "ps", "--quiet", "tls"]);
    let log = log(&container);
    let (_, sha256) = log.lines().find_map(|line| line.split_once("sha256=")).unwrap();
    let client = TlsConnector::from(Arc::new(pinned::to(sha256.trim())));
    let stream = TcpStream::connect(("localhost", project.tls_port)).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let stream = client.connect(name, stream).await.unwrap();
    let (mut peer, _) = tokio_tungstenite::client_async("wss://localhost/?reply=verbatim", stream)
        .await
        .unwrap();
    peer.send(Message::text("over TLS")).await.unwrap();
    assert_eq!(peer.next().await.unwrap().unwrap(), Message::text("over TLS"));
}

/// Returns the replica of a session. Fails unless the replica has resolved the address of the client behind the proxy.
async fn replica_of(peer: &mut Peer, replicas: &[String]) -> String {
    let reply: Value = serde_json::from_str(&exchange(peer, "x").await).unwrap();
    let connection = &reply["connection"];
    let proxy = connection["peer"].as_str().unwrap();
    let client = connection["client"]["address"].as_str().unwrap();
    assert!(
        !proxy.starts_with(client),
        "the client address is that of the proxy: {connection}"
    );
    assert_ne!(client, SPOOFED);
    let opened = [
        format!("connection={} ", connection["id"]),
        format!("peer={proxy} "),
    ];
    let found = replicas.iter().find(|replica| {
        log(replica)
            .lines()
            .any(|line| opened.iter().all(|field| line.contains(field)))
    });
    found.unwrap_or_else(|| panic!("in no log: {opened:?}")).clone()
}

/// The forged client address of a request.
const SPOOFED: &str = "203.0.113.7";

/// The value of `REVISION` in the environment, which the build stores in a label of the image.
const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

/// Opens a session. Returns `None` if the handshake fails, because no replica runs yet.
async fn connect(port: u16, path: &str) -> Option<Peer> {
    let mut request = format!("ws://localhost:{port}{path}")
        .into_client_request()
        .unwrap();
    request
        .headers_mut()
        .insert("x-forwarded-for", SPOOFED.parse().unwrap());
    tokio_tungstenite::connect_async(request)
        .await
        .ok()
        .map(|(peer, _)| peer)
}

/// Sends a message and returns the reply.
async fn exchange(peer: &mut Peer, message: &str) -> String {
    peer.send(Message::text(message)).await.unwrap();
    peer.next()
        .await
        .unwrap()
        .unwrap()
        .into_text()
        .unwrap()
        .to_string()
}

/// Waits for the Close of a server that shuts down, and for the end of the connection.
async fn expect_shutdown(peer: &mut Peer) {
    let close = tokio::time::timeout(TIMEOUT, async {
        let mut close = None;
        // tungstenite replies to the Close at the next read. The server waits for the reply.
        while let Some(Ok(message)) = peer.next().await {
            match message {
                Message::Close(frame) => close = frame,
                Message::Ping(_) => {}
                other => panic!("no Close frame but {other:?}"),
            }
        }
        close
    });
    let close = close.await.expect("an end").expect("a Close before the end");
    assert_eq!(
        (u16::from(close.code), close.reason.as_str()),
        (1001, "ws-echo: shutting down")
    );
}

/// The compose project of one test. A drop removes all of it except the build cache.
struct Project {
    name: String,
    port: u16,
    scale_port: u16,
    tls_port: u16,
}

impl Project {
    fn new(profile: &str) -> Self {
        Self {
            name: format!("ws-echo-test-{profile}-{}", std::process::id()),
            port: port::free(),
            scale_port: port::free(),
            tls_port: port::free(),
        }
    }

    /// Builds and starts the services, and waits until they are healthy.
    fn up(&self, profile: &[&str], more: &[&str]) {
        let up = ["up", "--detach", "--build", "--wait", "--wait-timeout", "120"];
        self.compose(&[profile, &up, more].concat());
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command
            .args(["compose", "--project-name", &self.name, "--ansi", "never"])
            .args(args)
            .current_dir(root())
            .env("REVISION", REVISION)
            .env("WS_ECHO_IMAGE", self.image())
            .env("WS_ECHO_PORT", self.port.to_string())
            .env("WS_ECHO_SCALE_PORT", self.scale_port.to_string())
            .env("WS_ECHO_TLS_PORT", self.tls_port.to_string());
        command
    }

    /// Returns the tag of the image. It is unique, so that the test replaces no other image.
    fn image(&self) -> String {
        format!("{}:test", self.name)
    }

    /// Runs `docker compose` and returns its standard output.
    fn compose(&self, args: &[&str]) -> String {
        run(self.command(args))
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let all = ["--profile", "scale", "--profile", "tls"];
        if std::thread::panicking() {
            let _ = self.command(&[&all[..], &["logs"]].concat()).status();
        }
        let down = ["down", "--volumes", "--remove-orphans", "--timeout", "5"];
        let _ = self.command(&[&all[..], &down].concat()).status();
        let _ = Command::new("docker")
            .args(["image", "rm", &self.image()])
            .status();
    }
}

fn inspect(container: &str, format: &str) -> String {
    docker(&["inspect", "--format", format, container])
}

/// Returns the log of a server, which is its standard error.
fn log(container: &str) -> String {
    let output = Command::new("docker").args(["logs", container]).output().unwrap();
    String::from_utf8(output.stderr).unwrap()
}

/// Runs `docker` and returns its standard output.
fn docker(args: &[&str]) -> String {
    let mut command = Command::new("docker");
    command.args(args);
    run(command)
}

fn run(mut command: Command) -> String {
    let output = command.output().expect("docker can be run");
    let stdout = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{stdout}\n{stderr}",
        output.status,
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
