//! The `handshake` event of `GET /watch/{key}`.

use serde_json::{Value, json};

use crate::support::{
    Echo,
    process::Process,
    raw::{Raw, get},
    watcher::Watcher,
};

const KEY: &str = "0123456789abcdef_-XYZ";

/// The lines of a header section in an event.
fn lines(section: &Value) -> Vec<String> {
    let fields = section["headers"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let fields = fields
        .iter()
        .map(|field| format!("{}: {}", text(&field[0]), text(&field[1])));
    std::iter::once(text(&section["line"])).chain(fields).collect()
}

/// A request with fields that actix-http does not store in their order and spelling.
fn unusual_request(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nX-Second: 2\r\nhOsT: localhost\r\nUPGRADE: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-webSocket-version: 13\r\n\
         Sec-WebSocket-Protocol: one\r\nSec-WebSocket-Protocol: two\r\nA-First: 1\r\n\r\n"
    )
}

#[actix_rt::test]
async fn the_handshake_event_has_both_header_sections_as_on_the_wire() {
    let server = Process::start(&[]).await;
    let mut early = Watcher::open(server.addr(), KEY).await;
    let request = unusual_request(&format!("/a%20b?x=%41&watch={KEY}"));
    let mut peer = Raw::connect(server.addr()).await;
    peer.send(request.as_bytes()).await;
    let response = peer.head_bytes().await;

    let handshake = early.handshake().await;
    for (section, sent) in [("request", &request), ("response", &response)] {
        let section = &handshake[section];
        let sent: Vec<_> = sent.trim_end().split("\r\n").collect();
        assert_eq!(lines(section), sent);
        assert_eq!(
            (&section["verbatim"], &section["omitted"]),
            (&json!(true), &json!(0))
        );
    }
    assert_eq!(handshake["httpVersion"], "1.1");
    assert_eq!(handshake["tls"], Value::Null);
    let addr = peer.stream.local_addr().unwrap();
    assert_eq!(handshake["peer"], addr.to_string());
    assert_eq!(
        handshake["client"],
        json!({"address": "127.0.0.1", "port": addr.port(), "proto": null})
    );

    let late = Watcher::open(server.addr(), KEY).await.handshake().await;
    assert_eq!(late, handshake);
}

#[actix_rt::test]
async fn the_handshake_event_hides_credentials_from_every_origin() {
    let server = Process::start(&[]).await;
    for origin in [
        "",
        "Origin: http://localhost\r\n",
        "Origin: https://evil.example\r\n",
    ] {
        let mut watcher = Watcher::open(server.addr(), KEY).await;
        let fields = format!(
            "{origin}COOKIE: id=secret\r\nauthorization: Basic c2VjcmV0\r\nProxy-Authorization: c2VjcmV0\r\n"
        );
        let path = format!("/?watch={KEY}");
        let (_, _peer) = Raw::open(server.addr(), &path, &fields).await;
        let handshake = watcher.handshake().await;
        let shown = lines(&handshake["request"]);
        for line in [
            "COOKIE: (hidden, 9 bytes)",
            "authorization: (hidden, 14 bytes)",
            "Proxy-Authorization: (hidden, 8 bytes)",
        ] {
            assert!(shown.iter().any(|shown| shown == line), "{shown:?}");
        }
        let event = handshake.to_string();
        assert!(
            !event.contains("secret") && !event.contains("c2VjcmV0"),
            "{event}"
        );
    }
}

#[actix_rt::test]
async fn the_handshake_event_has_the_limits_of_its_connection() {
    let path = format!("/?watch={KEY}");
    let limits = async |args: &[&str], path: &str| {
        let server = Process::start(args).await;
        let _peer = server.raw(path).await;
        Watcher::open(server.addr(), KEY).await.handshake().await["limits"].clone()
    };
    assert_eq!(
        limits(&[], &format!("{path}&max-message-size=1KiB")).await,
        json!({
            "maxMessageSize": 1024, "maxFragments": 131_072, "maxMessagesPerSecond": null,
            "pingIntervalMs": 20_000, "idleTimeoutMs": 60_000, "stallTimeoutMs": 30_000,
        })
    );
    let flags = [
        "--max-message-size=0",
        "--max-fragments=0",
        "--max-messages-per-second=7",
        "--ping-interval=1500ms",
        "--idle-timeout=0",
        "--stall-timeout=0",
    ];
    assert_eq!(
        limits(&flags, &path).await,
        json!({
            "maxMessageSize": null, "maxFragments": null, "maxMessagesPerSecond": 7,
            "pingIntervalMs": 1500, "idleTimeoutMs": null, "stallTimeoutMs": null,
        })
    );
}

#[actix_rt::test]
async fn behind_a_trusted_proxy_the_handshake_event_has_the_client_and_the_peer() {
    let server = Process::start(&["--trusted-proxy=127.0.0.1"]).await;
    let fields = "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n";
    let (_, peer) = Raw::open(server.addr(), &format!("/?watch={KEY}"), fields).await;
    let handshake = Watcher::open(server.addr(), KEY).await.handshake().await;
    assert_eq!(
        handshake["client"],
        json!({"address": "192.0.2.7", "port": null, "proto": "https"})
    );
    assert_eq!(handshake["peer"], peer.stream.local_addr().unwrap().to_string());
}

#[actix_rt::test]
async fn header_sections_that_are_not_verbatim_are_marked() {
    let path = format!("/?watch={KEY}");

    // Over 16 KiB, the server stores no bytes of a header section.
    let server = Process::start(&[]).await;
    let mut watcher = Watcher::open(server.addr(), KEY).await;
    let large: String = (0..5)
        .map(|number| format!("X-Large-{number}: {}\r\n", "x".repeat(5000)))
        .collect();
    let (_, _large) = Raw::open(server.addr(), &path, &large).await;
    let handshake = watcher.handshake().await;
    let section = &handshake["request"];
    assert_eq!(section["verbatim"], false);
    assert!(section["omitted"].as_u64().unwrap() >= 2, "{section}");
    assert_eq!(section["line"], format!("GET {path} HTTP/1.1"));
    assert!(section.to_string().len() < 17 * 1024);
    assert_eq!(handshake["response"]["verbatim"], true);

    // The request came in one read with the request before it, and its response is written with the response
    // before it.
    let mut watcher = Watcher::open(server.addr(), KEY).await;
    assert_eq!(watcher.handshake().await, handshake);
    let mut peer = Raw::connect(server.addr()).await;
    let requests = format!("{}{}", get("/healthz"), unusual_request(&path));
    peer.send(requests.as_bytes()).await;
    assert_eq!(peer.response().await.0.status, 200);
    let response = peer.head_bytes().await;
    let pipelined = watcher.handshake().await;
    let section = &pipelined["request"];
    assert_eq!(section["verbatim"], false);
    assert_eq!(section["line"], format!("GET {path} HTTP/1.1"));
    let shown = lines(&pipelined["response"]);
    assert_eq!(shown[0], "HTTP/1.1 101 Switching Protocols");
    for line in &shown[1..] {
        assert!(
            response.contains(&format!("\r\n{line}\r\n")),
            "{line} in {response}"
        );
    }

    // actix's test server has no access to the bytes.
    let echo = Echo::start();
    let _peer = echo.raw(&path).await;
    let handshake = Watcher::open(echo.addr(), KEY).await.handshake().await;
    assert_eq!(handshake["request"]["verbatim"], false);
    assert_eq!(handshake["response"]["verbatim"], false);
    assert_eq!(handshake["response"]["line"], "HTTP/1.1 101 Switching Protocols");
}
