//! The command line: flags, variables, `--help`, errors at startup, `healthcheck` and the log.

use std::{fs, net::TcpListener};

use ws_echo::session::behaviour::keys::{self, Form};

use crate::support::{
    in_time,
    process::{Process, ws_echo},
    raw::{self, FIN, Frame, Raw, TEXT},
    system::not_unicode,
};

/// Runs `ws-echo` until it exits. Returns its exit code, standard output and standard error.
pub(crate) async fn run(args: &[&str], env: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = ws_echo();
    command
        .args(args)
        .envs(env.iter().copied())
        .env("RUST_BACKTRACE", "1");
    let output = in_time("the end of the process", command.output()).await.unwrap();
    let code = output.status.code().expect("no signal ended it");
    (
        code,
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// Asserts that the start fails with this exit code and one line on standard error, which contains all these words.
pub(crate) async fn assert_fails(args: &[&str], env: &[(&str, &str)], code: i32, words: &[&str]) {
    let (exit, out, error) = run(args, env).await;
    assert_eq!(exit, code, "{args:?}: {error}");
    assert_eq!(out, "", "{args:?}");
    assert_eq!(error.lines().count(), 1, "{args:?}: {error}");
    for word in words {
        assert!(error.contains(word), "{args:?}: {error}");
    }
    for word in ["panicked", "backtrace", "Error {"] {
        assert!(!error.contains(word), "{args:?}: {error}");
    }
}

/// Asserts that the command line or the environment is invalid: exit code 2, and exactly this line.
async fn assert_invalid(args: &[&str], env: &[(&str, &str)], error: &str) {
    let line = format!("ws-echo: {error}\n");
    assert_eq!(run(args, env).await, (2, String::new(), line), "{args:?} {env:?}");
}

#[actix_rt::test]
async fn an_unknown_argument_gets_exit_code_2_and_one_line() {
    for (args, error) in [
        (&["--nope"][..], "unexpected argument '--nope'; see --help"),
        (
            &["--compres", "on"],
            "unexpected argument '--compres'; did you mean --compress?",
        ),
        (&["-x"], "unexpected argument '-x'; see --help"),
        (&["nope"], "unexpected command 'nope'; see --help"),
        (
            &["completions", "tcsh"],
            "invalid value \"tcsh\" for SHELL: expected bash, elvish, fish, powershell or zsh",
        ),
        (
            &["completions"],
            "missing SHELL: expected bash, elvish, fish, powershell or zsh",
        ),
        (
            &["--prefix=x", "serve"],
            "unexpected --prefix before serve; move it after serve",
        ),
        (&["serve", "--nope"], "unexpected argument '--nope'; see --help"),
        (&["healthcheck", "nope"], "unexpected argument 'nope'; see --help"),
        (&["--workers"], "missing value for --workers; see --help"),
        (
            &["--compress"],
            "missing value for --compress: expected on or off",
        ),
        (
            &["--workers=1", "--workers=2"],
            "--workers is set twice; see --help",
        ),
        (
            &["--tls-self-signed=yes"],
            "unexpected value \"yes\" for --tls-self-signed; see --help",
        ),
    ] {
        assert_invalid(args, &[], error).await;
    }
}

const A_DURATION: &str = "a duration, such as 20s or 250ms, or 0";

#[actix_rt::test]
async fn an_invalid_value_is_named_with_its_flag_and_with_what_is_expected() {
    let addr = "ADDR:PORT, such as localhost:3000, 0.0.0.0:3000 or [::1]:3000";
    for (flag, value, expected) in [
        ("listen", "localhost", addr),
        ("listen", ":80", addr),
        ("listen", "[::1]", addr),
        ("listen", "localhost:70000", "a port from 0 to 65535"),
        (
            "listen",
            "::1:80",
            "an IPv6 address in brackets, such as [::1]:3000",
        ),
        ("tls-listen", "nowhere", addr),
        (
            "tls-name",
            "a b",
            "a DNS name or an IP address, such as echo.test, *.test or 192.0.2.1",
        ),
        ("tls-name", "*.192.0.2.1", "an IP address without a wildcard"),
        ("workers", "0", "a whole number of at least 1"),
        ("workers", "two", "a whole number of at least 1"),
        (
            "trusted-proxy",
            "10.0.0.0/33",
            "an address or a network, such as 192.0.2.1, 10.0.0.0/8 or fd00::/8",
        ),
        (
            "allow-origin",
            "example.org",
            "scheme://host or scheme://host:port without a path, or null",
        ),
        (
            "max-message-size",
            "many",
            "a size, such as 16MiB, 64KiB or 65536",
        ),
        ("max-fragments", "-1", "a whole number, or 0 for no limit"),
        ("max-connections", "1.5", "a whole number, or 0 for no limit"),
        (
            "max-handshakes-per-second",
            "x",
            "a whole number per second, or 0 for no limit",
        ),
        ("ping-interval", "20", A_DURATION),
        ("idle-timeout", "soon", A_DURATION),
        ("stall-timeout", "-5s", A_DURATION),
        ("compress", "maybe", "on or off"),
        ("log-format", "xml", "text or json"),
        ("print-address", "xml", "json or text"),
    ] {
        let arg = format!("--{flag}={value}");
        let error = format!("invalid value {value:?} for --{flag}: expected {expected}");
        assert_invalid(&[&arg], &[], &error).await;
    }
}

#[actix_rt::test]
async fn an_invalid_variable_is_named_as_the_variable() {
    for (name, value, expected) in [
        ("WS_ECHO_IDLE_TIMEOUT", "1 parsec", A_DURATION),
        ("WS_ECHO_WORKERS", "0", "a whole number of at least 1"),
        ("WS_ECHO_COMPRESS", "maybe", "on or off"),
        ("WS_ECHO_TLS_SELF_SIGNED", "maybe", "true or false"),
    ] {
        let error = format!("invalid value {value:?} for {name}: expected {expected}");
        assert_invalid(&[], &[(name, value)], &error).await;
        assert_invalid(&["healthcheck"], &[(name, value)], &error).await;
    }
    assert_invalid(
        &[],
        &[("WS_ECHO_WORKERS", "")],
        "missing value for WS_ECHO_WORKERS: expected a whole number of at least 1",
    )
    .await;
    // The flag is the one that is read.
    assert_invalid(
        &["--workers=x"],
        &[("WS_ECHO_WORKERS", "0")],
        "invalid value \"x\" for --workers: expected a whole number of at least 1",
    )
    .await;
    let mut command = ws_echo();
    command.env("WS_ECHO_PREFIX", not_unicode());
    let output = in_time("the end of the process", command.output()).await.unwrap();
    assert_eq!(
        (output.status.code(), String::from_utf8(output.stderr).unwrap()),
        (
            Some(2),
            "ws-echo: invalid bytes in WS_ECHO_PREFIX: expected UTF-8\n".to_owned()
        )
    );
}

#[actix_rt::test]
async fn a_port_in_use_fails_with_one_line() {
    let bound = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = bound.local_addr().unwrap().to_string();
    assert_fails(
        &["--listen", &addr],
        &[],
        1,
        &["ws-echo: cannot listen on ", &addr, "address in use"],
    )
    .await;
}

#[actix_rt::test]
async fn a_static_directory_without_a_page_fails_with_one_line() {
    let empty = tempfile::tempdir().unwrap();
    let empty = empty.path().to_str().unwrap();
    for directory in ["/no/such/directory", empty] {
        let args = ["--listen", "127.0.0.1:0", "--static-dir", directory];
        assert_fails(&args, &[], 1, &["index.html", directory, "--static-dir"]).await;
    }
}

#[actix_rt::test]
async fn the_binary_serves_its_page_from_an_empty_folder() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let mut command = ws_echo();
        command
            .args(["--listen", "127.0.0.1:0"])
            .current_dir(folder.path());
        Process::spawn(command, 1)
    };
    let server = start().await;
    let (head, page) = Raw::connect(server.addr()).await.get("/").await;
    assert_eq!(head.status, 200);
    assert!(page.contains("js/main.js"), "{page}");
    let (head, _) = Raw::connect(server.addr()).await.get("/js/main.js").await;
    assert_eq!(head.status, 200);
    // A folder of this name without a page belongs to something else.
    fs::create_dir(folder.path().join("static")).unwrap();
    let server = start().await;
    assert_eq!(Raw::connect(server.addr()).await.get("/").await.1, page);
    fs::write(folder.path().join("static/index.html"), "own page").unwrap();
    let server = start().await;
    assert_eq!(Raw::connect(server.addr()).await.get("/").await.1, "own page");
    let is_logged = |line: &String| line.contains("serving the page from a directory");
    assert!(server.skipped.iter().any(is_logged), "{:?}", server.skipped);
}

