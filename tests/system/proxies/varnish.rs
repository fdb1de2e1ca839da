//! Varnish (the version of Debian).

use std::net::SocketAddr;

use tokio::join;

use crate::program::{ALL, Program, QUICK, server};

/// The subroutines that WebSocket needs.
pub(crate) const PIPE: &str = "sub vcl_recv { if (req.http.Upgrade ~ \"(?i)websocket\") { return (pipe); } }
    sub vcl_pipe { if (req.http.Upgrade) { set bereq.http.Upgrade = req.http.Upgrade; set bereq.http.Connection = req.http.Connection; } }";

/// Starts Varnish with these subroutines.
pub(crate) async fn varnish(server: SocketAddr, subroutines: &str) -> Program {
    varnish_with(server, &[], subroutines).await
}

/// Starts Varnish with these flags and subroutines.
pub(crate) async fn varnish_with(server: SocketAddr, flags: &[&str], subroutines: &str) -> Program {
    Program::start(|_, addr| {
        let (ip, port) = (server.ip(), server.port());
        let config =
            format!("vcl 4.1;\nbackend default {{ .host = \"{ip}\"; .port = \"{port}\"; }}\n{subroutines}\n");
        let addr = addr.to_string();
        let usual = ["varnishd", "-F", "-f", "FILE", "-a", &addr];
        let own = ["-n", "FOLDER/work", "-j", "none", "-s", "malloc,32m"];
        let command = [&usual[..], &own, flags].concat();
        (
            "default.vcl",
            config,
            command.into_iter().map(str::to_owned).collect(),
        )
    })
    .await
}

#[actix_rt::test]
#[ignore = "needs varnish"]
async fn nothing_is_broken_behind_a_right_varnish() {
    let server = server().await;
    let checked = varnish(server.addr(), PIPE).await.check(&[ALL]).await;
    checked.assert_only(&[("headers", "differs")]);
}

#[actix_rt::test]
#[ignore = "needs varnish"]
async fn a_varnish_without_pipe_is_named_by_handshake() {
    let server = server().await;
    let checked = varnish(server.addr(), "").await.check(&[ALL]).await;
    checked.assert("handshake", "broken", &["no Upgrade: websocket header"]);
    checked.assert_only(&[("handshake", "broken")]);
    // The change that is named mends it.
    let fixes = checked.result("handshake")["fix"].as_array().unwrap();
    let fix = fixes.iter().find(|fix| fix["where"] == "Varnish").unwrap();
    let mended = varnish(server.addr(), fix["change"].as_str().unwrap()).await;
    mended
        .check(&["--only=handshake,messages"])
        .await
        .assert_only(&[]);
}

#[actix_rt::test]
#[ignore = "needs varnish"]
async fn a_field_that_varnish_removes_is_named_by_its_check() {
    let server = server().await;
    let added = ("headers", "differs");
    for (field, expected) in [
        ("Sec-WebSocket-Protocol", &[added, ("subprotocol", "broken")][..]),
        ("Sec-WebSocket-Extensions", &[added, ("compression", "broken")]),
        ("Authorization", &[("headers", "broken")]),
    ] {
        let strip = format!("sub vcl_recv {{ unset req.http.{field}; }}\n{PIPE}");
        let proxy = varnish(server.addr(), &strip).await;
        proxy.check(&[QUICK]).await.assert_only(expected);
    }
}

#[actix_rt::test]
#[ignore = "needs varnish"]
async fn a_stream_that_varnish_holds_back_is_named_by_polling() {
    let server = server().await;
    let proxy = async |lines: &str| {
        let subroutines = format!("sub vcl_backend_response {{ {lines} }}\n{PIPE}");
        varnish(server.addr(), &subroutines).await
    };
    // The stream has no length, so its end is awaited.
    let whole = proxy("set beresp.do_stream = false;").await;
    let compressed = proxy("set beresp.do_gzip = true;").await;
    let mended = proxy("set beresp.do_stream = true; set beresp.do_gzip = false;").await;
    let arguments = ["--only=handshake,polling", "--timeout=3s"];
    let (whole, compressed, mended) = join!(
        whole.check(&arguments),
        compressed.check(&arguments),
        mended.check(&arguments)
    );
    for held in [whole, compressed] {
        held.assert("polling", "broken", &["/events: no "]);
        held.assert_only(&[("polling", "broken")]);
        let fixes = held.result("polling")["fix"].as_array().unwrap();
        let fix = fixes.iter().find(|fix| fix["where"] == "Varnish").unwrap();
        assert!(
            fix["change"]
                .as_str()
                .unwrap()
                .contains("set beresp.do_stream = true; set beresp.do_gzip = false;")
        );
    }
    mended.assert_only(&[]);
}

#[actix_rt::test]
#[ignore = "needs varnish"]
async fn silence_that_varnish_cuts_is_named_by_idle() {
    let server = server().await;
    let cut = varnish_with(server.addr(), &["-p", "pipe_timeout=3"], PIPE).await;
    let mended = varnish_with(server.addr(), &["-p", "pipe_timeout=3600"], PIPE).await;
    let arguments = ["--only=handshake,idle", "--idle=5s"];
    let (cut, mended) = join!(cut.check(&arguments), mended.check(&arguments));
    cut.assert("idle", "broken", &["silence is cut after"]);
    cut.assert_only(&[("idle", "broken")]);
    mended.assert_only(&[]);
}

#[actix_rt::test]
#[ignore = "needs varnish"]
async fn a_limit_of_threads_in_varnish_is_named_by_concurrency() {
    let server = server().await;
    let few = [
        "-p",
        "thread_pools=1",
        "-p",
        "thread_pool_min=10",
        "-p",
        "thread_pool_max=20",
    ];
    for (flags, expected) in [
        (&few[..], &[("concurrency", "broken")][..]),
        (&["-p", "thread_pool_max=5000"], &[]),
    ] {
        let proxy = varnish_with(server.addr(), flags, PIPE).await;
        let checked = proxy
            .check(&["--only=handshake,concurrency", "--timeout=2s"])
            .await;
        checked.assert_only(expected);
    }
}
