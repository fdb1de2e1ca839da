//! nginx (the version of Debian).

use std::net::SocketAddr;

use tokio::join;

use crate::program::{ALL, Program, QUICK, nobody, server};

/// The lines that WebSocket needs.
pub(crate) const RIGHT: &str = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                     proxy_set_header Connection \"upgrade\"; proxy_set_header Host $http_host;";

/// Lines with which nginx gathers a stream to compress it.
pub(crate) const HELD_BY_GZIP: &str =
    "proxy_ignore_headers X-Accel-Buffering; gzip on; gzip_types *; gzip_proxied any;";

/// Returns lines with which nginx gathers a stream. HTTP/1.0 has no chunks: the stream has no length, and its end is that of the
/// connection.
pub(crate) fn held_without_length(server: SocketAddr, lines: &str) -> String {
    let ignored = "proxy_ignore_headers X-Accel-Buffering;";
    format!("location /events {{ proxy_pass http://{server}; proxy_http_version 1.0; {ignored} {lines} }}")
}

/// Starts nginx with these lines in its only location.
pub(crate) async fn nginx(server: SocketAddr, lines: &str) -> Program {
    nginx_with(server, "", "", lines).await
}

/// Starts an nginx that lets a client have 20 connections.
pub(crate) async fn limited(server: SocketAddr) -> Program {
    let zone = "limit_conn_zone $binary_remote_addr zone=everyone:1m;";
    let limit = "limit_conn everyone 20; limit_conn_status 429;";
    nginx_with(server, "", zone, &format!("{RIGHT} {limit}")).await
}

