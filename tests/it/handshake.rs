//! The opening handshake (RFC 6455 section 4): accepted requests, the response, and the resources of a session.

use futures_util::future::join_all;
use ws_echo::config::Cap;

use crate::{
    hostile::warmed_up,
    support::{
        Echo, in_time,
        memory::{KIB, Memory, until_read},
        process::{Process, ws_echo},
        raw::{self, FIN, Frame, Raw, TEXT, upgrade},
        until,
    },
};

/// Returns the subprotocol that the server selects from these `Sec-WebSocket-Protocol` lines.
async fn selected(lines: &[&str]) -> Option<String> {
    let echo = Echo::start();
    let lines: String = lines
        .iter()
        .map(|line| format!("Sec-WebSocket-Protocol: {line}\r\n"))
        .collect();
    let (head, _peer) = Raw::open(echo.addr(), "/", &lines).await;
    head.get("sec-websocket-protocol").map(ToOwned::to_owned)
}

#[actix_rt::test]
async fn the_response_has_the_accept_value_of_rfc_6455_section_1_3_and_nothing_that_was_not_offered() {
    let echo = Echo::start();
    let (head, _peer) = Raw::open(echo.addr(), "/", "").await;
    assert_eq!(
        head.get("sec-websocket-accept"),
        Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    );
    assert!(head.get("upgrade").unwrap().eq_ignore_ascii_case("websocket"));
    assert!(head.get("connection").unwrap().eq_ignore_ascii_case("upgrade"));
    assert_eq!(head.get("sec-websocket-protocol"), None);
    assert_eq!(head.get("sec-websocket-extensions"), None);
}

#[actix_rt::test]
async fn any_path_opens_a_session() {
    let echo = Echo::start();
    for path in [
        "/",
        "/index.html",
        "/healthz",
        "/readyz",
        "/a/b/c",
        "/%00",
        "/..%2f..",
        "//",
        "/客户端",
        "/?a=b",
    ] {
        let path = percent_encoded(path);
        let mut peer = Raw::open(echo.addr(), &path, "").await.1;
        peer.send(&raw::text("x")).await;
        assert_eq!(peer.frame().await.first, FIN | TEXT, "{path}");
    }
}