#[actix_rt::test]
async fn an_unavailable_address_fails_with_one_line() {
    // RFC 5737 reserves the address for documentation. RFC 6761 reserves the name, which never resolves.
    assert_fails(
        &["--listen", "192.0.2.1:0"],
        &[],
        1,
        &["cannot listen on 192.0.2.1:0: this machine does not have the address"],
    )
    .await;
    assert_fails(
        &["--listen", "nowhere.invalid:0"],
        &[],
        1,
        &["cannot resolve nowhere.invalid:0: "],
    )
    .await;
}

#[actix_rt::test]
async fn help_lists_exactly_the_query_keys_and_their_values() {
    let (_, out, _) = run(&["--help"], &[]).await;
    let mut paragraphs = out.split("\n\n");
    let keys = paragraphs
        .find(|paragraph| paragraph.contains("reply=stamped|"))
        .unwrap_or_else(|| panic!("no query keys in\n{out}"))
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    // "..., combined with &: reply=stamped|verbatim, delay, close=CODE[:REASON], ... . docs/behaviours.md ..."
    let keys = keys.split_once("&: ").unwrap().1;
    let keys = keys.split_once(". ").unwrap().0;
    let mut named: Vec<&str> = Vec::new();
    for entry in keys.split(", ") {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        named.push(name);
        let key = keys::key(name);
        if let [Form::Choice { values, .. }] = key.unwrap_or_else(|| panic!("{name} is no key")).forms {
            assert_eq!(value.split('|').collect::<Vec<_>>(), *values, "{name}");
        }
    }
    let mut expected: Vec<&str> = keys::keys().map(|key| key.name).collect();
    named.sort_unstable();
    expected.sort_unstable();
    assert_eq!(named, expected);
}

