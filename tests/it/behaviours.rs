//! The behaviours of a connection (docs/behaviours.md), tested on its bytes.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use proptest::prelude::*;
use url::Url;
use ws_echo::config::Timer;

use crate::support::{
    Echo,
    process::{Process, ws_echo},
    raw::{self, BINARY, CLOSE, CONTINUATION, FIN, Frame, PING, RSV1, Raw, TEXT, frame, upgrade},
};

/// Maximum number of delayed replies of a connection. At the limit, the server stops reading.
const MAX_DELAYED: usize = 1024;

const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

#[actix_rt::test]
async fn with_reply_none_only_control_frames_get_replies() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=none").await;
    peer.send(&[raw::text("x"), raw::binary(b"y"), raw::ping(b"p")].concat())
        .await;
    assert_eq!(peer.frame().await, Frame::new(FIN | raw::PONG, "p"));
}

#[actix_rt::test]
async fn delayed_replies_keep_their_order() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim&delay=10ms&jitter=50ms").await;
    for number in 0..20 {
        peer.send(&raw::text(&number.to_string())).await;
    }
    for number in 0..20 {
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, number.to_string()));
    }
}

#[actix_rt::test]
async fn a_delayed_reply_delays_neither_pongs_nor_the_close() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?delay=5m").await;
    peer.send(&[raw::text("x"), raw::ping(b"p"), raw::close(1000, "")].concat())
        .await;
    assert_eq!(peer.frame().await, Frame::new(FIN | raw::PONG, "p"));
    assert_eq!(peer.frame().await.closing(), (1000, ""));
}

#[actix_rt::test]
async fn at_the_limit_of_delayed_replies_the_server_stops_reading() {
    // At the limit, the client's writes block once the kernel's buffers of both ends are full. A write counts as blocked after
    // 2 s. On a slow machine the test may pass by mistake, but it does not fail by mistake.
    let server = Process::start(&[]).await;
    let mut peer = server.raw("/?delay=5m").await;
    let message = raw::binary(&[7; 64 * 1024]);
    let mut written = 0;
    while written < 2048 {
        let write = peer.send_without_timeout(&message);
        match tokio::time::timeout(Duration::from_secs(2), write).await {
            Ok(()) => written += 1,
            Err(_) => return,
        }
    }
    panic!("the server has read {written} messages of 64 KiB, all with delayed replies");
}

#[actix_rt::test]
async fn a_client_that_awaits_delayed_replies_is_not_idle() {
    let echo = Echo::with(|config| {
        config.ping_interval = Timer::of(Duration::ZERO);
        config.idle_timeout = Timer::of(Duration::from_millis(100));
    });
    let mut peer = echo.raw("/?reply=verbatim&delay=1s").await;
    let messages: Vec<_> = (0..MAX_DELAYED).flat_map(|_| raw::text("late")).collect();
    peer.send(&messages).await;
    for _ in 0..MAX_DELAYED {
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "late"));
    }
}

#[actix_rt::test]
async fn a_close_behind_unread_messages_completes_the_closing_handshake() {
    let server = Process::start(&[]).await;
    let mut silent = server.raw("/?close=4000").await;
    assert_eq!(silent.frame().await.closing().0, 4000);
    let mut peer = server.raw("/?delay=5m&close=4000&after=100ms").await;
    let messages: Vec<_> = (0..MAX_DELAYED).flat_map(|_| raw::text("late")).collect();
    peer.send(&messages).await;
    assert_eq!(peer.frame().await.closing().0, 4000);
    peer.send(&raw::close(4000, "")).await;
    match select(pin!(peer.end()), pin!(silent.end())).await {
        Either::Left(_) => {}
        Either::Right(_) => panic!("the client without a Close was closed before the client with one"),
    }
}

#[actix_rt::test]
async fn the_same_seed_drops_and_duplicates_the_same_messages() {
    let echo = Echo::start();
    let mut runs = Vec::new();
    for _ in 0..2 {
        let mut peer = echo.raw("/?reply=verbatim&drop=0.3&duplicate=0.3&seed=7").await;
        for number in 0..50 {
            peer.send(&raw::text(&number.to_string())).await;
        }
        peer.send(&raw::close(1000, "")).await;
        let mut replies = Vec::new();
        loop {
            let frame = peer.frame().await;
            if frame.first == FIN | CLOSE {
                break;
            }
            replies.push(String::from_utf8(frame.payload).unwrap());
        }
        runs.push(replies);
    }
    assert_eq!(runs[0], runs[1]);
    let mut once = runs[0].clone();
    once.dedup();
    assert!(once.len() < 50, "none was dropped");
    assert!(once.len() < runs[0].len(), "none was doubled");
}

