//! HAProxy (the version of Debian).

use std::net::SocketAddr;

use crate::program::{Program, assert_passes_frames, nobody, server};

/// Starts HAProxy with these lines in its backend.
pub(crate) async fn haproxy(server: SocketAddr, lines: &str) -> Program {
    Program::start(|_, addr| {
        let config = format!(
            "defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n  timeout tunnel 1h\n\
             frontend in\n  bind {addr}\n  default_backend out\n\
             backend out\n  {lines}\n  server a {server}\n"
        );
        ("haproxy.cfg", config, ["haproxy", "-f", "FILE"].map(str::to_owned).to_vec())
    })
    .await
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn nothing_is_broken_behind_a_right_haproxy() {
    let server = server().await;
    let checked = haproxy(server.addr(), "").await.check(&[]).await;
    checked.assert_only_broken(&[]);
    assert_passes_frames(&checked);
    let checked = haproxy(server.addr(), "option forwardfor").await.check(&[]).await;
    checked.assert_only_broken(&[]);
    checked.assert("headers", "differs", &["X-Forwarded-For: 127.0.0.1 was added"]);
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn a_field_that_haproxy_removes_is_named_by_its_check() {
    let server = server().await;
    for (line, check) in [
        ("http-request del-header Sec-WebSocket-Protocol", "subprotocol"),
        ("http-response del-header Sec-WebSocket-Protocol", "subprotocol"),
        ("http-request del-header Sec-WebSocket-Extensions", "compression"),
        ("http-response del-header Sec-WebSocket-Extensions", "compression"),
        ("http-request del-header Origin", "headers"),
    ] {
        haproxy(server.addr(), line)
            .await
            .check(&[])
            .await
            .assert_only_broken(&[check]);
    }
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn a_server_that_haproxy_does_not_reach_is_named() {
    let checked = haproxy(nobody(), "").await.check(&[]).await;
    checked.assert("handshake", "broken", &["503"]);
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn silence_that_haproxy_cuts_is_named_by_idle() {
    let server = server().await;
    let proxy = haproxy(server.addr(), "timeout tunnel 3s").await;
    let checked = proxy.check(&["--idle=5s"]).await;
    checked.assert(
        "idle",
        "broken",
        &[
            "silence is cut after",
            "with a Ping every 500 ms, 5000 ms are not cut",
        ],
    );
    checked.assert_only_broken(&["idle"]);
    let mended = haproxy(server.addr(), "timeout tunnel 1h").await;
    mended
        .check(&["--only=idle", "--idle=5s"])
        .await
        .assert("idle", "ok", &[]);
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn a_stream_that_haproxy_delays_differs() {
    let server = server().await;
    let delayed = haproxy(server.addr(), "").await.check(&["--only=polling"]).await;
    delayed.assert("polling", "differs", &["/events: 12 events 100 ms apart came in"]);
    let mended = haproxy(server.addr(), "option http-no-delay").await;
    mended
        .check(&["--only=polling"])
        .await
        .assert("polling", "ok", &[]);
}
