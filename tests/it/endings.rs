//! The ends of a connection that the URL requests: `close=`, `fin`, `freeze`, `close-reply` and `after=text:`.

use std::time::Duration;

use crate::support::{
    Echo,
    process::{Process, Signal},
    raw::{self, CLOSE, FIN, Frame, PING, TEXT},
};

#[actix_rt::test]
async fn close_without_a_value_sends_a_close_frame_without_a_body() {
    let mut server = Process::start(&[]).await;
    for path in ["/?close=", "/?close"] {
        let mut peer = server.raw(path).await;
        assert_eq!(peer.frame().await, Frame::new(FIN | CLOSE, ""));
        peer.send(&raw::close(1000, "")).await;
        peer.end().await;
        server.logged("code=1005 by=server").await;
    }
}

#[actix_rt::test]
async fn fin_ends_the_tcp_connection_after_the_replies_and_without_a_close_frame() {
    let mut server = Process::start(&[]).await;
    server.raw("/?fin").await.end().await;
    let mut peer = server.raw("/?reply=verbatim&fin&after=2").await;
    // A socket with unread bytes would be reset.
    let late: Vec<u8> = (0..1000).flat_map(|_| raw::text("late")).collect();
    peer.send(&[raw::text("a"), raw::text("b"), late].concat()).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "a"));
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "b"));
    peer.end().await;
    server
        .logged("code=1006 by=server reason=\"ended by behaviour fin\"")
        .await;
}

#[actix_rt::test]
async fn after_fin_the_client_can_still_send() {
    let server = Process::start(&[]).await;
    let mut peer = server.raw("/?fin").await;
    peer.end().await;
    for _ in 0..100 {
        peer.send(&raw::text("late")).await;
    }
}

#[actix_rt::test]
async fn a_frozen_connection_sends_nothing_and_outlives_the_idle_timeout() {
    let mut server = Process::start(&["--ping-interval=100ms", "--idle-timeout=300ms"]).await;
    let mut frozen = server
        .raw("/?reply=verbatim&tick=10ms&freeze&after=text:stop")
        .await;
    frozen
        .send(&[raw::text("a"), raw::text("stop"), raw::text("b"), raw::ping(b"p")].concat())
        .await;
    let mut replies = Vec::new();
    while replies.last().is_none_or(|reply| reply != b"stop") {
        let frame = frozen.frame().await;
        assert_eq!(frame.first, FIN | TEXT, "{frame:?}");
        replies.push(frame.payload);
    }
    assert!(replies.contains(&b"a".to_vec()));
    // A connection that is opened later is pinged, and closed for being idle.
    let mut idle = server.raw("/").await;
    let mut pings = 0;
    while idle.frame().await.first == FIN | PING {
        pings += 1;
    }
    assert!(pings > 0);
    assert!(!frozen.has_arrivals());
    server.signal(Signal::TERM);
    frozen.end_of_stream_without_a_byte().await;
    server
        .logged("code=1006 by=server reason=\"frozen by behaviour freeze\"")
        .await;
}

#[actix_rt::test]
async fn a_frozen_connection_reads_nothing() {
    // A write counts as blocked after 2 s. On a slow machine the test may pass by mistake, but it does not fail by mistake.
    let server = Process::start(&[]).await;
    let mut peer = server.raw("/?freeze").await;
    let message = raw::binary(&[7; 64 * 1024]);
    for _ in 0..2048 {
        let write = peer.send_without_timeout(&message);
        if tokio::time::timeout(Duration::from_secs(2), write).await.is_err() {
            return;
        }
    }
    panic!("a frozen connection has read 128 MiB");
}

#[actix_rt::test]
async fn close_reply_ends_the_connection_as_requested() {
    let server = Process::start(&[]).await;
    for first in ["", "&reply=verbatim"] {
        let mut peer = server.raw(&format!("/?close-reply=fin{first}")).await;
        peer.send(&raw::close(1000, "")).await;
        peer.end().await;
        let mut peer = server.raw(&format!("/?close-reply=20ms{first}")).await;
        peer.send(&raw::close(4000, "bye")).await;
        assert_eq!(peer.closed().await, (4000, "bye".to_owned()));
    }
}

#[actix_rt::test]
#[cfg_attr(windows, ignore = "wine's recv returns a reset as the end of the stream")]
async fn close_reply_abort_resets_the_connection() {
    let server = Process::start(&[]).await;
    for first in ["", "&reply=verbatim"] {
        let mut peer = server.raw(&format!("/?close-reply=abort{first}")).await;
        peer.send(&raw::close(1000, "")).await;
        peer.expect_reset().await;
    }
}

#[actix_rt::test]
async fn a_drain_answers_a_close_whose_answer_was_to_come_later() {
    let server = Process::start(&[]).await;
    let mut peer = server.raw("/?reply=verbatim&close-reply=5m").await;
    peer.send(&raw::text("x")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "x"));
    peer.send(&raw::close(4000, "bye")).await;
    server.signal(Signal::TERM);
    assert_eq!(peer.closed().await, (4000, "bye".to_owned()));
}

#[actix_rt::test]
async fn after_text_waits_for_a_text_message_with_this_content() {
    let echo = Echo::start();
    for delay in ["", "&delay=20ms"] {
        let path = format!("/?reply=verbatim&close=4001&after=text:bye%20%E5%86%8D%E8%A7%81{delay}");
        let mut peer = echo.raw(&path).await;
        peer.send(
            &[
                raw::text("bye"),
                raw::binary("bye 再见".as_bytes()),
                raw::text("bye 再见"),
            ]
            .concat(),
        )
        .await;
        for expected in ["bye", "bye 再见", "bye 再见"] {
            assert_eq!(peer.frame().await.payload, expected.as_bytes());
        }
        assert_eq!(peer.frame().await.closing(), (4001, ""));
    }
}

#[actix_rt::test]
async fn a_text_that_comes_again_triggers_once() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=none&wire=utf8&after=text:x").await;
    peer.send(&[raw::text("x"), raw::text("x"), raw::ping(b"p")].concat())
        .await;
    assert_eq!(peer.frame().await.payload, [0xC3, 0x28]);
    assert_eq!(peer.frame().await, Frame::new(FIN | raw::PONG, "p"));
}
