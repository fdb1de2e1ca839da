//! Apache httpd (the version of Debian).

use std::net::SocketAddr;

use crate::program::{Program, assert_passes_frames, server};

/// Starts Apache with this parameter of ProxyPass, and these lines.
pub(crate) async fn apache(server: SocketAddr, parameter: &str, lines: &str) -> Program {
    Program::start(|folder, addr| {
        let modules = ["mpm_event", "authz_core", "proxy", "proxy_http", "proxy_wstunnel", "headers"];
        let modules: String = modules
            .iter()
            .map(|module| format!("LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n"))
            .collect();
        let config = format!(
            "{modules}ServerRoot {folder}\nPidFile {folder}/pid\nDefaultRuntimeDir {folder}\nServerName localhost\n\
             ErrorLog {folder}/error.log\nListen {addr}\nProxyPreserveHost On\nProxyAddHeaders Off\n\
             ProxyPass \"/\" \"http://{server}/\" {parameter}\n{lines}\n"
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
    let checked = apache(server.addr(), "upgrade=websocket", "")
        .await
        .check(&[])
        .await;
    checked.assert_only_broken(&[]);
    assert_passes_frames(&checked);
}

#[actix_rt::test]
#[ignore = "needs apache2"]
async fn an_apache_that_does_not_forward_upgrade_is_named_by_handshake() {
    let server = server().await;
    let checked = apache(server.addr(), "", "").await.check(&[]).await;
    checked.assert("handshake", "broken", &["no Upgrade: websocket header"]);
    checked.assert_only_broken(&["handshake"]);
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
        let proxy = apache(server.addr(), "upgrade=websocket", line).await;
        proxy.check(&[]).await.assert_only_broken(&[check]);
    }
}