#[actix_rt::test]
async fn with_probability_1_every_message_is_duplicated_or_dropped() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim&duplicate=1").await;
    peer.send(&[raw::text("a"), raw::text("b"), raw::close(1000, "")].concat())
        .await;
    for reply in ["a", "a", "b", "b"] {
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, reply));
    }
    assert_eq!(peer.frame().await.closing().0, 1000);
    let mut peer = echo.raw("/?drop=1&duplicate=1").await;
    peer.send(&[raw::text("a"), raw::close(1000, "")].concat()).await;
    assert_eq!(peer.frame().await.closing().0, 1000);
}

#[actix_rt::test]
async fn tick_sends_the_time_periodically() {
    let echo = Echo::start();
    let before = crate::support::now_ms();
    let mut peer = echo.raw("/?tick=10ms").await;
    let mut last = before;
    for _ in 0..3 {
        let frame = peer.frame().await;
        assert_eq!(frame.first, FIN | TEXT);
        let time: u64 = String::from_utf8(frame.payload).unwrap().parse().unwrap();
        assert!(time >= last && time <= crate::support::now_ms());
        last = time;
    }
}

#[actix_rt::test]
async fn close_sends_its_code_and_reason_right_after_the_handshake() {
    let server = Process::start(&[]).await;
    let mut peer = server.raw("/?close=4000:so%20long%20%E5%86%8D%E8%A7%81").await;
    let frame = peer.frame().await;
    assert_eq!(frame.closing(), (4000, "so long 再见"));
    peer.send(&raw::close(4000, "")).await;
    peer.end().await;
}

#[actix_rt::test]
async fn after_counts_messages_and_their_replies_are_sent_first() {
    let server = Process::start(&[]).await;
    for delay in ["", "&delay=20ms"] {
        let mut peer = server
            .raw(&format!("/?reply=verbatim&close=1012&after=2{delay}"))
            .await;
        peer.send(&[raw::text("a"), raw::text("b"), raw::text("c")].concat())
            .await;
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "a"));
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "b"));
        assert_eq!(peer.frame().await.closing(), (1012, ""), "{delay}");
    }
}

#[actix_rt::test]
async fn after_accepts_a_duration() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?close=4001&after=30ms").await;
    assert_eq!(peer.frame().await.closing(), (4001, ""));
}

#[actix_rt::test]
#[cfg_attr(windows, ignore = "wine's recv returns a reset as the end of the stream")]
async fn abort_sends_pending_replies_and_resets_the_connection() {
    let mut server = Process::start(&[]).await;
    server.raw("/?abort").await.expect_reset().await;
    let mut peer = server.raw("/?reply=verbatim&abort&after=1").await;
    peer.send(&raw::text("a")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "a"));
    peer.expect_reset().await;
    assert_eq!(peer.unread(), b"", "no Close frame");
    server.logged("code=1006 by=server").await;
}

#[actix_rt::test]
async fn each_value_of_wire_sends_its_invalid_frame() {
    let echo = Echo::start();
    let payload = b"ws-echo: invalid frame by request";
    let text = |start: &[u8]| [start, payload].concat();
    let masked: Vec<u8> = payload
        .iter()
        .zip([0x37, 0xFA, 0x21, 0x3D].iter().cycle())
        .map(|(a, b)| a ^ b)
        .collect();
    for (wire, bytes) in [
        ("rsv", text(&[0x91, 33])),
        ("opcode", text(&[0x83, 33])),
        (
            "masked",
            [&[0x81, 0x80 | 33, 0x37, 0xFA, 0x21, 0x3D], &masked[..]].concat(),
        ),
        ("length", text(&[0x81, 126, 0, 33])),
        ("utf8", vec![0x81, 2, 0xC3, 0x28]),
        ("continuation", text(&[0x80, 33])),
        ("close-code", vec![0x88, 2, 0x03, 0xED]),
        ("close-length", vec![0x88, 1, 3]),
    ] {
        for lines in ["", DEFLATE] {
            let (_, mut peer) = Raw::open(echo.addr(), &format!("/?wire={wire}"), lines).await;
            assert_eq!(
                peer.bytes(bytes.len()).await,
                bytes,
                "{wire} right after the handshake"
            );
            let (_, mut peer) = Raw::open(
                echo.addr(),
                &format!("/?reply=verbatim&wire={wire}&after=1"),
                lines,
            )
            .await;
            peer.send(&raw::text("good")).await;
            assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "good"));
            assert_eq!(peer.bytes(bytes.len()).await, bytes, "{wire} after a message");
        }
    }
}

