//! Echo servers that are not ws-echo: no false alarm. Both end the connection of a message past their own limit.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::ChildStdout,
};

use crate::{
    group::Group,
    program::ALL,
    support::{
        check::{Checked, report},
        in_time,
    },
};

const NODE: &str = r#"
const { WebSocketServer } = require("ws");
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: PERMESSAGE_DEFLATE });
server.on("listening", () => console.log(server.address().port));
server.on("connection", (socket) => socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })));
"#;

const PYTHON: &str = r#"
import asyncio, websockets
async def echo(socket):
    async for message in socket:
        await socket.send(message)
async def main():
    async with websockets.serve(echo, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()
asyncio.run(main())
"#;

/// Runs a command that installs packages in a folder.
async fn install(folder: &Path, command: &str) {
    let mut words = command.split(' ');
    let status = tokio::process::Command::new(words.next().unwrap())
        .args(words)
        .current_dir(folder)
        .kill_on_drop(true)
        .status();
    let status = in_time("the packages", status).await.unwrap();
    assert!(status.success(), "{command}");
}

/// Starts a program that prints its port.
async fn start(folder: &Path, program: &str, arguments: &[&str]) -> (Group, SocketAddr) {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut group = Group::start(&mut command).unwrap();
    let output = ChildStdout::from_std(group.take_output().unwrap()).unwrap();
    let mut line = String::new();
    in_time("the port", BufReader::new(output).read_line(&mut line))
        .await
        .unwrap();
    (
        group,
        SocketAddr::from(([127, 0, 0, 1], line.trim().parse().unwrap())),
    )
}

/// A folder with the package ws.
pub(crate) struct Node {
    folder: TempDir,
}

impl Node {
    pub(crate) async fn install() -> Self {
        let folder = tempfile::tempdir().unwrap();
        install(folder.path(), "npm install --silent --no-save --prefix . ws@8").await;
        Self { folder }
    }

    pub(crate) async fn start(&self, deflate: bool) -> (Group, SocketAddr) {
        let program = NODE.replace("PERMESSAGE_DEFLATE", if deflate { "true" } else { "false" });
        start(self.folder.path(), "node", &["-e", &program]).await
    }
}

/// A folder with the package websockets.
pub(crate) struct Python {
    folder: TempDir,
    python: String,
}

impl Python {
    pub(crate) async fn install() -> Self {
        let folder = tempfile::tempdir().unwrap();
        install(folder.path(), "python3 -m venv venv").await;
        let python = folder.path().join("venv/bin/python");
        let python = python.to_str().unwrap().to_owned();
        let pip = "-m pip --quiet --disable-pip-version-check install websockets";
        install(folder.path(), &format!("{python} {pip}")).await;
        Self { folder, python }
    }

    pub(crate) async fn start(&self) -> (Group, SocketAddr) {
        start(self.folder.path(), &self.python, &["-c", PYTHON]).await
    }
}

/// Runs all checks.
async fn check(addr: SocketAddr) -> Checked {
    let checked = report(&[&format!("ws://{addr}/"), ALL, "--timeout=5s"]).await;
    assert_eq!(checked.code, 0, "{checked:#?}");
    for name in ["addresses", "handshake", "close"] {
        checked.assert(name, "ok", &[]);
    }
    checked.assert("messages", "ok", &["65,536 B"]);
    checked.assert("close", "ok", &["4001"]);
    checked.assert("headers", "unknown", &["does not show"]);
    checked.assert("subprotocol", "unknown", &["--subprotocol"]);
    checked
}

#[actix_rt::test]
#[ignore = "needs node"]
async fn the_server_of_the_npm_package_ws_is_not_blamed() {
    let node = Node::install().await;
    for (deflate, verdict) in [(true, "ok"), (false, "unknown")] {
        let (_server, addr) = node.start(deflate).await;
        check(addr).await.assert("compression", verdict, &[]);
    }
}

#[actix_rt::test]
#[ignore = "needs python3"]
async fn the_server_of_the_python_package_websockets_is_not_blamed() {
    let python = Python::install().await;
    let (_server, addr) = python.start().await;
    check(addr).await.assert("compression", "ok", &[]);
}
