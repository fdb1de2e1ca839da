//! Apache httpd (the version of Debian).

use std::net::SocketAddr;

use tokio::join;

use crate::program::{ALL, Program, QUICK, server};

/// The parameter of ProxyPass that WebSocket needs.
pub(crate) const UPGRADE: &str = "upgrade=websocket";

/// Starts Apache with this parameter of ProxyPass, and these lines.
pub(crate) async fn apache(server: SocketAddr, parameter: &str, lines: &str) -> Program {
    apache_with(server, &["proxy_wstunnel"], "http", parameter, lines).await
}

/// Starts Apache with these modules besides the usual ones, this scheme and parameter of ProxyPass, and these lines.
async fn apache_with(
    server: SocketAddr,
    modules: &[&str],
    scheme: &str,
    parameter: &str,
    lines: &str,
) -> Program {
    Program::start(|folder, addr| {
        let usual = ["mpm_event", "authz_core", "proxy", "proxy_http", "headers", "filter", "deflate"];
        let modules: String = usual
            .iter()
            .chain(modules)
            .map(|module| format!("LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n"))
            .collect();
        let config = format!(
            "{modules}ServerRoot {folder}\nPidFile {folder}/pid\nDefaultRuntimeDir {folder}\nServerName localhost\n\
             ErrorLog {folder}/error.log\nListen {addr}\nProxyPreserveHost On\nProxyAddHeaders Off\n{lines}\n\
             ProxyPass \"/\" \"{scheme}://{server}/\" {parameter}\n"
        );
        let command = ["apache2", "-D", "FOREGROUND", "-f", "FILE"].map(str::to_owned).to_vec();
        ("apache.conf", config, command)
    })
    .await
}

#[actix_rt::test]
#[ignore = "needs apache2"]
async fn nothing_is_broken_behind_a_right_apache() {
    let server = server().await;
    let proxy = apache(server.addr(), UPGRADE, "").await;
    proxy.check(&[ALL]).await.assert_only(&[]);
}

#[actix_rt::test]
#[ignore = "needs apache2"]
async fn an_apache_that_does_not_forward_upgrade_is_named_by_handshake() {
    let server = server().await;
    let checked = apache(server.addr(), "", "").await.check(&[ALL]).await;
    checked.assert("handshake", "broken", &["no Upgrade: websocket header"]);
    checked.assert_only(&[("handshake", "broken")]);
}

#[actix_rt::test]
#[ignore = "needs apache2"]
async fn a_field_that_apache_removes_is_named_by_its_check() {
    let server = server().await;
    for (line, check) in [
        ("RequestHeader unset Sec-WebSocket-Protocol", "subprotocol"),
        ("RequestHeader unset Sec-WebSocket-Extensions", "compression"),
        ("RequestHeader unset Cookie", "headers"),
    ] {
        let proxy = apache(server.addr(), UPGRADE, line).await;
        proxy.check(&[QUICK]).await.assert_only(&[(check, "broken")]);
    }
}

#[actix_rt::test]
#[ignore = "needs apache2"]
async fn apache_needs_no_wstunnel_if_it_is_told_to_upgrade() {
    let server = server().await;
    let wrong = apache_with(server.addr(), &[], "http", "", "").await;
    let checked = wrong.check(&[ALL]).await;
    checked.assert("handshake", "broken", &["no Upgrade: websocket header"]);
    checked.assert_only(&[("handshake", "broken")]);
    let fixes = checked.result("handshake")["fix"].as_array().unwrap();
    assert_eq!(fixes[0]["where"], "Apache", "the only one that is named");
    // mod_proxy_http upgrades since 2.4.47.
    for (modules, scheme, parameter) in [
        (&[][..], "http", UPGRADE),
        (&[], "ws", ""),
        (&["proxy_wstunnel"], "ws", ""),
    ] {
        let right = apache_with(server.addr(), modules, scheme, parameter, "").await;
        right.check(&[QUICK]).await.assert_only(&[]);
    }
}

#[actix_rt::test]
#[ignore = "needs apache2"]
async fn apache_does_not_hold_back_a_stream_that_it_compresses() {
    let server = server().await;
    let lines = "AddOutputFilterByType DEFLATE text/event-stream";
    let proxy = apache(server.addr(), UPGRADE, lines).await;
    let checked = proxy.check(&["--only=handshake,polling"]).await;
    checked.assert("polling", "ok", &["/events: 12 events, compressed with gzip,"]);
}

#[actix_rt::test]
#[ignore = "needs apache2"]
async fn silence_that_apache_cuts_is_named_by_idle() {
    let server = server().await;
    let cut = apache(server.addr(), UPGRADE, "Timeout 3").await;
    // The longer one of both holds.
    let mended = "Timeout 3\nProxyTimeout 3600";
    let mended = apache(server.addr(), UPGRADE, mended).await;
    let arguments = ["--only=handshake,idle", "--idle=5s"];
    let (cut, mended) = join!(cut.check(&arguments), mended.check(&arguments));
    cut.assert("idle", "broken", &["silence is cut after"]);
    cut.assert_only(&[("idle", "broken")]);
    mended.assert_only(&[]);
}

#[actix_rt::test]
#[ignore = "needs apache2"]
async fn a_limit_of_workers_in_apache_is_named_by_concurrency() {
    let server = server().await;
    for (lines, expected) in [
        (
            "ServerLimit 1\nThreadsPerChild 25\nMaxRequestWorkers 25",
            &[("concurrency", "broken")][..],
        ),
        ("MaxRequestWorkers 400", &[]),
    ] {
        let proxy = apache(server.addr(), UPGRADE, lines).await;
        let checked = proxy
            .check(&["--only=handshake,concurrency", "--timeout=2s"])
            .await;
        checked.assert_only(expected);
    }
}

#[actix_rt::test]
#[ignore = "needs apache2"]
async fn a_host_that_apache_changes_differs() {
    let server = server().await;
    let proxy = apache(server.addr(), UPGRADE, "ProxyPreserveHost Off").await;
    let checked = proxy.check(&[QUICK]).await;
    checked.assert("headers", "differs", &["Host", "was changed"]);
    checked.assert_only(&[("headers", "differs")]);
}