/// Percent-encodes the bytes that are not ASCII.
fn percent_encoded(path: &str) -> String {
    path.bytes()
        .map(|byte| {
            if byte.is_ascii() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[actix_rt::test]
async fn upgrade_and_connection_are_case_insensitive_and_connection_may_be_a_list() {
    let echo = Echo::start();
    for (connection, upgrade) in [
        ("upgrade", "WebSocket"),
        ("keep-alive, Upgrade", "WEBSOCKET"),
        ("UPGRADE,keep-alive", "websocket"),
        ("keep-alive\r\nConnection: x, Upgrade", "websocket"),
        ("\u{e9}, Upgrade", "websocket"),
        (" ,, Upgrade,", "websocket"),
    ] {
        let mut peer = Raw::connect(echo.addr()).await;
        let request = format!(
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: {connection}\r\nUpgrade: {upgrade}\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        peer.send(request.as_bytes()).await;
        assert_eq!(peer.head().await.status, 101, "{connection} {upgrade}");
        peer.send(&raw::text("x")).await;
        assert_eq!(peer.frame().await.first, FIN | TEXT, "{connection} {upgrade}");
    }
}

#[actix_rt::test]
async fn frames_in_the_segment_of_the_handshake_get_replies() {
    let echo = Echo::start();
    let mut peer = Raw::connect(echo.addr()).await;
    let mut bytes = upgrade("/?reply=verbatim", "").into_bytes();
    bytes.extend(raw::text("early"));
    peer.send(&bytes).await;
    assert_eq!(peer.head().await.status, 101);
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "early"));
}

#[actix_rt::test]
async fn a_handshake_in_several_segments_opens_a_session() {
    let echo = Echo::start();
    let mut peer = Raw::connect(echo.addr()).await;
    for part in upgrade("/", "").as_bytes().chunks(7) {
        peer.send(part).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(peer.head().await.status, 101);
}

#[actix_rt::test]
async fn kaazing_is_selected_from_two_subprotocols_in_any_order() {
    assert_eq!(
        selected(&["chat, com.kaazing.echo"]).await.as_deref(),
        Some("com.kaazing.echo")
    );
    assert_eq!(
        selected(&["com.kaazing.echo,chat"]).await.as_deref(),
        Some("com.kaazing.echo")
    );
}

#[actix_rt::test]
async fn kaazing_is_selected_from_any_of_several_lines() {
    let lines = ["chat", "superchat , v2", "com.kaazing.echo"];
    assert_eq!(selected(&lines).await.as_deref(), Some("com.kaazing.echo"));
}

#[actix_rt::test]
async fn without_kaazing_the_first_subprotocol_is_selected() {
    assert_eq!(selected(&["chat,superchat"]).await.as_deref(), Some("chat"));
    assert_eq!(selected(&["b", "a"]).await.as_deref(), Some("b"));
    // Subprotocol names are case-sensitive (RFC 6455 section 11.5).
    assert_eq!(selected(&["x, COM.KAAZING.ECHO"]).await.as_deref(), Some("x"));
}

#[actix_rt::test]
async fn tungstenite_and_awc_accept_the_subprotocol() {
    let echo = Echo::start();
    let offer = [("Sec-WebSocket-Protocol", "other, com.kaazing.echo")];
    let (mut client, response) = echo.client_with("/?reply=verbatim", &offer).await;
    assert_eq!(response.headers()["sec-websocket-protocol"], "com.kaazing.echo");
    assert_eq!(client.exchange("x").await.to_text().unwrap(), "x");
    let client = awc::Client::new();
    let (response, _connection) = client
        .ws(echo.url("/"))
        .protocols(["other", "com.kaazing.echo"])
        .connect()
        .await
        .unwrap();
    assert_eq!(
        response.headers().get("sec-websocket-protocol").unwrap(),
        "com.kaazing.echo"
    );
}

#[actix_rt::test]
async fn listed_origins_and_requests_without_an_origin_are_accepted() {
    let echo = Echo::with(|config| {
        config.allow_origin = vec![
            "https://example.org".parse().unwrap(),
            "http://localhost:3000".parse().unwrap(),
        ];
    });
    for origin in [
        "https://example.org",
        "HTTPS://Example.org",
        "http://localhost:3000",
    ] {
        Raw::open(echo.addr(), "/", &format!("Origin: {origin}\r\n")).await;
    }
    Raw::open(echo.addr(), "/", "").await;
}

#[actix_rt::test]
async fn without_a_list_every_origin_is_accepted() {
    let echo = Echo::start();
    Raw::open(echo.addr(), "/", "Origin: https://anywhere.example\r\n").await;
}

#[actix_rt::test]
async fn the_number_of_sessions_falls_after_a_close_a_fin_and_a_reset() {
    let echo = Echo::start();
    for leave in 0..4 {
        let mut peers = join_all((0..5).map(|_| echo.raw("/"))).await;
        assert_eq!(echo.open_sessions(), 5);
        for mut peer in peers.drain(..) {
            match leave {
                0 => {
                    peer.send(&raw::close(1000, "")).await;
                    assert_eq!(peer.frame().await.closing(), (1000, ""));
                }
                1 => drop(peer),
                2 => peer.reset(),
                _ => {
                    // Within a message.
                    peer.send(&raw::header(FIN | TEXT, 1000)).await;
                    peer.reset();
                }
            }
        }
        until("the sessions to end", || echo.open_sessions() == 0).await;
    }
}

#[actix_rt::test]
async fn a_closed_session_frees_its_place() {
    let echo = Echo::with(|config| config.max_connections = Cap::of(1));
    for _ in 0..3 {
        let peer = echo.raw("/").await;
        drop(peer);
        until("the session to end", || echo.open_sessions() == 0).await;
    }
}

/// The connection is handed over to the session after the 101. Bytes that HTTP has read before must not be lost.
#[actix_rt::test]
async fn messages_right_after_the_handshake_get_replies_in_order() {
    let server = Process::start(&[]).await;
    for path in ["/?reply=verbatim", "/?reply=verbatim&handshake-delay=200ms"] {
        let mut peer = Raw::connect(server.addr()).await;
        let messages: Vec<_> = (0..200).map(|number| format!("{number:01000}")).collect();
        let mut bytes = upgrade(path, "").into_bytes();
        bytes.extend(messages.iter().flat_map(|message| raw::text(message)));
        peer.send(&bytes).await;
        assert_eq!(peer.head().await.status, 101, "{path}");
        for message in &messages {
            assert_eq!(
                peer.frame().await,
                Frame::new(FIN | TEXT, message.as_str()),
                "{path}"
            );
        }
    }
}

/// Sends handshakes for `path` until one gets `status`.
async fn retry_until(server: &Process, path: &str, status: u16) -> Raw {
    in_time(&format!("a {status}"), async {
        loop {
            let mut peer = Raw::connect(server.addr()).await;
            peer.send(upgrade(path, "").as_bytes()).await;
            if peer.head().await.status == status {
                return peer;
            }
        }
    })
    .await
}

#[actix_rt::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn a_client_that_disconnects_during_its_handshake_delay_frees_its_place() {
    let server = Process::start(&["--max-connections=2"]).await;
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let mut peer = Raw::connect(server.addr()).await;
        peer.send(upgrade("/?handshake-delay=5m", "").as_bytes()).await;
        waiting.push(peer);
    }
    until_read(&server, 2).await;
    // Both places are taken. Otherwise, the handshake would get 418 and take no place.
    retry_until(&server, "/?handshake-status=418", 503).await;
    waiting.pop().unwrap().reset();
    // The other client sends a FIN.
    drop(waiting);
    let _both = [
        retry_until(&server, "/", 101).await,
        retry_until(&server, "/", 101).await,
    ];
}

#[actix_rt::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn a_delayed_handshake_of_a_disconnected_client_opens_no_session() {
    let mut server = Process::start(&["--max-connections=1"]).await;
    for by_reset in [false, true] {
        let mut peer = Raw::connect(server.addr()).await;
        peer.send(upgrade("/gone?handshake-delay=5m", "").as_bytes())
            .await;
        until_read(&server, 1).await;
        if by_reset {
            peer.reset();
        } else {
            drop(peer);
        }
        let mut next = retry_until(&server, "/next", 101).await;
        next.send(&raw::close(1000, "")).await;
        next.closed().await;
        server.logged("connection closed").await;
    }
    assert!(
        !server.skipped.iter().any(|line| line.contains("/gone")),
        "{:#?}",
        server.skipped
    );
}

