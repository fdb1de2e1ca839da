//! The report: its formats, and the exit codes.

use crate::{
    command_line::run,
    support::{
        check::{check, report},
        process::Process,
    },
    tls::Server,
};

#[actix_rt::test]
async fn nothing_is_broken_or_differs_without_a_proxy() {
    let server = Process::start(&[]).await;
    let checked = report(&[&format!("ws://{}/", server.addr())]).await;
    checked.assert_only_broken(&[]);
    for name in [
        "addresses",
        "handshake",
        "headers",
        "subprotocol",
        "compression",
        "messages",
        "frames",
        "ping",
        "close",
        "reset",
        "faults",
    ] {
        checked.assert(name, "ok", &[]);
    }
    checked.assert("tls", "skipped", &[]);
    assert_eq!(checked.error, "");
}

#[actix_rt::test]
async fn the_query_of_the_url_may_have_behaviours_of_its_own() {
    let server = Process::start(&[]).await;
    let checked = report(&[&format!("ws://{}/a/b?reply=json&x=y", server.addr())]).await;
    checked.assert_only_broken(&[]);
    checked.assert("messages", "ok", &[]);
}

#[actix_rt::test]
async fn only_and_skip_choose_the_checks() {
    let server = Process::start(&[]).await;
    let url = format!("ws://{}/", server.addr());
    let checked = report(&[&url, "--only", "close,handshake,tls", "--skip=tls"]).await;
    assert!(checked.out.contains("handshake") && checked.out.contains("close"));
    assert!(
        !checked.out.contains("messages") && !checked.out.contains("\"tls\""),
        "{}",
        checked.out
    );
}

#[actix_rt::test]
async fn the_check_that_says_why_others_cannot_run_runs_though_it_was_not_chosen() {
    let server = Process::start(&["--allow-origin=https://example.org"]).await;
    let url = format!("ws://{}/", server.addr());
    let args = [&*url, "--origin=https://other.test"];
    let chosen = report(&[&args[..], &["--only=addresses,messages", "--skip=handshake"]].concat()).await;
    chosen.assert_only(&[("handshake", "broken")]);
    chosen.assert("messages", "skipped", &["there is no WebSocket connection"]);
    let enough = report(&[&args[..], &["--only=addresses"]].concat()).await;
    enough.assert_only(&[]);
    assert!(!enough.out.contains("handshake"), "{}", enough.out);
}

#[actix_rt::test]
async fn wrong_use_is_one_line_and_exit_code_2() {
    let free = "ws://127.0.0.1:1/";
    for (args, words) in [
        (&["check"][..], "missing URL"),
        (
            &["check", "nowhere"],
            "invalid value \"nowhere\" for URL: expected ws://",
        ),
        (&["check", "ws://u:p@a/"], "Authorization"),
        (&["check", "ws://a/#b"], "fragment"),
        (
            &["check", free, "--only", "nothing"],
            "invalid value \"nothing\" for --only: expected addresses, tls",
        ),
        (
            &["check", free, "--skip", "x"],
            "invalid value \"x\" for --skip: expected addresses",
        ),
        (
            &["check", free, "--only=tls", "--skip=tls"],
            "--skip leaves no check",
        ),
        (
            &["check", free, "--header", "x"],
            "--header: expected a field, such as",
        ),
        (
            &["check", free, "--timeout", "0s"],
            "--timeout: expected a duration",
        ),
        (
            &["check", free, "--format", "yaml"],
            "--format: expected text, json, junit or markdown",
        ),
        (
            &["check", free, "--connect-to", "x"],
            "--connect-to: expected ADDR:PORT",
        ),
        (&["check", free, "--direct", "x"], "for --direct"),
        (
            &["check", free, "--ca", "/nowhere.pem"],
            "--ca: cannot read /nowhere.pem",
        ),
        (&["check", free, "--header", "a b: c"], "expected a field name"),
        (&["check", free, "--nope"], "unexpected argument '--nope'"),
    ] {
        let (code, out, error) = run(args, &[]).await;
        assert_eq!(
            (code, out.as_str(), error.lines().count()),
            (2, "", 1),
            "{args:?}: {error}"
        );
        assert!(error.contains(words), "{args:?}: {error}");
    }
}

