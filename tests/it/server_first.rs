//! The server sends first: `hello`, `push`, `ping`; and reads slowly: `read-rate`.

use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpSocket;

use crate::support::{
    Echo, PREFIX,
    process::{Process, Signal},
    raw::{self, BINARY, CLOSE, CONTINUATION, FIN, Frame, PING, Raw, TEXT, upgrade},
};

fn text(frame: &Frame) -> &str {
    assert_eq!(frame.first, FIN | TEXT, "{frame:?}");
    str::from_utf8(&frame.payload).unwrap()
}

#[actix_rt::test]
async fn hello_is_the_first_message_and_replies_are_as_without_it() {
    let echo = Echo::start();
    let mut peer = echo.raw("/chat?hello=json").await;
    let hello: Value = serde_json::from_str(text(&peer.frame().await)).unwrap();
    assert_eq!(hello["connection"]["path"], "/chat");
    assert_eq!(hello["connection"]["query"], "hello=json");
    assert_eq!(hello.as_object().unwrap().len(), 1);
    peer.send(&raw::text("x")).await;
    assert!(text(&peer.frame().await).starts_with(&format!("{PREFIX}x,")));

    let mut peer = echo.raw("/?hello=json&reply=json").await;
    let hello: Value = serde_json::from_str(text(&peer.frame().await)).unwrap();
    peer.send(&raw::text("x")).await;
    let reply: Value = serde_json::from_str(text(&peer.frame().await)).unwrap();
    assert_eq!(hello["connection"], reply["connection"]);

    let mut peer = echo.raw("/?hello=text:%E5%86%8D%E8%A7%81").await;
    assert_eq!(text(&peer.frame().await), "再见");
    let mut peer = echo.raw("/?hello=text:").await;
    assert_eq!(text(&peer.frame().await), "");
    let before = crate::support::now_ms();
    let mut peer = echo.raw("/?hello=time").await;
    let time: u64 = text(&peer.frame().await).parse().unwrap();
    assert!((before..=crate::support::now_ms()).contains(&time));
}

#[actix_rt::test]
async fn hello_hides_credentials_from_a_page_of_another_origin() {
    let echo = Echo::start();
    let lines = "Origin: https://evil.example\r\nCookie: id=secret\r\n";
    let (_, mut peer) = Raw::open(echo.addr(), "/?hello=json", lines).await;
    let frame = peer.frame().await;
    assert!(text(&frame).contains("(hidden, 9 bytes)") && !text(&frame).contains("secret"));
}

#[actix_rt::test]
async fn hello_comes_before_each_end_of_the_connection() {
    let server = Process::start(&[]).await;
    for (end, last) in [
        ("close=4000", Some(Frame::new(FIN | CLOSE, [0x0F, 0xA0]))),
        ("close=4000&after=1", Some(Frame::new(FIN | CLOSE, [0x0F, 0xA0]))),
        ("close=&after=10ms", Some(Frame::new(FIN | CLOSE, ""))),
        (
            "wire=close-length&after=text:x",
            Some(Frame::new(FIN | CLOSE, [3])),
        ),
        ("fin", None),
        ("fin&after=text:x", None),
        ("abort&after=10ms", None),
    ] {
        let mut peer = server.raw(&format!("/?hello=text:hi&reply=none&{end}")).await;
        assert_eq!(text(&peer.frame().await), "hi", "{end}");
        if end.ends_with(['1', 'x']) {
            peer.send(&raw::text("x")).await;
        }
        assert_eq!(peer.frame_or_end().await, last, "{end}");
    }
}

#[actix_rt::test]
async fn push_sends_one_binary_message_of_its_size_and_then_the_milliseconds() {
    let server = Process::start(&[]).await;
    for (query, size) in [
        ("push=1", 1),
        ("push=16MiB", 16 * 1024 * 1024),
        ("push=2000&rate=20000", 2000),
        ("push=64KiB&compress=off", 64 * 1024),
    ] {
        let mut peer = server.raw(&format!("/?hello=text:hi&{query}")).await;
        assert_eq!(text(&peer.frame().await), "hi");
        let pushed = peer.frame().await;
        assert_eq!(
            (pushed.first, pushed.payload.len()),
            (FIN | BINARY, size),
            "{query}"
        );
        let ms = peer.frame().await;
        assert!(text(&ms).parse::<u64>().is_ok(), "{ms:?}");
        peer.send(&raw::text("x")).await;
        assert!(text(&peer.frame().await).starts_with(PREFIX), "{query}");
    }
}