/// The headings of `--help` with their flags.
const GROUPS: [(&str, &[&str]); 6] = [
    (
        "Listening",
        &[
            "listen",
            "print-address",
            "static-dir",
            "workers",
            "trusted-proxy",
            "allow-origin",
        ],
    ),
    (
        "TLS",
        &[
            "tls-listen",
            "tls-cert",
            "tls-key",
            "tls-self-signed",
            "tls-name",
            "tls-ca-out",
        ],
    ),
    (
        "Limits",
        &[
            "max-message-size",
            "max-fragments",
            "max-connections",
            "max-connections-per-ip",
            "max-http-connections",
            "max-buffered",
            "max-handshakes-per-second",
            "max-messages-per-second",
        ],
    ),
    (
        "Timeouts",
        &[
            "handshake-timeout",
            "request-timeout",
            "ping-interval",
            "idle-timeout",
            "stall-timeout",
            "shutdown-delay",
            "shutdown-grace",
            "shutdown-on-stdin-end",
        ],
    ),
    ("Behaviours", &["prefix", "behaviours", "compress"]),
    ("Log", &["log-format"]),
];

#[actix_rt::test]
async fn help_groups_every_flag_with_its_variable_on_standard_output() {
    let (code, out, error) = run(&["--help"], &[]).await;
    assert_eq!((code, error.as_str()), (0, ""));
    let (_, groups) = out.split_once("\nListening:\n").unwrap();
    let mut found = vec![("Listening", Vec::new())];
    for line in groups.lines() {
        if let Some(flag) = line.strip_prefix("      --") {
            let name = flag.split(' ').next().unwrap();
            found.last_mut().unwrap().1.push(name);
        } else if let Some(heading) = line.strip_suffix(':')
            && !line.starts_with(' ')
        {
            found.push((heading, Vec::new()));
        }
    }
    let expected: Vec<_> = GROUPS
        .iter()
        .map(|(heading, flags)| (*heading, flags.to_vec()))
        .collect();
    assert_eq!(found, expected);
    for flag in GROUPS.iter().flat_map(|(_, flags)| *flags) {
        let variable = format!("[env: WS_ECHO_{}=", flag.to_uppercase().replace('-', "_"));
        assert!(out.contains(&variable), "{variable} is not in\n{out}");
    }
    for word in [
        "serve",
        "healthcheck",
        "completions",
        "man",
        "16MiB",
        "localhost:3000",
        "RUST_LOG",
    ] {
        assert!(out.contains(word), "{word} is not in\n{out}");
    }
}