/// Returns the memory of an idle session with this request in bytes: the average of 200 sessions.
async fn idle_session_memory(path: &str, lines: &str) -> u64 {
    const SESSIONS: u64 = 200;
    let server = warmed_up(&["--ping-interval=0", "--idle-timeout=0"]).await;
    // The first requests allocate memory that the server reuses. It is not measured.
    let mut first = Vec::new();
    for _ in 0..20 {
        first.push(Raw::open(server.addr(), path, lines).await.1);
    }
    let memory = Memory::measure(&server);
    let mut peers = Vec::new();
    for _ in 0..SESSIONS {
        let (_, mut peer) = Raw::open(server.addr(), path, lines).await;
        peer.send(&raw::text("x")).await;
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "x"));
        peers.push(peer);
    }
    memory.growth_now() / SESSIONS
}

#[actix_rt::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn an_idle_session_keeps_no_memory_of_its_request() {
    const LIMIT: u64 = 6 * KIB;
    const MAX_DIFFERENCE: u64 = 2 * KIB;
    let short = idle_session_memory("/?reply=verbatim", "").await;
    let long_path = format!("/{}?reply=verbatim", "x".repeat(8192));
    let long_headers: String = (0..8)
        .map(|number| format!("X-Long-{number}: {}\r\n", "y".repeat(1024)))
        .collect();
    let costs = [
        ("a path of 8 KiB", idle_session_memory(&long_path, "").await),
        (
            "headers of 8 KiB",
            idle_session_memory("/?reply=verbatim", &long_headers).await,
        ),
    ];
    eprintln!("measured: an idle session uses {short} bytes with a short request, {costs:?}");
    for (what, bytes) in costs {
        assert!(
            bytes < LIMIT && bytes < short + MAX_DIFFERENCE,
            "{what}: {bytes} bytes a session, {short} with a short request"
        );
    }
}

#[actix_rt::test]
async fn the_log_truncates_a_path_to_256_bytes_and_marks_it() {
    const LIMIT: usize = 256;
    let mut command = ws_echo();
    command
        .args(["--listen=127.0.0.1:0", "--log-format=json"])
        .env("RUST_LOG", "ws_echo=debug");
    let mut server = Process::spawn(command, 1).await;
    for (event, query, status) in [
        ("connection opened", "", 101),
        ("handshake refused", "?reply=loud", 400),
    ] {
        for len in [LIMIT, LIMIT + 1, 8192, 60_000] {
            let path = format!("/{}", "x".repeat(len - 1));
            let mut peer = Raw::connect(server.addr()).await;
            peer.send(upgrade(&format!("{path}{query}"), "").as_bytes()).await;
            assert_eq!(peer.head().await.status, status);
            let line = server.logged(event).await;
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            let logged = line["path"].as_str().unwrap();
            if len <= LIMIT {
                assert_eq!(logged, path, "{event}");
            } else {
                let (start, cut) = (logged.trim_end_matches('…'), logged.ends_with('…'));
                assert!(
                    cut && start.len() <= LIMIT && path.starts_with(start),
                    "{event}: {} bytes of a path of {len}",
                    logged.len()
                );
            }
        }
    }
}

#[actix_rt::test]
async fn a_truncated_path_does_not_contain_the_watch_key() {
    let mut server = Process::start(&[]).await;
    for before in [0, 240, 248, 249, 250, 256, 300] {
        let path = format!("/{}/watch/0secret0secret0", "x".repeat(before));
        let _peer = server.raw(&path).await;
        let line = server.logged("connection opened").await;
        assert!(!line.contains("0secret") && line.contains('…'), "{line}");
    }
}