#[actix_rt::test]
async fn each_format_says_the_same() {
    let server = Server::start(&[]).await;
    let addr = server.addr();
    let url = format!("wss://localhost:{}/", addr.port());
    let connect_to = addr.to_string();
    let args = [&*url, "--connect-to", &*connect_to, "--only", "tls,handshake"];
    let text = check(&args).await;
    assert_eq!(text.code, 1);
    assert!(text.out.contains("broken   tls"), "{}", text.out);
    assert!(
        text.out
            .contains("handshake: not run: the certificate does not verify"),
        "{}",
        text.out
    );
    assert!(text.out.contains("\n1 broken in "), "{}", text.out);
    assert!(!text.out.contains('\x1b'), "colours in a file: {:?}", text.out);
    let markdown = check(&[&args[..], &["--format=markdown"]].concat()).await;
    assert!(markdown.out.contains("| broken | tls |"), "{}", markdown.out);
    assert!(markdown.out.contains("## tls: broken"), "{}", markdown.out);
    let junit = check(&[&args[..], &["--format=junit"]].concat()).await;
    assert!(
        junit
            .out
            .contains("tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"1\""),
        "{}",
        junit.out
    );
    assert!(
        junit.out.contains("<skipped message=\"not run: "),
        "{}",
        junit.out
    );
    let json = report(&args).await;
    json.assert("tls", "broken", &["no certificate authority that is trusted"]);
    json.assert("handshake", "skipped", &[]);
}

#[actix_rt::test]
async fn a_certificate_that_verifies_is_ok() {
    let server = Server::start(&[]).await;
    let url = format!("wss://localhost:{}/", server.addr().port());
    let connect_to = server.addr().to_string();
    let ca = server.ca().to_str().unwrap();
    let checked = report(&[&url, "--connect-to", &connect_to, "--ca", ca]).await;
    checked.assert_only_broken(&[]);
    checked.assert(
        "tls",
        "ok",
        &["TLS 1.3", "ALPN http/1.1", "localhost", "days left"],
    );
    // The same certificate for another name.
    let checked = report(&["wss://other.test/", "--connect-to", &connect_to, "--ca", ca]).await;
    checked.assert("tls", "broken", &["is not for other.test"]);
    checked.assert("close", "skipped", &["--insecure"]);
    let checked = report(&[
        "wss://other.test/",
        "--connect-to",
        &connect_to,
        "--ca",
        ca,
        "--insecure",
        "--only=tls,handshake,close",
    ])
    .await;
    checked.assert_only_broken(&["tls"]);
    checked.assert("close", "ok", &[]);
}

#[actix_rt::test]
async fn the_variables_of_the_server_do_not_matter() {
    let server = Process::start(&[]).await;
    let url = format!("ws://{}/", server.addr());
    let (code, _, error) = run(&["check", &url, "--only=handshake"], &[("WS_ECHO_WORKERS", "0")]).await;
    assert_eq!((code, &*error), (0, ""));
}

#[actix_rt::test]
async fn a_refusal_is_shown_and_its_cause_named() {
    let server = Process::start(&["--allow-origin=https://example.org"]).await;
    let url = format!("ws://{}/", server.addr());
    let checked = report(&[&url, "--origin=https://other.test"]).await;
    checked.assert("handshake", "broken", &["403", "this origin is not allowed"]);
    checked.assert("messages", "skipped", &["there is no WebSocket connection"]);
    let checked = report(&[&url, "--origin=https://example.org"]).await;
    checked.assert_only_broken(&[]);
    for (query, texts) in [
        ("handshake-status=302", &["302", "to "][..]),
        ("handshake-status=503", &["503"]),
        ("handshake-status=404", &["404"]),
        ("handshake=wrong-accept", &["Sec-WebSocket-Accept is"]),
        ("handshake=no-upgrade", &["no Upgrade"]),
        ("handshake=http10", &["HTTP/1.0"]),
    ] {
        let checked = report(&[&format!("{url}?{query}")]).await;
        checked.assert("handshake", "broken", texts);
    }
}