#[actix_rt::test]
async fn after_an_invalid_data_frame_the_server_keeps_echoing() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim&wire=utf8").await;
    assert_eq!(peer.frame().await.payload, [0xC3, 0x28]);
    peer.send(&raw::text("still there")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "still there"));
    peer.send(&raw::close(1007, "")).await;
    assert_eq!(peer.frame().await.closing(), (1007, ""));
}

#[actix_rt::test]
async fn fragment_splits_replies_into_frames() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim&fragment=3").await;
    peer.send(
        &[
            raw::text("abcdefg"),
            raw::binary(b"abc"),
            raw::ping(b"longer than 3"),
            raw::text(""),
        ]
        .concat(),
    )
    .await;
    for expected in [
        Frame::new(TEXT, "abc"),
        Frame::new(CONTINUATION, "def"),
        Frame::new(FIN | CONTINUATION, "g"),
        Frame::new(FIN | BINARY, "abc"),
        Frame::new(FIN | raw::PONG, "longer than 3"),
        Frame::new(FIN | TEXT, ""),
    ] {
        assert_eq!(peer.frame().await, expected);
    }
}

#[actix_rt::test]
async fn fragment_splits_compressed_replies_and_only_the_first_frame_has_rsv1() {
    let echo = Echo::start();
    let (_, mut peer) = Raw::open(echo.addr(), "/?reply=verbatim&fragment=5", DEFLATE).await;
    peer.send(&raw::text(&"compress me ".repeat(20))).await;
    let mut frames = vec![peer.frame().await];
    while frames.last().is_some_and(|frame| frame.first & FIN == 0) {
        frames.push(peer.frame().await);
    }
    assert!(frames.len() > 1);
    assert_eq!(frames[0].first, RSV1 | TEXT);
    assert!(
        frames[1..]
            .iter()
            .all(|frame| frame.first & RSV1 == 0 && frame.payload.len() <= 5)
    );
}

#[actix_rt::test]
async fn with_rate_replies_and_the_close_arrive_complete() {
    let server = Process::start(&[]).await;
    for lines in ["", DEFLATE] {
        let (_, mut peer) = Raw::open(server.addr(), "/?reply=verbatim&rate=2000&compress=off", lines).await;
        peer.send(&[raw::text(&"x".repeat(300)), raw::close(1000, "")].concat())
            .await;
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "x".repeat(300)));
        assert_eq!(peer.closed().await, (1000, String::new()));
    }
}

#[actix_rt::test]
async fn a_pause_of_rate_does_not_count_as_a_stalled_client() {
    let server = Process::start(&["--stall-timeout=100ms"]).await;
    let mut peer = server.raw("/?reply=verbatim&rate=4").await;
    peer.send(&raw::text("xy")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "xy"));
}

#[actix_rt::test]
async fn with_pong_off_pings_get_no_pong() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim&pong=off").await;
    peer.send(&[raw::ping(b"p"), raw::text("x")].concat()).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "x"));
}

#[actix_rt::test]
async fn with_close_reply_off_a_close_gets_no_reply_until_the_idle_timeout() {
    let server = Process::start(&["--idle-timeout", "100ms", "--ping-interval", "0"]).await;
    let mut peer = server.raw("/?close-reply=off").await;
    peer.send(&[raw::close(1000, ""), raw::text("x")].concat()).await;
    peer.end().await;
}

#[actix_rt::test]
async fn max_message_size_lowers_the_limit_of_one_connection() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim&max-message-size=10").await;
    peer.send(&raw::text("0123456789")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "0123456789"));
    peer.send(&raw::text("0123456789a")).await;
    assert_eq!(
        peer.frame().await.closing(),
        (1009, "ws-echo: a message of more than 10 bytes")
    );
}

#[actix_rt::test]
async fn subprotocol_overrides_the_offer() {
    let echo = Echo::start();
    for (path, offer, answer) in [
        (
            "/?subprotocol=none",
            "Sec-WebSocket-Protocol: com.kaazing.echo\r\n",
            None,
        ),
        (
            "/?subprotocol=other",
            "Sec-WebSocket-Protocol: com.kaazing.echo\r\n",
            Some("other"),
        ),
        ("/?subprotocol=other", "", Some("other")),
    ] {
        let (head, _) = Raw::open(echo.addr(), path, offer).await;
        assert_eq!(head.get("sec-websocket-protocol"), answer, "{path} {offer}");
    }
}

