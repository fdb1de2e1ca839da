//! Caddy (the version of Debian).

use std::net::SocketAddr;

use tokio::join;

use crate::program::{ALL, Program, QUICK, server};

/// Starts Caddy with these lines in its site, and these in `reverse_proxy`.
pub(crate) async fn caddy(server: SocketAddr, site: &str, lines: &str) -> Program {
    Program::start(|_, addr| {
        let port = addr.port();
        let config = format!(
            "{{\n  admin off\n  auto_https off\n}}\nhttp://:{port} {{\n  bind 127.0.0.1\n  {site}\n  \
             reverse_proxy {server} {{\n    {lines}\n  }}\n}}\n"
        );
        let command = ["caddy", "run", "--adapter", "caddyfile", "--config", "FILE"];
        ("Caddyfile", config, command.map(str::to_owned).to_vec())
    })
    .await
}

#[actix_rt::test]
#[ignore = "needs caddy"]
async fn nothing_is_broken_behind_a_right_caddy() {
    let server = server().await;
    let checked = caddy(server.addr(), "", "").await.check(&[ALL]).await;
    checked.assert_only(&[("headers", "differs")]);
    checked.assert("headers", "differs", &["X-Forwarded-For"]);
}

#[actix_rt::test]
#[ignore = "needs caddy"]
async fn a_field_that_caddy_removes_is_named_by_its_check() {
    let server = server().await;
    let added = ("headers", "differs");
    for (line, expected) in [
        (
            "header_up -Sec-WebSocket-Protocol",
            &[added, ("subprotocol", "broken")][..],
        ),
        (
            "header_up -Sec-WebSocket-Extensions",
            &[added, ("compression", "broken")],
        ),
        ("header_up -Cookie", &[("headers", "broken")]),
    ] {
        let proxy = caddy(server.addr(), "", line).await;
        proxy.check(&[QUICK]).await.assert_only(expected);
    }
}

#[actix_rt::test]
#[ignore = "needs caddy"]
async fn caddy_does_not_hold_back_a_stream() {
    let server = server().await;
    let interval = caddy(server.addr(), "", "flush_interval 1s").await;
    let gzip = "encode {\n    gzip\n    match header Content-Type text/*\n  }";
    let gzip = caddy(server.addr(), gzip, "").await;
    let arguments = ["--only=handshake,polling"];
    let (interval, gzip) = join!(interval.check(&arguments), gzip.check(&arguments));
    for checked in [interval, gzip] {
        checked.assert("polling", "ok", &["/events: 12 events"]);
    }
}

#[actix_rt::test]
#[ignore = "needs caddy"]
async fn a_field_of_the_handshake_that_caddy_changes_is_named() {
    let server = server().await;
    for (line, seen) in [
        ("header_up -Upgrade", "400 from Caddy"),
        ("header_up -Sec-WebSocket-Key", "400 from Caddy"),
    ] {
        let checked = caddy(server.addr(), "", line).await.check(&[QUICK]).await;
        checked.assert("handshake", "broken", &[seen]);
        checked.assert_only(&[("handshake", "broken")]);
    }
    let proxy = caddy(server.addr(), "", "header_up Host {upstream_hostport}").await;
    let checked = proxy.check(&[QUICK]).await;
    checked.assert("headers", "differs", &["Host", "was changed"]);
}