#[actix_rt::test]
async fn push_is_fragmented_and_repeated_by_a_seed() {
    let echo = Echo::start();
    let mut payloads = Vec::new();
    for seed in [7, 7, 8] {
        let mut peer = echo.raw(&format!("/?push=1000&fragment=600&seed={seed}")).await;
        let (first, second) = (peer.frame().await, peer.frame().await);
        assert_eq!((first.first, first.payload.len()), (BINARY, 600));
        assert_eq!((second.first, second.payload.len()), (FIN | CONTINUATION, 400));
        payloads.push([first.payload, second.payload].concat());
    }
    assert_eq!(payloads[0], payloads[1]);
    assert_ne!(payloads[0], payloads[2]);
}

#[actix_rt::test]
async fn push_counts_for_the_memory_budget() {
    let server = Process::start(&["--max-buffered=256KiB"]).await;
    let mut peer = server.raw("/?push=1MiB").await;
    assert_eq!(peer.frame().await.closing().0, 1013);
    let mut peer = server.raw("/?push=128KiB").await;
    assert_eq!(peer.frame().await.payload.len(), 128 * 1024);
    let mut peer = Raw::connect(server.addr()).await;
    peer.send(upgrade("/?push=17MiB", "").as_bytes()).await;
    peer.refusal(400).await;
}

#[actix_rt::test]
async fn ping_replaces_the_operators_interval() {
    let server = Process::start(&["--ping-interval=20ms", "--idle-timeout=0"]).await;
    let mut off = server.raw("/?ping=off").await;
    let mut on = server.raw("/").await;
    for _ in 0..3 {
        assert_eq!(on.frame().await, Frame::new(FIN | PING, ""));
    }
    assert!(!off.has_arrivals());
    off.send(&raw::ping(b"p")).await;
    assert_eq!(off.frame().await, Frame::new(FIN | raw::PONG, "p"));

    let server = Process::start(&["--ping-interval=0"]).await;
    let mut peer = server.raw("/?ping=1s").await;
    assert_eq!(peer.frame().await, Frame::new(FIN | PING, ""));
}

/// A session whose client has a small send buffer.
async fn with_small_send_buffer(server: &Process, path: &str) -> Raw {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(16 * 1024).unwrap();
    let mut peer = Raw::new(socket.connect(server.addr()).await.unwrap());
    peer.send(upgrade(path, "").as_bytes()).await;
    assert_eq!(peer.head().await.status, 101);
    peer
}

#[actix_rt::test]
async fn with_read_rate_the_clients_writes_block_before_256_kib() {
    let server = Process::start(&[]).await;
    let mut peer = with_small_send_buffer(&server, "/?reply=none&read-rate=1000").await;
    let message = raw::binary(&[7; 8 * 1024]);
    for _ in 0..32 {
        let write = peer.send_without_timeout(&message);
        // A write counts as blocked after 2 s. The server has read about 2,000 bytes in them.
        if tokio::time::timeout(Duration::from_secs(2), write).await.is_err() {
            return;
        }
    }
    panic!("256 KiB were written");
}

#[actix_rt::test]
async fn with_read_rate_every_message_gets_its_reply() {
    let server = Process::start(&[]).await;
    let mut peer = server.raw("/?reply=verbatim&read-rate=200000").await;
    let message = vec![7; 50_000];
    peer.send(&[raw::binary(&message), raw::text("x")].concat()).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | BINARY, message));
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "x"));
    peer.send(&raw::close(4000, "bye")).await;
    assert_eq!(peer.closed().await, (4000, "bye".to_owned()));
}

#[actix_rt::test]
async fn a_drain_reads_at_full_speed_what_read_rate_left_in_the_kernel() {
    let server = Process::start(&[]).await;
    let mut peer = server.raw("/?reply=verbatim&read-rate=10").await;
    peer.send(&raw::text("x")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "x"));
    let messages: Vec<u8> = (0..100).flat_map(|_| raw::text("waiting")).collect();
    peer.send(&messages).await;
    server.signal(Signal::TERM);
    for _ in 0..100 {
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "waiting"));
    }
    assert_eq!(peer.frame().await.closing().0, 1001);
}

#[actix_rt::test]
async fn a_close_by_the_server_does_not_wait_for_read_rate() {
    let server = Process::start(&[]).await;
    let mut peer = server
        .raw("/?reply=none&read-rate=10&close=4000&after=50ms")
        .await;
    let messages: Vec<u8> = (0..1000).flat_map(|_| raw::text("unread")).collect();
    peer.send(&messages).await;
    peer.send(&raw::close(4000, "")).await;
    assert_eq!(peer.closed().await.0, 4000);
}
