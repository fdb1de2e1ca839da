//! `/events`: the server sends the time at an interval, as Server-Sent Events.

use std::time::Instant;

use crate::support::{
    Echo, in_time, now_ms,
    process::{Process, Signal},
    raw::{self, Head, Raw},
};

async fn open(echo: &Echo, query: &str) -> (Head, Raw) {
    let mut peer = Raw::connect(echo.addr()).await;
    peer.send(format!("GET /events{query} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
        .await;
    (peer.head().await, peer)
}

async fn chunk(peer: &mut Raw) -> String {
    String::from_utf8(peer.chunk().await).unwrap()
}

fn time(event: &str) -> u64 {
    let ms = event
        .strip_prefix("data: ")
        .and_then(|data| data.strip_suffix("\n\n"));
    ms.unwrap_or_else(|| panic!("{event:?}")).parse().unwrap()
}

#[actix_rt::test]
async fn the_time_is_sent_at_once_and_then_at_each_interval() {
    let echo = Echo::start();
    let before = now_ms();
    let (head, mut peer) = open(&echo, "?every=50ms").await;
    assert_eq!(head.status, 200);
    assert_eq!(head.get("content-type"), Some("text/event-stream"));
    let times = [
        time(&chunk(&mut peer).await),
        time(&chunk(&mut peer).await),
        time(&chunk(&mut peer).await),
    ];
    assert!(times[0] >= before, "{times:?}");
    // Timers are never early, and a late one does not delay the next. The timestamps are rounded down to milliseconds.
    assert!(times[2] >= times[0] + 90, "{times:?}");
}

#[actix_rt::test]
async fn an_invalid_interval_gets_400_with_the_allowed_range() {
    let echo = Echo::start();
    for (query, error) in [
        (
            "?every=fast",
            "invalid value \"fast\" for every: expected a duration from 10ms to 1h",
        ),
        (
            "?every=9ms",
            "invalid value \"9ms\" for every: expected a duration from 10ms to 1h",
        ),
        (
            "?every=0s",
            "invalid value \"0s\" for every: expected a duration from 10ms to 1h",
        ),
        (
            "?every=61m",
            "invalid value \"61m\" for every: expected a duration from 10ms to 1h",
        ),
        (
            "?every=",
            "invalid value \"\" for every: expected a duration from 10ms to 1h",
        ),
        ("?every=1s&every=2s", "every is set twice"),
    ] {
        let mut peer = Raw::connect(echo.addr()).await;
        peer.send(format!("GET /events{query} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
            .await;
        let (head, body) = peer.response().await;
        assert_eq!(head.status, 400, "{query}");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["error"], error);
        assert!(body["hint"].as_str().unwrap().contains("every"), "{body}");
    }
}

#[actix_rt::test]
async fn the_events_end_when_the_server_shuts_down() {
    let echo = Echo::start();
    let (_, mut peer) = open(&echo, "?every=1h").await;
    time(&chunk(&mut peer).await);
    let start = Instant::now();
    in_time("the drain", echo.drain()).await;
    assert_eq!(chunk(&mut peer).await, "");
    assert!(
        start.elapsed().as_secs() < 15,
        "the end waits for the next heartbeat"
    );
}

/// Sends a GET over HTTP/1.0. It has no chunked coding, so that the body ends with the connection.
async fn open_over_http_1_0(server: &Process, path: &str, lines: &str) -> Raw {
    let mut peer = Raw::connect(server.addr()).await;
    peer.send(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n{lines}\r\n").as_bytes())
        .await;
    let head = peer.head().await;
    assert_eq!(head.status, 200);
    assert_eq!(head.get("content-type"), Some("text/event-stream"));
    assert_eq!(head.get("transfer-encoding"), None, "{path} {lines:?}");
    assert_eq!(head.get("content-length"), None);
    let connection = head.get("connection").unwrap_or("close");
    assert!(!connection.eq_ignore_ascii_case("keep-alive"), "{connection}");
    peer
}

/// Returns the next lines up to an empty one, as sent.
async fn block(peer: &mut Raw) -> String {
    let mut block = String::new();
    while !block.ends_with("\n\n") {
        block.push(char::from(peer.bytes(1).await[0]));
    }
    block
}

#[actix_rt::test]
async fn over_http_1_0_events_are_not_chunked_and_end_with_the_connection() {
    let server = Process::start(&[]).await;
    let mut peers = Vec::new();
    for lines in ["", "Connection: keep-alive\r\n"] {
        let mut peer = open_over_http_1_0(&server, "/events?every=50ms", lines).await;
        let times = [time(&block(&mut peer).await), time(&block(&mut peer).await)];
        assert!(times[0] <= times[1], "{times:?}");
        peers.push(peer);
    }
    server.signal(Signal::TERM);
    for peer in &mut peers {
        peer.end_of_stream().await;
    }
    assert_eq!(server.exit().await.0.code(), Some(0));
}

#[actix_rt::test]
async fn over_http_1_0_a_watcher_receives_events_that_are_not_chunked() {
    let server = Process::start(&[]).await;
    let key = "0123456789abcdef_-XYZ";
    let mut watcher = open_over_http_1_0(&server, &format!("/watch/{key}"), "").await;
    assert_eq!(block(&mut watcher).await, ": watching\n\n");
    let mut peer = server.raw(&format!("/?watch={key}")).await;
    assert!(block(&mut watcher).await.starts_with("event: "));
    peer.send(&raw::text("hello")).await;
    assert!(block(&mut watcher).await.starts_with("event: frame\ndata: {"));
    server.signal(Signal::TERM);
    watcher.end_of_stream().await;
}