#[actix_rt::test]
async fn version_prints_the_package_version() {
    let (code, out, _) = run(&["--version"], &[]).await;
    assert_eq!(
        (code, out.trim()),
        (0, concat!("ws-echo ", env!("CARGO_PKG_VERSION")))
    );
}

#[actix_rt::test]
async fn port_0_selects_a_free_port_that_the_log_contains() {
    let (one, other) = (Process::start(&[]).await, Process::start(&[]).await);
    assert_ne!(one.addr().port(), 0);
    assert_ne!(one.addr(), other.addr());
    for server in [one, other] {
        let mut peer = server.raw("/?reply=verbatim").await;
        peer.send(&raw::text("x")).await;
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "x"));
    }
}

/// Returns whether this machine has an IPv6 loopback address.
fn has_ipv6() -> bool {
    TcpListener::bind("[::1]:0").is_ok()
}

#[actix_rt::test]
async fn localhost_listens_on_every_loopback_address_with_one_port() {
    let count = if has_ipv6() { 2 } else { 1 };
    let server = Process::start_on(&["localhost:0"], count, &[]).await;
    assert!(server.addrs[0].is_ipv4());
    for addr in &server.addrs {
        assert!(addr.ip().is_loopback());
        assert_eq!(addr.port(), server.addrs[0].port());
        Raw::open(*addr, "/", "").await;
    }
    if has_ipv6() {
        assert!(server.addrs[1].is_ipv6());
    }
}

#[actix_rt::test]
async fn the_server_listens_on_several_addresses() {
    let server = Process::start_on(&["127.0.0.1:0", "127.0.0.2:0,127.0.0.3:0"], 3, &[]).await;
    for addr in &server.addrs {
        Raw::open(*addr, "/", "").await;
    }
}

#[actix_rt::test]
async fn flags_take_effect() {
    let page = tempfile::tempdir().unwrap();
    fs::write(page.path().join("index.html"), "another page").unwrap();
    let server = Process::start(&[
        "--prefix=got ",
        "--max-message-size=5",
        "--compress=off",
        "--workers=1",
        "--max-connections=1",
        "--static-dir",
        page.path().to_str().unwrap(),
    ])
    .await;
    let (head, mut peer) = Raw::open(
        server.addr(),
        "/",
        "Sec-WebSocket-Extensions: permessage-deflate\r\n",
    )
    .await;
    assert_eq!(head.get("sec-websocket-extensions"), None);
    peer.send(&raw::text("hello")).await;
    assert!(peer.frame().await.payload.starts_with(b"got hello,"));
    let mut other = Raw::connect(server.addr()).await;
    other.send(raw::upgrade("/", "").as_bytes()).await;
    assert_eq!(other.response().await.0.status, 503);
    let mut plain = Raw::connect(server.addr()).await;
    plain.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(plain.response().await.1, "another page");
    peer.send(&raw::text("hello!")).await;
    assert_eq!(
        peer.frame().await.closing(),
        (1009, "ws-echo: a message of more than 5 bytes")
    );
}