#[actix_rt::test]
async fn handshake_status_refuses_with_the_status_and_its_fields() {
    let echo = Echo::start();
    for (status, name, value) in [
        (302, "location", Some("/chat?room=1&reply=verbatim")),
        (401, "www-authenticate", Some("Basic realm=\"ws-echo\"")),
        (418, "location", None),
        (429, "retry-after", Some("5")),
        (503, "retry-after", Some("5")),
        (599, "retry-after", None),
    ] {
        let mut peer = Raw::connect(echo.addr()).await;
        let path = format!("/chat?room=1&handshake-status={status}&reply=verbatim&handshake-delay=1ms");
        peer.send(upgrade(&path, "").as_bytes()).await;
        let (head, body) = peer.response().await;
        assert_eq!(head.status, status);
        let expected =
            value.map(|value| value.replace("reply=verbatim", "reply=verbatim&handshake-delay=1ms"));
        assert_eq!(head.get(name), expected.as_deref(), "{status}");
        assert!(
            body.contains(&format!("status {status} requested by handshake-status")),
            "{body}"
        );
    }
}

#[actix_rt::test]
async fn a_304_has_no_body() {
    let server = Process::start(&[]).await;
    let mut peer = Raw::connect(server.addr()).await;
    // RFC 9110 section 15.4.5: a 304 ends with its header section. The next bytes are those of the next response.
    let requests = upgrade("/?handshake-status=304", "") + &raw::get("/healthz");
    peer.send(requests.as_bytes()).await;
    let head = peer.head().await;
    assert_eq!(head.status, 304);
    assert!(matches!(head.get("content-length"), None | Some("0")), "{head:?}");
    assert_eq!(head.get("transfer-encoding"), None, "{head:?}");
    if head.get("connection") == Some("close") {
        peer.end_of_stream_without_a_byte().await;
    } else {
        let (next, body) = peer.response().await;
        assert_eq!((next.status, body.as_str()), (200, "ok\n"));
    }
}

#[actix_rt::test]
async fn a_redirect_leads_to_the_same_path_of_the_same_host() {
    let server = Process::start(&[]).await;
    let mut elsewhere = Vec::new();
    for path in [
        "/x",
        "//host/x",
        "///x",
        "/\\host/x",
        "/%2f",
        "/%2fhost/x",
        "/%5Chost/x",
        "//",
        "/a//b",
        "//host:80/x",
        "//user@host/x",
    ] {
        for (more, query) in [("", None), ("room=1&", Some("room=1"))] {
            let mut peer = Raw::connect(server.addr()).await;
            peer.send(upgrade(&format!("{path}?{more}handshake-status=302"), "").as_bytes())
                .await;
            let head = peer.head().await;
            assert_eq!(head.status, 302, "{path}");
            let location = head.get("location").unwrap();
            let page = Url::parse("http://localhost/some/page?x=1").unwrap();
            let target = match page.join(location) {
                Ok(target) => target,
                Err(error) => {
                    elsewhere.push(format!("{path}: {location} leads nowhere: {error}"));
                    continue;
                }
            };
            // The URL standard parses a backslash as a slash, unless it is percent-encoded.
            let requested = Url::parse(&format!("http://localhost{path}")).unwrap();
            let same_path = [requested.path(), &path.replace('\\', "%5C")].contains(&target.path());
            if target.origin() != page.origin() || !same_path || target.query() != query {
                elsewhere.push(format!("{path}: {location} leads to {target}"));
            }
        }
    }
    assert!(elsewhere.is_empty(), "{elsewhere:#?}");
}

#[actix_rt::test]
async fn a_delayed_handshake_opens_a_session() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim&handshake-delay=30ms").await;
    peer.send(&raw::text("x")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "x"));
}

#[actix_rt::test]
async fn with_behaviours_off_the_query_is_ignored() {
    let server = Process::start(&["--behaviours", "off"]).await;
    let mut peer = server.raw("/?reply=verbatim&close=1000&delay=nonsense").await;
    peer.send(&raw::text("x")).await;
    let payload = peer.frame().await.payload;
    assert!(
        String::from_utf8(payload)
            .unwrap()
            .starts_with("客户端发送的信息：x,")
    );
}