/// Starts nginx with these lines in `events`, in `http` and in its only location.
async fn nginx_with(server: SocketAddr, events: &str, http: &str, lines: &str) -> Program {
    Program::start(|folder, addr| {
        let config = format!(
            "daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; user root;
             events {{ {events} }}
             http {{
                 access_log off; {http}
                 client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
                 uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
                 server {{ listen {addr}; location / {{ proxy_pass http://{server}; {lines} }} }}
             }}"
        );
        let command = ["nginx", "-e", "FOLDER/error.log", "-c", "FILE"].map(str::to_owned).to_vec();
        ("nginx.conf", config, command)
    })
    .await
}

#[actix_rt::test]
#[ignore = "needs nginx"]
async fn nothing_is_broken_behind_a_right_nginx() {
    let server = server().await;
    let proxy = nginx(server.addr(), RIGHT).await;
    let checked = proxy.check(&[ALL]).await;
    checked.assert_only(&[]);
    checked.assert("headers", "ok", &["all", "fields came as they were sent"]);
}

#[actix_rt::test]
#[ignore = "needs nginx"]
async fn an_nginx_that_does_not_forward_upgrade_is_named_by_handshake() {
    let server = server().await;
    for (lines, seen) in [
        ("proxy_http_version 1.1;", "no Upgrade: websocket header"),
        ("", "the HTTP version is not 1.1"),
    ] {
        let proxy = nginx(server.addr(), lines).await;
        let checked = proxy.check(&[ALL]).await;
        checked.assert("handshake", "broken", &["400 from nginx", seen]);
        checked.assert_only(&[("handshake", "broken")]);
        let fix = &checked.result("handshake")["fix"][0];
        assert_eq!(fix["where"], "nginx");
        // The change that is named mends it.
        let lines = fix["change"].as_str().unwrap();
        let mended = nginx(server.addr(), lines).await;
        mended
            .check(&["--only=handshake,messages"])
            .await
            .assert_only(&[]);
    }
}

#[actix_rt::test]
#[ignore = "needs nginx"]
async fn a_field_that_nginx_removes_is_named_by_its_check() {
    let server = server().await;
    for (line, check) in [
        ("proxy_set_header Sec-WebSocket-Protocol \"\";", "subprotocol"),
        ("proxy_hide_header Sec-WebSocket-Protocol;", "subprotocol"),
        ("proxy_set_header Sec-WebSocket-Extensions \"\";", "compression"),
        ("proxy_hide_header Sec-WebSocket-Extensions;", "compression"),
        ("proxy_set_header Cookie \"\";", "headers"),
        ("proxy_set_header Authorization \"\";", "headers"),
    ] {
        let proxy = nginx(server.addr(), &format!("{RIGHT} {line}")).await;
        proxy.check(&[QUICK]).await.assert_only(&[(check, "broken")]);
    }
}

#[actix_rt::test]
#[ignore = "needs nginx"]
async fn a_server_that_nginx_does_not_reach_and_a_redirect_are_named() {
    let checked = nginx(nobody(), RIGHT).await.check(&[]).await;
    checked.assert("handshake", "broken", &["502 from nginx", "502 Bad Gateway"]);
    let checked = nginx(nobody(), "return 301 https://$host$request_uri;")
        .await
        .check(&[])
        .await;
    checked.assert("handshake", "broken", &["301", "to https://127.0.0.1/"]);
}

#[actix_rt::test]
#[ignore = "needs nginx"]
async fn silence_that_nginx_cuts_is_named_by_idle() {
    let server = server().await;
    let cut = nginx(server.addr(), &format!("{RIGHT} proxy_read_timeout 3s;")).await;
    let mended = nginx(
        server.addr(),
        &format!("{RIGHT} proxy_read_timeout 1h; proxy_send_timeout 1h;"),
    )
    .await;
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
    assert_eq!(
        cut.result("idle")["fix"][0]["change"],
        "proxy_read_timeout 1h;\nproxy_send_timeout 1h;"
    );
    mended.assert_only(&[]);
}

#[actix_rt::test]
#[ignore = "needs nginx"]
async fn a_limit_of_connections_in_nginx_is_named_by_concurrency() {
    let server = server().await;
    let one = ["--only=handshake,concurrency"];
    let limited = limited(server.addr()).await.check(&one).await;
    limited.assert(
        "concurrency",
        "broken",
        &["of 50 connections at once failed: status 429"],
    );
    for (events, expected) in [
        ("worker_connections 64;", &[("concurrency", "broken")][..]),
        ("worker_connections 4096;", &[]),
    ] {
        let proxy = nginx_with(server.addr(), events, "", RIGHT).await;
        proxy.check(&one).await.assert_only(expected);
    }
}

#[actix_rt::test]
#[ignore = "needs nginx"]
async fn a_large_buffer_of_nginx_is_named_by_backpressure() {
    let server = server().await;
    let large = "proxy_buffer_size 64m; proxy_buffers 8 64m; proxy_busy_buffers_size 128m;";
    for (lines, expected) in [
        (large, &[("backpressure", "differs")][..]),
        ("proxy_buffer_size 4k;", &[]),
    ] {
        let proxy = nginx(server.addr(), &format!("{RIGHT} {lines}")).await;
        let checked = proxy.check(&["--only=handshake,backpressure"]).await;
        checked.assert_only(expected);
    }
}

#[actix_rt::test]
#[ignore = "needs nginx"]
async fn a_field_of_the_handshake_that_nginx_changes_is_named() {
    let server = server().await;
    for (line, seen) in [
        ("proxy_hide_header Upgrade;", "the 101 has no Upgrade field"),
        ("proxy_set_header Sec-WebSocket-Key \"\";", "400 from nginx"),
        ("proxy_set_header Sec-WebSocket-Version 8;", "426 from nginx"),
        (
            "proxy_set_header Sec-WebSocket-Protocol other;",
            "which was not offered",
        ),
        ("deny all;", "403 from nginx"),
    ] {
        let proxy = nginx(server.addr(), &format!("{RIGHT} {line}")).await;
        let checked = proxy.check(&[QUICK]).await;
        checked.assert("handshake", "broken", &[seen]);
        checked.assert_only(&[("handshake", "broken")]);
    }
    // Without proxy_set_header Host.
    let host = nginx(
        server.addr(),
        &RIGHT.replace("proxy_set_header Host $http_host;", ""),
    )
    .await;
    let checked = host.check(&[QUICK]).await;
    checked.assert("headers", "differs", &["Host", "was changed"]);
    checked.assert_only(&[("headers", "differs")]);
}

#[actix_rt::test]
#[ignore = "needs nginx"]
async fn nginx_holds_back_a_stream_only_without_chunks_and_with_buffering() {
    let server = server().await;
    // ws-echo asks nginx by X-Accel-Buffering not to buffer.
    let ignored = "proxy_ignore_headers X-Accel-Buffering;";
    let [on, off, chunked, without_length, mended] = [
        "proxy_buffering on;".to_owned(),
        "proxy_buffering off;".to_owned(),
        format!("proxy_buffering on; {ignored}"),
        held_without_length(server.addr(), ""),
        held_without_length(server.addr(), "proxy_buffering off;"),
    ]
    .map(async |lines| {
        let proxy = nginx(server.addr(), &format!("{RIGHT} {lines}")).await;
        proxy.check(&["--only=handshake,polling", "--timeout=3s"]).await
    });
    let (on, off, chunked, without_length, mended) = join!(on, off, chunked, without_length, mended);
    for checked in [on, off, chunked, mended] {
        checked.assert("polling", "ok", &["/events: 12 events"]);
        checked.assert_only(&[]);
    }
    without_length.assert("polling", "broken", &["/events: no "]);
    without_length.assert_only(&[("polling", "broken")]);
    let fix = without_length.result("polling")["fix"][0]["change"]
        .as_str()
        .unwrap();
    assert!(fix.starts_with("proxy_buffering off;"), "{fix}");
}

#[actix_rt::test]
#[ignore = "needs nginx"]
async fn a_stream_that_nginx_gathers_to_compress_it_is_named_by_polling() {
    let server = server().await;
    let held = nginx(server.addr(), &format!("{RIGHT} {HELD_BY_GZIP}")).await;
    let mended = nginx(server.addr(), &format!("{RIGHT} proxy_buffering off; gzip off;")).await;
    let arguments = ["--only=handshake,polling", "--timeout=3s"];
    let (held, mended) = join!(held.check(&arguments), mended.check(&arguments));
    held.assert("polling", "broken", &["/events: no "]);
    held.assert_only(&[("polling", "broken")]);
    mended.assert_only(&[]);
}