#[actix_rt::test]
async fn variables_take_effect_and_flags_override_them() {
    let mut command = ws_echo();
    command
        .env("WS_ECHO_PREFIX", "by variable ")
        .env("WS_ECHO_LISTEN", "127.0.0.1:0,127.0.0.2:0")
        .env("WS_ECHO_MAX_MESSAGE_SIZE", "1")
        .arg("--max-message-size=1KiB");
    let server = Process::spawn(command, 2).await;
    let mut peer = server.raw("/").await;
    peer.send(&raw::text("hello")).await;
    assert!(peer.frame().await.payload.starts_with(b"by variable hello,"));
}

#[actix_rt::test]
async fn serve_is_the_default_command_and_has_the_same_flags() {
    let mut command = ws_echo();
    command.env("WS_ECHO_PREFIX", "by variable ").args([
        "serve",
        "--listen=127.0.0.1:0",
        "--max-message-size=1KiB",
    ]);
    let server = Process::spawn(command, 1).await;
    let mut peer = server.raw("/").await;
    peer.send(&raw::text("hello")).await;
    assert!(peer.frame().await.payload.starts_with(b"by variable hello,"));
    let (_, help, _) = run(&["--help"], &[]).await;
    let (code, of_serve, _) = run(&["serve", "--help"], &[]).await;
    let flags = |help: &str| -> Vec<String> {
        let lines = help.lines().filter(|line| line.starts_with("      --"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!((code, flags(&of_serve)), (0, flags(&help)));
}

#[actix_rt::test]
async fn healthcheck_succeeds_only_if_a_server_responds() {
    let server = Process::start(&[]).await;
    let listen = server.addr().to_string();
    let (code, _, error) = run(&["healthcheck"], &[("WS_ECHO_LISTEN", &listen)]).await;
    assert_eq!(code, 0, "{error}");
    let (code, _, error) = run(&["--listen", &listen, "healthcheck"], &[]).await;
    assert_eq!(code, 0, "{error}");
    let url = format!("http://{listen}/healthz");
    assert_eq!(run(&["healthcheck", "--url", &url], &[]).await.0, 0);

    let missing = format!("http://{listen}/no/such/page");
    assert_fails(
        &["healthcheck", "--url", &missing],
        &[],
        1,
        &["ws-echo: ", &missing, " returned status 404; expected 2xx"],
    )
    .await;
    let secure = format!("https://{listen}/healthz");
    assert_fails(
        &["healthcheck", "--url", &secure],
        &[],
        1,
        &["ws-echo: invalid URL ", &secure, "expected http://HOST:PORT/PATH"],
    )
    .await;
    drop(server);
    // A socket that is bound and does not listen: no other process can bind the port, and no connection succeeds.
    let free = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    free.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    let listen = free.local_addr().unwrap().as_socket().unwrap().to_string();
    assert_fails(
        &["--listen", &listen, "healthcheck"],
        &[],
        1,
        &["ws-echo: no response from http://", &listen],
    )
    .await;
}

#[actix_rt::test]
async fn the_log_has_an_event_for_an_opened_and_for_a_closed_connection() {
    let mut server = Process::start(&[]).await;
    let (_, mut peer) = Raw::open(server.addr(), "/some/path", "Sec-WebSocket-Protocol: chat\r\n").await;
    let opened = server.logged("connection opened").await;
    let from = peer.stream.local_addr().unwrap().to_string();
    for word in ["connection=1", &from, "/some/path", "chat"] {
        assert!(opened.contains(word), "{opened}");
    }
    peer.send(&[raw::text("12345"), raw::close(4001, "")].concat())
        .await;
    let closed = server.logged("connection closed").await;
    for word in [
        "connection=1",
        "code=4001",
        "messages=1",
        "bytes=5",
        "duration_ms=",
    ] {
        assert!(closed.contains(word), "{closed}");
    }
}

#[actix_rt::test]
async fn without_a_terminal_the_log_has_colours_only_if_requested() {
    for (style, level) in [
        ("auto", " INFO  "),
        ("never", " INFO  "),
        ("always", " \u{1b}[32mINFO \u{1b}[0m "),
    ] {
        let mut command = ws_echo();
        command
            .args(["--listen", "127.0.0.1:0"])
            .env("RUST_LOG_STYLE", style);
        let mut server = Process::spawn(command, 1).await;
        let _peer = server.raw("/").await;
        let line = server.logged("connection opened").await;
        assert!(line.contains(level), "{style}: {line}");
    }
}

#[actix_rt::test]
async fn at_debug_level_the_log_contains_messages_escaped_and_truncated() {
    let mut command = ws_echo();
    command
        .args(["--listen", "127.0.0.1:0"])
        .env("RUST_LOG", "info,ws_echo=debug");
    let mut server = Process::spawn(command, 1).await;
    let mut peer = server.raw("/").await;
    peer.send(&raw::text("line\nforged \u{1b}[31m 你好")).await;
    let line = server.logged("line").await;
    assert!(line.contains("line\\nforged \\u{1b}[31m 你好"), "{line}");
    peer.send(&raw::text(&"é".repeat(500))).await;
    let line = server.logged("ééé").await;
    assert!(line.contains("bytes=1000"), "{line}");
    assert_eq!(line.matches('é').count(), 64, "{line}");
    peer.send(&raw::binary(b"\0\xFF")).await;
    server.logged("\\x00\\xff").await;
}

#[actix_rt::test]
async fn with_log_format_json_every_line_is_one_object_with_the_documented_fields() {
    let mut command = ws_echo();
    command
        .args(["--listen", "127.0.0.1:0", "--log-format=json"])
        .env("RUST_LOG", "info,ws_echo=debug");
    let mut server = Process::spawn(command, 1).await;
    let evil = "evil\n{\"level\":\"error\"}\u{1b}[2J";
    let (head, mut peer) = Raw::open(server.addr(), "/a%0Ab", "Sec-WebSocket-Protocol: chat\r\n").await;
    let from = peer.stream.local_addr().unwrap().to_string();
    peer.send(&[raw::text(evil), raw::close(4001, "")].concat()).await;
    let mut record =
        async |what: &str| -> serde_json::Value { serde_json::from_str(&server.logged(what).await).unwrap() };

    let opened = record("connection opened").await;
    let id = opened["connection"].as_u64().unwrap();
    assert_eq!(head.get("x-connection-id"), Some(id.to_string().as_str()));
    assert!(humantime::parse_rfc3339(opened["time"].as_str().unwrap()).is_ok());
    assert_eq!(opened["level"], "info");
    assert_eq!(opened["target"], "ws_echo::session");
    assert_eq!(opened["peer"], from.as_str());
    assert_eq!(opened["path"], "/a%0Ab");
    assert_eq!(opened["subprotocol"], "chat");
    assert_eq!(opened["compression"], "none");

    let message = record("\"message\":\"message\"").await;
    assert_eq!(message["level"], "debug");
    assert_eq!(message["connection"], id);
    assert_eq!(message["type"], "text");
    assert_eq!(message["payload"], evil);

    let closed = record("connection closed").await;
    assert_eq!(closed["connection"], id);
    assert_eq!(closed["code"], 4001);
    assert_eq!(closed["by"], "peer");
    assert_eq!(closed["reason"], "");
    assert_eq!(closed["messages"], 1);
    assert_eq!(closed["bytes"], evil.len());
    assert!(closed["duration_ms"].is_u64());
    server.signal(crate::support::process::Signal::TERM);
    for line in server.exit().await.1 {
        serde_json::from_str::<serde_json::Value>(&line).unwrap();
    }
}

#[actix_rt::test]
async fn a_reset_by_the_client_logs_one_line_without_an_error() {
    let mut server = Process::start(&[]).await;
    server.raw("/").await.reset();
    let closed = server.logged("connection closed").await;
    assert!(
        closed.contains("INFO") && closed.contains("code=1006"),
        "{closed}"
    );
    // The next line of the log is the event of the next connection.
    drop(server.raw("/").await);
    let next = server.logged("").await;
    assert!(next.contains("connection opened connection=2"), "{next}");
}
