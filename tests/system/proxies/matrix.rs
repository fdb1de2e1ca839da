//! The table of docs/check.md: each check through each configuration. It asserts nothing.

#![allow(clippy::print_stdout, reason = "the table is the output")]

use std::net::SocketAddr;

use ws_echo::check::checks;

use crate::{
    apache::{UPGRADE, apache},
    caddy::caddy,
    haproxy::haproxy,
    nginx::{self, nginx},
    others::{Node, Python},
    program::{Program, nobody, server},
    support::check::{Checked, report},
    varnish::{PIPE, varnish, varnish_with},
};

/// A silence that is longer than the limits of the wrong configurations.
const IDLE: &str = "--idle=5s";

fn print_row(name: &str, checked: &Checked) {
    let cells: Vec<_> = checks::all()
        .iter()
        .map(
            |check| match checked.result(check.as_str())["verdict"].as_str().unwrap() {
                "skipped" => "-",
                verdict => verdict,
            },
        )
        .collect();
    println!("| {name} | {} |", cells.join(" | "));
}

async fn print(name: &str, program: Program) {
    print_row(name, &program.check(&[IDLE, "--timeout=5s"]).await);
}

async fn print_server(name: &str, addr: SocketAddr) {
    print_row(
        name,
        &report(&[&format!("ws://{addr}/"), IDLE, "--timeout=5s"]).await,
    );
}

#[actix_rt::test]
#[ignore = "prints a table for docs/check.md: needs all proxies, node and python3"]
async fn print_the_verdicts() {
    let names: Vec<_> = checks::all().iter().map(|name| name.as_str()).collect();
    println!(
        "\n| configuration | {} |\n|{}",
        names.join(" | "),
        "---|".repeat(names.len() + 1)
    );
    let process = server().await;
    let server = process.addr();
    print_server("none", server).await;

    let right = |lines: &str| format!("{} {lines}", nginx::RIGHT);
    for (name, lines) in [
        ("nginx", right("")),
        ("nginx without Upgrade", "proxy_http_version 1.1;".to_owned()),
        ("nginx without Upgrade and HTTP/1.1", String::new()),
        (
            "nginx, `proxy_set_header Sec-WebSocket-Protocol \"\"`",
            right("proxy_set_header Sec-WebSocket-Protocol \"\";"),
        ),
        (
            "nginx, `proxy_set_header Sec-WebSocket-Extensions \"\"`",
            right("proxy_set_header Sec-WebSocket-Extensions \"\";"),
        ),
        (
            "nginx, `proxy_set_header Cookie \"\"`",
            right("proxy_set_header Cookie \"\";"),
        ),
        ("nginx, `proxy_read_timeout 3s`", right("proxy_read_timeout 3s;")),
        ("nginx, `gzip on` for events", right(nginx::HELD_BY_GZIP)),
        (
            "nginx, HTTP/1.0 for events, buffered",
            right(&nginx::held_without_length(server, "")),
        ),
    ] {
        print(name, nginx(server, &lines).await).await;
    }
    print("nginx, server down", nginx(nobody(), nginx::RIGHT).await).await;
    print("nginx, `limit_conn` 20", nginx::limited(server).await).await;

    for (name, lines) in [
        ("HAProxy", ""),
        ("HAProxy, `option http-no-delay`", "option http-no-delay"),
        (
            "HAProxy, `del-header Sec-WebSocket-Protocol`",
            "http-request del-header Sec-WebSocket-Protocol",
        ),
        (
            "HAProxy, `del-header Sec-WebSocket-Extensions`",
            "http-request del-header Sec-WebSocket-Extensions",
        ),
        ("HAProxy, `timeout tunnel 3s`", "timeout tunnel 3s"),
    ] {
        print(name, haproxy(server, lines).await).await;
    }
    print("HAProxy, server down", haproxy(nobody(), "retries 0").await).await;

    for (name, parameter, lines) in [
        ("Apache httpd", UPGRADE, ""),
        ("Apache httpd without `upgrade=websocket`", "", ""),
        (
            "Apache httpd, `unset Sec-WebSocket-Protocol`",
            UPGRADE,
            "RequestHeader unset Sec-WebSocket-Protocol",
        ),
        (
            "Apache httpd, `unset Sec-WebSocket-Extensions`",
            UPGRADE,
            "RequestHeader unset Sec-WebSocket-Extensions",
        ),
        ("Apache httpd, `Timeout 3`", UPGRADE, "Timeout 3"),
    ] {
        print(name, apache(server, parameter, lines).await).await;
    }

    for (name, lines) in [
        ("Caddy", ""),
        (
            "Caddy, `header_up -Sec-WebSocket-Protocol`",
            "header_up -Sec-WebSocket-Protocol",
        ),
        (
            "Caddy, `header_up -Sec-WebSocket-Extensions`",
            "header_up -Sec-WebSocket-Extensions",
        ),
    ] {
        print(name, caddy(server, "", lines).await).await;
    }

    for (name, lines) in [
        ("Varnish", ""),
        (
            "Varnish, `unset Sec-WebSocket-Protocol`",
            "sub vcl_recv { unset req.http.Sec-WebSocket-Protocol; }",
        ),
        (
            "Varnish, `unset Sec-WebSocket-Extensions`",
            "sub vcl_recv { unset req.http.Sec-WebSocket-Extensions; }",
        ),
        (
            "Varnish, `do_stream = false`",
            "sub vcl_backend_response { set beresp.do_stream = false; }",
        ),
        (
            "Varnish, `do_gzip = true`",
            "sub vcl_backend_response { set beresp.do_gzip = true; }",
        ),
    ] {
        print(name, varnish(server, &format!("{lines}\n{PIPE}")).await).await;
    }
    print("Varnish, default", varnish(server, "").await).await;
    print(
        "Varnish, `pipe_timeout=3`",
        varnish_with(server, &["-p", "pipe_timeout=3"], PIPE).await,
    )
    .await;

    let node = Node::install().await;
    let (_server, addr) = node.start(true).await;
    print_server("none, `ws` of npm", addr).await;
    let python = Python::install().await;
    let (_server, addr) = python.start().await;
    print_server("none, `websockets` of PyPI", addr).await;
}
