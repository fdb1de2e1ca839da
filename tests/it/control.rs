//! Pings, Pongs and the idle timeout.

use std::time::Duration;

use ws_echo::config::Timer;

use crate::support::{
    Echo,
    raw::{self, FIN, Frame, PING, PONG, TEXT, frame},
};

#[actix_rt::test]
async fn a_ping_gets_a_pong_with_the_same_payload() {
    let echo = Echo::start();
    let mut peer = echo.raw("/").await;
    for payload in [vec![], b"hello".to_vec(), vec![0xFF; 125]] {
        peer.send(&raw::ping(&payload)).await;
        assert_eq!(peer.frame().await, Frame::new(FIN | PONG, payload));
    }
}

#[actix_rt::test]
async fn each_of_many_pings_gets_its_pong_in_order() {
    let echo = Echo::start();
    let mut peer = echo.raw("/").await;
    let packet: Vec<u8> = (0..200u8).flat_map(|number| raw::ping(&[number])).collect();
    peer.send(&packet).await;
    for number in 0..200u8 {
        assert_eq!(peer.frame().await, Frame::new(FIN | PONG, [number]));
    }
}

#[actix_rt::test]
async fn an_unsolicited_pong_is_ignored() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim").await;
    peer.send(&frame(FIN | PONG, b"unsolicited")).await;
    peer.send(&raw::text("next")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "next"));
}

#[actix_rt::test]
async fn the_server_sends_pings_periodically() {
    let echo = Echo::with(|config| config.ping_interval = Timer::of(Duration::from_millis(20)));
    let mut peer = echo.raw("/").await;
    for _ in 0..3 {
        assert_eq!(peer.frame().await, Frame::new(FIN | PING, ""));
    }
}

#[actix_rt::test]
async fn an_idle_client_gets_1001_with_the_timeout_in_the_reason() {
    let echo = Echo::with(|config| {
        config.ping_interval = Timer::of(Duration::ZERO);
        config.idle_timeout = Timer::of(Duration::from_millis(50));
    });
    let mut peer = echo.raw("/").await;
    assert_eq!(peer.frame().await.closing(), (1001, "ws-echo: idle for 50ms"));
}

#[actix_rt::test]
async fn the_reason_has_whole_seconds_as_seconds() {
    let echo = Echo::with(|config| config.idle_timeout = Timer::of(Duration::from_secs(1)));
    let mut peer = echo.raw("/").await;
    assert_eq!(peer.frame().await.closing(), (1001, "ws-echo: idle for 1s"));
}

#[actix_rt::test]
async fn pings_without_a_pong_do_not_prevent_the_idle_timeout() {
    let echo = Echo::with(|config| {
        config.ping_interval = Timer::of(Duration::from_millis(20));
        config.idle_timeout = Timer::of(Duration::from_millis(100));
    });
    let mut peer = echo.raw("/").await;
    let closing = loop {
        let frame = peer.frame().await;
        if frame.first != FIN | PING {
            break frame;
        }
    };
    assert_eq!(closing.closing(), (1001, "ws-echo: idle for 100ms"));
}

#[actix_rt::test]
async fn a_client_that_replies_to_pings_is_not_idle() {
    // Ten pings take longer than the timeout.
    let echo = Echo::with(|config| {
        config.ping_interval = Timer::of(Duration::from_millis(400));
        config.idle_timeout = Timer::of(Duration::from_millis(3000));
    });
    let mut peer = echo.raw("/").await;
    for _ in 0..10 {
        assert_eq!(peer.frame().await, Frame::new(FIN | PING, ""));
        peer.send(&frame(FIN | PONG, b"")).await;
    }
}
