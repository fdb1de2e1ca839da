//! HAProxy (the version of Debian).

use std::net::SocketAddr;

use tokio::join;

use crate::program::{ALL, Program, QUICK, nobody, server};

/// Starts HAProxy with these lines in its backend.
pub(crate) async fn haproxy(server: SocketAddr, lines: &str) -> Program {
    haproxy_with(server, "", "", lines).await
}

/// Starts HAProxy with this line of `global`, and these lines in its frontend and its backend.
async fn haproxy_with(server: SocketAddr, global: &str, frontend: &str, lines: &str) -> Program {
    Program::start(|_, addr| {
        let config = format!(
            "global\n  {global}\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n  timeout tunnel 1h\n\
             frontend in\n  bind {addr}\n  {frontend}\n  default_backend out\n\
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
    let proxy = haproxy(server.addr(), "option http-no-delay").await;
    proxy.check(&[ALL]).await.assert_only(&[]);
    let proxy = haproxy(server.addr(), "option http-no-delay\n  option forwardfor").await;
    let checked = proxy.check(&[QUICK]).await;
    checked.assert_only(&[("headers", "differs")]);
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
        let proxy = haproxy(server.addr(), line).await;
        proxy.check(&[QUICK]).await.assert_only(&[(check, "broken")]);
    }
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn a_server_that_haproxy_does_not_reach_is_named() {
    let checked = haproxy(nobody(), "retries 0").await.check(&[]).await;
    checked.assert("handshake", "broken", &["503"]);
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn silence_that_haproxy_cuts_is_named_by_idle() {
    let server = server().await;
    let cut = haproxy(server.addr(), "timeout tunnel 3s").await;
    let mended = haproxy(server.addr(), "timeout tunnel 1h").await;
    let arguments = ["--only=handshake,idle", "--idle=5s"];
    let (cut, mended) = join!(cut.check(&arguments), mended.check(&arguments));
    cut.assert(
        "idle",
        "broken",
        &[
            "silence is cut after",
            "with a Ping every 500 ms, 5000 ms are not cut",
        ],
    );
    cut.assert_only(&[("idle", "broken")]);
    mended.assert_only(&[]);
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn a_stream_that_haproxy_delays_differs() {
    let server = server().await;
    for lines in [
        "",
        "compression algo gzip\n  compression type text/event-stream\n  ",
    ] {
        let delayed = haproxy(server.addr(), lines).await;
        let mended = haproxy(server.addr(), &format!("{lines}option http-no-delay")).await;
        let arguments = ["--only=handshake,polling"];
        let (delayed, mended) = join!(delayed.check(&arguments), mended.check(&arguments));
        delayed.assert(
            "polling",
            "differs",
            &["/events: 12 events", "100 ms apart came in"],
        );
        delayed.assert_only(&[("polling", "differs")]);
        mended.assert_only(&[]);
    }
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn a_limit_of_connections_in_haproxy_is_named_by_concurrency() {
    let server = server().await;
    let denied = "stick-table type ip size 1m store conn_cur\n  http-request track-sc0 src\n  \
                  http-request deny deny_status 429 if { sc_conn_cur(0) gt 20 }";
    for (global, frontend, expected) in [
        ("maxconn 20", "", &[("concurrency", "broken")][..]),
        ("", "maxconn 20", &[("concurrency", "broken")]),
        ("", denied, &[("concurrency", "broken")]),
        ("maxconn 200", "maxconn 200", &[]),
    ] {
        let proxy = haproxy_with(server.addr(), global, frontend, "").await;
        let checked = proxy
            .check(&["--only=handshake,concurrency", "--timeout=2s"])
            .await;
        checked.assert_only(expected);
    }
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn a_large_buffer_of_haproxy_is_named_by_backpressure() {
    let server = server().await;
    for (global, expected) in [
        ("tune.bufsize 67108864", &[("backpressure", "differs")][..]),
        ("tune.bufsize 16384", &[]),
    ] {
        let proxy = haproxy_with(server.addr(), global, "", "").await;
        let checked = proxy.check(&["--only=handshake,backpressure"]).await;
        checked.assert_only(expected);
    }
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn a_field_of_the_handshake_that_haproxy_changes_is_named() {
    let server = server().await;
    for (line, seen) in [
        ("http-request del-header Upgrade", "400 "),
        ("http-response del-header Upgrade", "the 101 has no Upgrade field"),
        (
            "http-response del-header Connection",
            "the 101 has no Connection: Upgrade",
        ),
        // HAProxy sends a key of its own.
        (
            "http-request del-header Sec-WebSocket-Key",
            "Sec-WebSocket-Accept is ",
        ),
        (
            "http-request set-header Sec-WebSocket-Protocol other",
            "which was not offered",
        ),
    ] {
        let checked = haproxy(server.addr(), line).await.check(&[QUICK]).await;
        checked.assert("handshake", "broken", &[seen]);
        checked.assert_only(&[("handshake", "broken")]);
    }
}
