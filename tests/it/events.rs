//! `/events`: the server says the time unasked.

use std::time::Instant;

use crate::support::{
    Echo, now_ms,
    raw::{Head, Raw},
    soon,
};

async fn listen(echo: &Echo, query: &str) -> (Head, Raw) {
    let mut peer = Raw::connect(echo.addr()).await;
    peer.send(format!("GET /events{query} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
        .await;
    (peer.head().await, peer)
}

/// The next chunk of a chunked body; empty at its end.
async fn chunk(peer: &mut Raw) -> String {
    let mut size = String::new();
    while !size.ends_with("\r\n") {
        size.push(char::from(peer.bytes(1).await[0]));
    }
    let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
    let chunk = peer.bytes(size + 2).await;
    String::from_utf8(chunk[..size].to_vec()).unwrap()
}

fn time(event: &str) -> u64 {
    let ms = event.strip_prefix("data: ").and_then(|rest| rest.strip_suffix("\n\n"));
    ms.unwrap_or_else(|| panic!("{event:?}")).parse().unwrap()
}

#[actix_rt::test]
async fn the_time_comes_at_once_and_then_as_often_as_was_asked() {
    let echo = Echo::start();
    let before = now_ms();
    let (head, mut peer) = listen(&echo, "?every=50ms").await;
    assert_eq!(head.status, 200);
    assert_eq!(head.get("content-type"), Some("text/event-stream"));
    let times = [
        time(&chunk(&mut peer).await),
        time(&chunk(&mut peer).await),
        time(&chunk(&mut peer).await),
    ];
    assert!(times[0] >= before, "{times:?}");
    // Timers are never early; the stamps are cut to whole milliseconds, and one that is late does not delay the next.
    assert!(times[2] >= times[0] + 90, "{times:?}");
}

#[actix_rt::test]
async fn a_bad_interval_is_refused_with_what_is_allowed() {
    let echo = Echo::start();
    for query in ["?every=fast", "?every=9ms", "?every=0s", "?every=61m", "?every="] {
        let mut peer = Raw::connect(echo.addr()).await;
        peer.send(format!("GET /events{query} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
            .await;
        let (head, body) = peer.response().await;
        assert_eq!(head.status, 400, "{query}");
        assert!(body.contains("from 10ms to 1h"), "{body}");
    }
}

#[actix_rt::test]
async fn the_events_end_when_the_server_is_stopped() {
    let echo = Echo::start();
    let (_, mut peer) = listen(&echo, "?every=1h").await;
    time(&chunk(&mut peer).await);
    let began = Instant::now();
    soon("the drain", echo.drain()).await;
    assert_eq!(chunk(&mut peer).await, "");
    assert!(began.elapsed().as_secs() < 15, "before the next heartbeat");
}
