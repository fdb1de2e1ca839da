//! The log events in docs/observability.md, against the records of running servers and against the source.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::TcpListener,
    path::Path,
    process::Stdio,
};

use serde_json::Value;
use tokio::process::Command;

use super::markdown::{Document, code_spans, root};
use crate::support::{
    process::{Process, Signal, ws_echo},
    raw::{self, Raw, upgrade},
};

/// The level and the fields of an event.
type Events = BTreeMap<String, (String, BTreeSet<String>)>;

/// An event that no test can cause: lowering the soft limit below what is open does not fail either.
const NOT_CAUSED: &str = "cannot raise open file limit";

fn documented() -> Events {
    let table = Document::read("docs/observability.md").table(&["Event", "Level", "Fields", "When"]);
    let rows = table.rows.iter().map(|row| {
        let fields = code_spans(&row[2]).into_iter().map(str::to_owned).collect();
        (row[0].trim_matches('`').to_owned(), (row[1].clone(), fields))
    });
    rows.collect()
}

/// Adds the records of the program to `events`.
fn collect(events: &mut Events, lines: &[String]) {
    for line in lines {
        let record: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let text = |name: &str| record[name].as_str().unwrap().to_owned();
        if !text("target").starts_with("ws_echo") {
            continue;
        }
        let (_, fields) = events
            .entry(text("message"))
            .or_insert_with(|| (text("level"), BTreeSet::new()));
        let names = record.as_object().unwrap().keys().map(String::as_str);
        fields.extend(
            names
                .filter(|name| !["time", "level", "target", "message"].contains(name))
                .map(str::to_owned),
        );
    }
}

/// Sets what every server of these tests has: records as JSON, `debug` included.
fn logging(mut command: Command) -> Command {
    command
        .args(["--log-format=json", "--workers=1"])
        .env("RUST_LOG", "info,ws_echo=debug");
    command
}

async fn end(events: &mut Events, server: Process) {
    let before = [server.skipped.clone(), server.found.clone()].concat();
    let (_, after) = server.exit().await;
    collect(events, &before);
    collect(events, &after);
}

/// Connections that open, receive, misbehave and close; handshakes that are refused; a reload and a shutdown that fail.
async fn behind_a_proxy_with_tls(events: &mut Events) {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut command = logging(ws_echo());
    command
        .args([
            "--listen=127.0.0.1:0",
            "--tls-listen=127.0.0.1:0",
            "--trusted-proxy=127.0.0.1",
        ])
        .args(["--shutdown-delay=10ms", "--shutdown-grace=10ms"])
        .arg("--tls-cert")
        .arg(&certificate)
        .arg("--tls-key")
        .arg(&key);
    let mut server = Process::spawn(command, 1).await;
    let tls = server.listening_on("https").await;

    for (query, lines) in [
        ("close=4000&after=1&unknown=1", "X-Forwarded-For: 192.0.2.1\r\n"),
        ("abort&after=1", "X-Forwarded-For: not an address\r\n"),
    ] {
        let (_, mut peer) = Raw::open(server.addr(), &format!("/?{query}"), lines).await;
        peer.send(&raw::text("hello")).await;
        server.logged("connection closed").await;
    }
    let mut refused = Raw::connect(server.addr()).await;
    let lines = "X-Forwarded-For: 192.0.2.1\r\n";
    refused.send(upgrade("/?delay=x", lines).as_bytes()).await;
    refused.refusal(400).await;
    let mut plain = Raw::connect(tls).await;
    plain.send(b"GET / HTTP/1.1\r\n\r\n").await;
    server.logged("TLS handshake failed").await;

    std::fs::write(&certificate, "no certificate").unwrap();
    server.signal(Signal::HUP);
    server.logged("reload failed").await;

    // A client that answers no Close keeps the drain waiting until the grace period expires.
    let _silent = server.raw("/").await;
    server.signal(Signal::TERM);
    end(events, server).await;
}

/// A server without certificates, on an inherited socket.
async fn with_an_inherited_socket(events: &mut Events) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let command = logging(Process::command_with_socket(&listener, "", &[]));
    let mut server = Process::spawn(command, 1).await;
    server.signal(Signal::HUP);
    server.logged("SIGHUP ignored").await;
    server.signal(Signal::TERM);
    end(events, server).await;
}

/// A server with a certificate of its own, with fewer file descriptors than connections, and with a closed standard output.
async fn with_few_descriptors(events: &mut Events) {
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    let server = ws_echo();
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -Sn 40; ulimit -Hn 333; exec \"$0\" \"$@\""])
        .arg(server.as_std().get_program())
        .args(server.as_std().get_args())
        .args([
            "--listen=127.0.0.1:0",
            "--tls-listen=127.0.0.1:0",
            "--tls-self-signed",
            "--print-address=text",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stdout(closed)
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let server = Process::spawn(logging(command), 1).await;
    server.signal(Signal::TERM);
    end(events, server).await;
}

#[actix_rt::test]
#[cfg_attr(windows, ignore = "needs SIGHUP")]
async fn every_event_in_the_log_is_in_the_table_with_its_level_and_its_fields() {
    let mut logged = Events::new();
    behind_a_proxy_with_tls(&mut logged).await;
    with_an_inherited_socket(&mut logged).await;
    with_few_descriptors(&mut logged).await;
    let mut documented = documented();
    assert!(documented.remove(NOT_CAUSED).is_some(), "{NOT_CAUSED}");
    assert_eq!(logged, documented);
}

/// Returns the texts of the log macros in a file: the last string literal of each call.
fn events_in(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap();
    let mut events = Vec::new();
    for name in ["error!(", "warn!(", "info!(", "debug!(", "trace!("] {
        for (position, _) in code.match_indices(name) {
            let call = &code[position + name.len()..];
            let mut depth = 1;
            let end = call.find(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth == 0
            });
            let literal = call[..end.unwrap()].rsplit('"').nth(1);
            events.push(literal.unwrap_or_else(|| panic!("no text in {call}")).to_owned());
        }
    }
    events
}

fn rust_files(folder: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else {
            files.push(std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_event_in_the_source_is_in_the_table() {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    let events: BTreeSet<String> = files.iter().flat_map(|source| events_in(source)).collect();
    let documented: BTreeSet<String> = documented().into_keys().collect();
    assert_eq!(events, documented);
}

#[actix_rt::test]
async fn a_log_line_in_the_readme_is_one_that_the_server_writes() {
    let mut command = ws_echo();
    command
        .arg("--listen=127.0.0.1:0")
        .env("RUST_LOG", "info,ws_echo=debug");
    let mut server = Process::spawn(command, 1).await;
    let mut peer = server.raw("/").await;
    peer.send(&raw::text("hello")).await;
    let line = server.logged("] message ").await;
    for name in ["README.md", "README.zh-CN.md"] {
        let text = Document::read(name).text;
        let example = text.lines().find_map(|line| line.strip_prefix("# [")).unwrap();
        // After the time.
        let tail = |line: &str| line.split_once(' ').unwrap().1.to_owned();
        assert_eq!(tail(example), tail(line.trim_start_matches('[')), "{name}");
    }
}