#[actix_rt::test]
async fn the_log_has_the_key_and_the_value_of_an_action_and_the_reason_of_its_end() {
    let mut command = ws_echo();
    command
        .arg("--listen=127.0.0.1:0")
        .env("RUST_LOG", "ws_echo=debug");
    let mut server = Process::spawn(command, 1).await;
    for (query, triggered, end) in [
        (
            "close=4000:so%20long",
            "key=close value=\"4000:so long\"",
            "code=4000 by=server reason=\"so long\"",
        ),
        (
            "close=1012",
            "key=close value=1012",
            "code=1012 by=server reason=\"\"",
        ),
        (
            "abort",
            "key=abort",
            "code=1006 by=server reason=\"reset by behaviour abort\"",
        ),
        (
            "wire=close-length",
            "key=wire value=close-length",
            "code=1005 by=server reason=\"invalid Close frame by behaviour wire\"",
        ),
    ] {
        drop(server.raw(&format!("/?{query}")).await);
        let line = server.logged("behaviour triggered connection=").await;
        assert!(line.ends_with(triggered), "{line}");
        let line = server.logged("connection closed").await;
        assert!(line.contains(end), "{line}");
    }
    let _peer = server.raw("/?Delay=1s").await;
    server.logged("unknown query key ignored key=Delay").await;
}

/// A value of each key that violates no protocol and delays replies by at most a few milliseconds.
const HARMLESS: [&str; 22] = [
    "reply=verbatim",
    "reply=json",
    "reply=none",
    "delay=2ms",
    "jitter=2ms",
    "drop=0.5",
    "duplicate=0.5",
    "seed=7",
    "tick=10ms",
    "hello=json",
    "hello=text:hi",
    "push=1KiB",
    "read-rate=100000",
    "ping=off",
    "fragment=3",
    "rate=100000",
    "pong=off",
    "compress=off",
    "max-message-size=1KiB",
    "subprotocol=none",
    "set-header=X:1",
    "watch=0123456789abcdef",
];

fn key(pair: &str) -> &str {
    pair.split_once('=').map_or(pair, |(key, _)| key)
}

/// An end after nine messages, of which the last is `last`.
const ENDS: [&str; 7] = [
    "close=4000&after=9",
    "close=4000&after=text:last",
    "close=&after=9",
    "abort&after=9",
    "fin&after=9",
    "fin&after=text:last",
    "freeze&after=9",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn no_pair_of_behaviours_breaks_the_protocol(
        first in proptest::sample::select(&HARMLESS[..]),
        second in proptest::sample::select(&HARMLESS[..]),
        end in proptest::sample::select(&ENDS[..]),
        compressed: bool,
    ) {
        prop_assume!(key(first) != key(second));
        actix_rt::System::new().block_on(async {
            let echo = Echo::start();
            let path = format!("/?{first}&{second}&{end}");
            let (_, mut peer) = Raw::open(echo.addr(), &path, if compressed { DEFLATE } else { "" }).await;
            for number in 1..9 {
                peer.send(&[raw::text(&format!("{number} {}", "x".repeat(100))), frame(FIN | PING, b"p")].concat()).await;
            }
            peer.send(&raw::text("last")).await;
            if end.starts_with("freeze") {
                // The connection stays, until the drain ends it.
                echo.drain().await;
            }
            // The end must come, and every frame before it must be valid.
            let (mut open, mut closed) = (false, false);
            while let Some(frame) = peer.frame_or_end().await {
                let (fin, opcode) = (frame.first & FIN != 0, frame.first & 0x0F);
                assert_eq!(frame.first & 0x30, 0, "{path}: {frame:?}");
                assert!(frame.first & RSV1 == 0 || compressed, "{path}: {frame:?}");
                assert!(!closed, "{path}: {frame:?} after a Close");
                match opcode {
                    CLOSE => {
                        assert!(!open, "{path}: a Close within a message");
                        match frame.payload.as_slice() {
                            [] => assert!(end.starts_with("close=&"), "{path}: {frame:?}"),
                            [0x0F, 0xA0] => assert!(end.starts_with("close=4000"), "{path}: {frame:?}"),
                            // The drain may begin before the ninth message is read.
                            _ => assert!(end.starts_with("freeze") && frame.closing().0 == 1001, "{path}: {frame:?}"),
                        }
                        closed = true;
                        peer.send(&raw::close(4000, "")).await;
                    }
                    PING | raw::PONG => assert!(fin, "{path}: {frame:?}"),
                    CONTINUATION => {
                        assert!(open, "{path}: {frame:?}");
                        open = !fin;
                    }
                    _ => {
                        assert!(!open, "{path}: {frame:?}");
                        open = !fin;
                    }
                }
            }
            assert!(closed == end.starts_with("close") || end.starts_with("freeze"), "{path}");
            drop(peer);
            crate::support::until("the session to end", || echo.open_sessions() == 0).await;
        });
    }
}
