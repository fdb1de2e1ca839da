//! `--print-address`: the addresses on standard output, for programs that start the server on port 0.

use std::{
    io::{self, Read as _},
    net::SocketAddr,
    process::Stdio,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout},
};

use crate::support::{
    in_time,
    process::{Process, ws_echo},
    raw::{self, FIN, Frame, Raw, TEXT},
};

/// A server and the lines of its standard output. Nobody reads its log.
struct Started {
    _server: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Started {
    fn new(args: &[&str]) -> Self {
        let mut server = ws_echo().args(args).stderr(Stdio::null()).spawn().unwrap();
        Self {
            lines: BufReader::new(server.stdout.take().unwrap()).lines(),
            _server: server,
        }
    }

    async fn line(&mut self) -> String {
        let line = in_time("a line on standard output", self.lines.next_line()).await;
        line.unwrap().unwrap()
    }
}

/// Asserts that a server echoes at a URL such as `ws://127.0.0.1:3000/`.
async fn assert_echoes(url: &str) {
    let addr = url
        .strip_prefix("ws://")
        .and_then(|url| url.strip_suffix('/'))
        .unwrap();
    let (_, mut peer) = Raw::open(addr.parse().unwrap(), "/?reply=verbatim", "").await;
    peer.send(&raw::text("x")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "x"));
}

#[actix_rt::test]
async fn text_is_the_url_of_each_listener_and_a_client_can_connect_at_once() {
    let mut server = Started::new(&[
        "--print-address=text",
        "--listen=127.0.0.1:0,127.0.0.1:0",
        "--tls-listen=127.0.0.1:0",
        "--tls-self-signed",
    ]);
    let (one, other, tls) = (server.line().await, server.line().await, server.line().await);
    assert_ne!(one, other);
    assert_echoes(&one).await;
    assert_echoes(&other).await;
    assert!(tls.starts_with("wss://127.0.0.1:"), "{tls}");
}

#[actix_rt::test]
async fn json_is_an_object_for_each_listener_with_both_urls() {
    let mut server = Started::new(&[
        "serve",
        "--print-address=json",
        "--listen=0.0.0.0:0",
        "--tls-listen=127.0.0.1:0",
        "--tls-self-signed",
    ]);
    let plain: Value = serde_json::from_str(&server.line().await).unwrap();
    let port = plain["address"]
        .as_str()
        .unwrap()
        .parse::<SocketAddr>()
        .unwrap()
        .port();
    assert_ne!(port, 0);
    assert_eq!(
        plain,
        serde_json::json!({
            "address": format!("0.0.0.0:{port}"),
            "port": port,
            "tls": false,
            // Clients cannot connect to 0.0.0.0 on every system.
            "ws": format!("ws://127.0.0.1:{port}/"),
            "http": format!("http://127.0.0.1:{port}/"),
        })
    );
    assert_echoes(plain["ws"].as_str().unwrap()).await;
    let tls: Value = serde_json::from_str(&server.line().await).unwrap();
    assert_eq!(tls["tls"], true);
    assert_eq!(tls["http"], format!("https://127.0.0.1:{}/", tls["port"]));
}

#[actix_rt::test]
async fn a_server_whose_standard_output_is_closed_logs_it_and_serves() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut command = ws_echo();
    command
        .args(["--listen=127.0.0.1:0", "--print-address=json"])
        .stdout(writer);
    let mut server = Process::spawn(command, 1).await;
    server.logged("cannot print addresses").await;
    assert_echoes(&format!("ws://{}/", server.addr())).await;
}

#[actix_rt::test]
async fn without_the_flag_standard_output_is_empty() {
    let (mut reader, writer) = io::pipe().unwrap();
    let mut command = ws_echo();
    command.arg("--listen=127.0.0.1:0").stdout(writer);
    let mut server = Process::spawn(command, 1).await;
    // An event that is later than the start of the server.
    drop(server.raw("/").await);
    server.logged("connection closed").await;
    drop(server);
    let mut printed = String::new();
    reader.read_to_string(&mut printed).unwrap();
    assert_eq!(printed, "");
}
