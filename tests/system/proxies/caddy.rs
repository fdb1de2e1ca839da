//! Caddy (the version of Debian).

use std::net::SocketAddr;

use crate::program::{Program, assert_passes_frames, server};

/// Starts Caddy with these lines in `reverse_proxy`.
pub(crate) async fn caddy(server: SocketAddr, lines: &str) -> Program {
    Program::start(|_, addr| {
        let port = addr.port();
        let config = format!(
            "{{\n  admin off\n  auto_https off\n}}\nhttp://:{port} {{\n  bind 127.0.0.1\n  reverse_proxy {server} {{\n    {lines}\n  }}\n}}\n"
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
    let checked = caddy(server.addr(), "").await.check(&[]).await;
    checked.assert_only_broken(&[]);
    assert_passes_frames(&checked);
    checked.assert("headers", "differs", &["X-Forwarded-For"]);
}

#[actix_rt::test]
#[ignore = "needs caddy"]
async fn a_field_that_caddy_removes_is_named_by_its_check() {
    let server = server().await;
    for (line, check) in [
        ("header_up -Sec-WebSocket-Protocol", "subprotocol"),
        ("header_up -Sec-WebSocket-Extensions", "compression"),
        ("header_up -Cookie", "headers"),
    ] {
        caddy(server.addr(), line)
            .await
            .check(&[])
            .await
            .assert_only_broken(&[check]);
    }
}
