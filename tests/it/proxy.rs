//! `--trusted-proxy`: the client address in the log, in the limits and in `?reply=json`.

use serde_json::{Value, json};

use crate::support::{
    process::{Process, ws_echo},
    raw::{self, Raw, upgrade},
};

/// Opens a session with these header fields. Returns `connection` of the JSON reply, and the line of the opened connection in
/// the log.
async fn describe(server: &mut Process, headers: impl AsRef<[u8]>) -> (Value, Value) {
    let request = handshake("/?reply=json", headers.as_ref());
    let (_, mut peer) = Raw::open_with_bytes(server.addr(), &request).await;
    peer.send(&raw::text("x")).await;
    let reply: Value = serde_json::from_slice(&peer.frame().await.payload).unwrap();
    let logged = server.logged("connection opened").await;
    (
        reply["connection"].clone(),
        serde_json::from_str(&logged).unwrap(),
    )
}

/// Returns a handshake with additional header fields of any bytes.
fn handshake(path: &str, headers: &[u8]) -> Vec<u8> {
    let request = upgrade(path, "");
    let (fields, empty_line) = request.split_at(request.len() - 2);
    [fields.as_bytes(), headers, empty_line.as_bytes()].concat()
}

#[actix_rt::test]
async fn a_trusted_proxy_sets_the_client_address_in_the_log_and_the_reply() {
    let mut server = Process::start(&["--trusted-proxy=127.0.0.0/8", "--log-format=json"]).await;
    for (headers, client) in [
        (
            "X-Forwarded-For: 8.8.8.8, 203.0.113.7\r\nX-Forwarded-Proto: https\r\n",
            json!({"address": "203.0.113.7", "port": null, "proto": "https"}),
        ),
        (
            "Forwarded: for=\"[2001:db8::7]:4711\";proto=wss\r\n",
            json!({"address": "2001:db8::7", "port": 4711, "proto": "wss"}),
        ),
    ] {
        let (connection, logged) = describe(&mut server, headers).await;
        assert_eq!(connection["client"], client);
        assert_eq!(logged["client"], client["address"]);
        assert_eq!(logged["peer"], connection["peer"]);
        assert!(connection["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    }
    let (connection, logged) = describe(&mut server, "").await;
    assert_eq!(connection["client"]["address"], "127.0.0.1");
    assert_eq!(logged.get("client"), None, "the client is the peer");
}

#[actix_rt::test]
async fn forwarding_headers_of_an_untrusted_peer_are_ignored() {
    for flags in [
        &["--log-format=json"][..],
        &["--log-format=json", "--trusted-proxy=10.0.0.0/8,::1"],
    ] {
        let mut server = Process::start(flags).await;
        let headers =
            "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\nForwarded: for=203.0.113.7\r\n";
        let (connection, logged) = describe(&mut server, headers).await;
        assert_eq!(connection["client"]["address"], "127.0.0.1");
        assert_eq!(connection["client"]["proto"], Value::Null);
        assert_eq!(logged.get("client"), None);
    }
}

#[actix_rt::test]
async fn the_limit_per_address_counts_each_client_behind_a_proxy() {
    let server = Process::start(&["--trusted-proxy=127.0.0.1", "--max-connections-per-ip=1"]).await;
    let from = |client: u8| format!("X-Forwarded-For: 203.0.113.{client}\r\n");
    let (one, _one) = Raw::open(server.addr(), "/", &from(1)).await;
    let (two, _two) = Raw::open(server.addr(), "/", &from(2)).await;
    assert_eq!((one.status, two.status), (101, 101));
    let mut again = Raw::connect(server.addr()).await;
    again.send(upgrade("/", &from(1)).as_bytes()).await;
    let (head, body) = again.response().await;
    assert_eq!(head.status, 503, "{body}");
    assert!(
        body.contains("the client address has reached its connection limit of 1"),
        "{body}"
    );
}

/// Starts a server that trusts loopback addresses as proxies and logs at debug level.
async fn at_debug_level() -> Process {
    let mut command = ws_echo();
    command
        .args([
            "--listen=127.0.0.1:0",
            "--trusted-proxy=127.0.0.0/8",
            "--log-format=json",
        ])
        .env("RUST_LOG", "ws_echo=debug");
    Process::spawn(command, 1).await
}

/// A proxy that appends to one of the two fields forwards the other one as the client wrote it. If one field is invalid, the
/// server must therefore not use the other one.
#[actix_rt::test]
async fn an_invalid_forwarding_header_is_never_skipped() {
    const CUSTOMARY: &str = "X-Forwarded-For";
    const STANDARD: &str = "Forwarded";
    let mut failures = Vec::new();
    for (headers, ignored) in [
        // The last entry is valid, and differs from the other field.
        (
            &b"X-Forwarded-For: \xE9, 203.0.113.9\r\nForwarded: for=8.8.8.8\r\n"[..],
            &[CUSTOMARY, STANDARD][..],
        ),
        (
            b"X-Forwarded-For: 203.0.113.9, \xE9\r\nForwarded: for=8.8.8.8\r\n",
            &[CUSTOMARY],
        ),
        (
            b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: \xE9\r\nForwarded: for=8.8.8.8\r\n",
            &[CUSTOMARY],
        ),
        (
            b"X-Forwarded-For: 203.0.113.9, unknown\r\nForwarded: for=8.8.8.8\r\n",
            &[CUSTOMARY],
        ),
        (b"X-Forwarded-For: 203.0.113.9, \xE9\r\n", &[CUSTOMARY]),
        (
            b"Forwarded: for=\xE9\r\nX-Forwarded-For: 8.8.8.8\r\n",
            &[STANDARD],
        ),
        (
            b"Forwarded: for=unknown\r\nX-Forwarded-For: 8.8.8.8\r\n",
            &[STANDARD],
        ),
        (
            b"Forwarded: for=\"_hidden\"\r\nX-Forwarded-For: 8.8.8.8\r\n",
            &[STANDARD],
        ),
        (b"Forwarded: for=203.0.113.9, for=\xE9\r\n", &[STANDARD]),
    ] {
        let shown = headers.escape_ascii().to_string();
        let mut server = at_debug_level().await;
        let (connection, logged) = describe(&mut server, headers).await;
        let lines: Vec<Value> = server
            .skipped
            .iter()
            .filter(|line| line.contains("forwarding header ignored"))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let warned = lines.iter().any(|line| {
            let header = line["header"].as_str().unwrap_or_default();
            ignored.iter().any(|name| header.eq_ignore_ascii_case(name))
                && line["peer"] == connection["peer"]
                && line["reason"].as_str().is_some_and(|reason| !reason.is_empty())
        });
        if connection["client"]["address"] != "127.0.0.1" || logged.get("client").is_some() || !warned {
            failures.push(format!(
                "{shown}: {}, in the log {:?}, {lines:?}",
                connection["client"]["address"],
                logged.get("client")
            ));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[actix_rt::test]
async fn entries_before_that_of_the_proxy_may_be_invalid() {
    let mut server = at_debug_level().await;
    for headers in [
        &b"X-Forwarded-For: \xE9, 203.0.113.9\r\n"[..],
        b"X-Forwarded-For: \xE9\r\nX-Forwarded-For: 203.0.113.9\r\n",
        b"X-Forwarded-For: unknown, 203.0.113.9\r\n",
        b"Forwarded: for=\xE9, for=203.0.113.9\r\n",
        b"Forwarded: \xE9, for=203.0.113.9\r\n",
    ] {
        let shown = headers.escape_ascii().to_string();
        let (connection, logged) = describe(&mut server, headers).await;
        assert_eq!(connection["client"]["address"], "203.0.113.9", "{shown}");
        assert_eq!(logged["client"], "203.0.113.9", "{shown}");
    }
}

#[actix_rt::test]
async fn a_forged_address_behind_an_invalid_header_has_no_rate_of_its_own() {
    let server = Process::start(&["--trusted-proxy=127.0.0.0/8", "--max-handshakes-per-second=1"]).await;
    let mut peers = Vec::new();
    for client in 0..50 {
        let lines = format!("Forwarded: for=8.8.8.{client}\r\n");
        let headers = [b"X-Forwarded-For: \xE9, unknown\r\n", lines.as_bytes()].concat();
        let mut peer = Raw::connect(server.addr()).await;
        peer.send(&handshake("/", &headers)).await;
        peers.push(peer);
    }
    let mut limited = 0;
    for peer in &mut peers {
        limited += usize::from(peer.head().await.status == 429);
    }
    assert!(limited > 0, "each of 50 handshakes counted for another client");
}
