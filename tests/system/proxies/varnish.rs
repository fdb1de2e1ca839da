//! Varnish (the version of Debian).

use std::net::SocketAddr;

use crate::program::{Program, assert_passes_frames, server};

/// The subroutines that WebSocket needs.
const PIPE: &str = "sub vcl_recv { if (req.http.Upgrade ~ \"(?i)websocket\") { return (pipe); } }
    sub vcl_pipe { if (req.http.Upgrade) { set bereq.http.Upgrade = req.http.Upgrade; set bereq.http.Connection = req.http.Connection; } }";

/// Starts Varnish with these subroutines.
pub(crate) async fn varnish(server: SocketAddr, subroutines: &str) -> Program {
    Program::start(|_, addr| {
        let (ip, port) = (server.ip(), server.port());
        let config =
            format!("vcl 4.1;\nbackend default {{ .host = \"{ip}\"; .port = \"{port}\"; }}\n{subroutines}\n");
        let addr = addr.to_string();
        let command = [
            "varnishd",
            "-F",
            "-f",
            "FILE",
            "-a",
            &addr,
            "-n",
            "FOLDER/work",
            "-j",
            "none",
            "-s",
            "malloc,32m",
        ];
        ("default.vcl", config, command.map(str::to_owned).to_vec())
    })
    .await
}

#[actix_rt::test]
#[ignore = "needs varnish"]
async fn nothing_is_broken_behind_a_right_varnish() {
    let server = server().await;
    let checked = varnish(server.addr(), PIPE).await.check(&[]).await;
    checked.assert_only_broken(&[]);
    assert_passes_frames(&checked);
}

#[actix_rt::test]
#[ignore = "needs varnish"]
async fn a_varnish_without_pipe_is_named_by_handshake() {
    let server = server().await;
    let checked = varnish(server.addr(), "").await.check(&[]).await;
    checked.assert("handshake", "broken", &["no Upgrade: websocket header"]);
    checked.assert_only_broken(&["handshake"]);
    // The change that is named mends it.
    let fixes = checked.result("handshake")["fix"].as_array().unwrap();
    let fix = fixes.iter().find(|fix| fix["where"] == "Varnish").unwrap();
    let mended = varnish(server.addr(), fix["change"].as_str().unwrap()).await;
    mended.check(&[]).await.assert_only_broken(&[]);
}

#[actix_rt::test]
#[ignore = "needs varnish"]
async fn a_field_that_varnish_removes_is_named_by_its_check() {
    let server = server().await;
    for (field, check) in [
        ("Sec-WebSocket-Protocol", "subprotocol"),
        ("Sec-WebSocket-Extensions", "compression"),
        ("Authorization", "headers"),
    ] {
        let strip = format!("sub vcl_recv {{ unset req.http.{field}; }}\n{PIPE}");
        varnish(server.addr(), &strip)
            .await
            .check(&[])
            .await
            .assert_only_broken(&[check]);
    }
}
