//! Refused handshakes: the status, the header fields, and the JSON with an error and a hint.

use serde_json::Value;
use ws_echo::config::Cap;

use crate::support::{
    Echo,
    raw::{Head, Raw, upgrade},
};

/// Sends a request. Returns the refusal and its error. Fails unless the body is JSON with an error and a hint.
async fn refused(echo: &Echo, request: &str) -> (Head, String) {
    let mut peer = Raw::connect(echo.addr()).await;
    peer.send(request.as_bytes()).await;
    let (head, body) = peer.response().await;
    assert_eq!(
        head.get("content-type"),
        Some("application/json"),
        "{head:?} {body}"
    );
    let json: Value = serde_json::from_str(&body).unwrap();
    let (error, hint) = (json["error"].as_str().unwrap(), json["hint"].as_str().unwrap());
    assert!(!error.is_empty() && !hint.is_empty(), "{body}");
    assert_eq!(json.as_object().unwrap().len(), 2, "{body}");
    (head, error.to_owned())
}

/// Asserts that the handshake with `to` in place of `from` is refused with this status and error.
async fn assert_refused(from: &str, to: &str, status: u16, error: &str) -> Head {
    let echo = Echo::start();
    let request = upgrade("/", "");
    assert!(request.contains(from));
    let (head, found) = refused(&echo, &request.replacen(from, to, 1)).await;
    assert_eq!((head.status, found.as_str()), (status, error), "{to:?}");
    assert_eq!(echo.open_sessions(), 0);
    head
}

const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";

#[actix_rt::test]
async fn another_version_than_13_gets_426_with_the_supported_version() {
    for version in [
        "",
        "Sec-WebSocket-Version: 8\r\n",
        "Sec-WebSocket-Version: 130\r\n",
        "Sec-WebSocket-Version: x\r\n",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\n",
    ] {
        let head = assert_refused(VERSION, version, 426, "Sec-WebSocket-Version is not 13").await;
        assert_eq!(head.get("sec-websocket-version"), Some("13"));
    }
}

#[actix_rt::test]
async fn a_key_that_is_not_16_bytes_in_base64_gets_400() {
    for key in [
        "",
        "Sec-WebSocket-Key: \r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n",
        "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==\r\n",
    ] {
        assert_refused(KEY, key, 400, "Sec-WebSocket-Key is not 16 bytes in base64").await;
    }
}

#[actix_rt::test]
async fn several_keys_get_400() {
    assert_refused(KEY, &KEY.repeat(2), 400, "more than one Sec-WebSocket-Key").await;
}

#[actix_rt::test]
async fn another_method_than_get_gets_405() {
    for method in ["POST", "PUT"] {
        let head = assert_refused("GET", method, 405, "the method is not GET").await;
        assert_eq!(head.get("allow"), Some("GET"));
    }
}

#[actix_rt::test]
async fn a_handshake_without_its_upgrade_headers_gets_400() {
    let no_upgrade = "no Upgrade: websocket header";
    assert_refused("Upgrade: websocket\r\n", "", 400, no_upgrade).await;
    assert_refused(
        "Upgrade: websocket\r\n",
        "Upgrade: websockets\r\n",
        400,
        no_upgrade,
    )
    .await;
    let no_connection = "no Connection: Upgrade header";
    assert_refused("Connection: Upgrade\r\n", "", 400, no_connection).await;
    assert_refused(
        "Connection: Upgrade\r\n",
        "Connection: keep-alive\r\n",
        400,
        no_connection,
    )
    .await;
}

#[actix_rt::test]
async fn another_protocol_in_upgrade_or_close_in_connection_gets_400() {
    let error = "the Upgrade header lists more than websocket";
    for upgrade in [
        "Upgrade: h2c, websocket\r\n",
        "Upgrade: h2c\r\nUpgrade: websocket\r\n",
    ] {
        assert_refused("Upgrade: websocket\r\n", upgrade, 400, error).await;
    }
    let error = "the Connection header has close beside Upgrade";
    for connection in [
        "Connection: close, Upgrade\r\n",
        "Connection: Upgrade\r\nConnection: close\r\n",
    ] {
        assert_refused("Connection: Upgrade\r\n", connection, 400, error).await;
    }
}

#[actix_rt::test]
async fn http_1_0_gets_400() {
    assert_refused("HTTP/1.1", "HTTP/1.0", 400, "the HTTP version is not 1.1").await;
}

#[actix_rt::test]
async fn a_handshake_with_a_body_gets_400() {
    let error = "the handshake has a body";
    assert_refused("Host", "Content-Length: 5\r\nHost", 400, error).await;
    assert_refused("Host", "Transfer-Encoding: chunked\r\nHost", 400, error).await;
}

#[actix_rt::test]
async fn subprotocols_that_are_not_a_list_of_unique_tokens_get_400() {
    for offer in ["", "a,,b", "a b", "a, a", "a\r\nSec-WebSocket-Protocol: a", "é"] {
        let lines = format!("Host: h\r\nSec-WebSocket-Protocol: {offer}\r\n");
        assert_refused(
            "Host: localhost\r\n",
            &lines,
            400,
            "Sec-WebSocket-Protocol is not a list of unique tokens",
        )
        .await;
    }
}

#[actix_rt::test]
async fn an_invalid_value_in_the_query_gets_400_and_is_named() {
    for (target, error) in [
        (
            "/?reply=loud",
            "invalid value \"loud\" for reply: expected stamped, verbatim, json or none",
        ),
        (
            "/?reply=",
            "invalid value \"\" for reply: expected stamped, verbatim, json or none",
        ),
        (
            "/any/path?x=y&compress=on",
            "invalid value \"on\" for compress: expected off",
        ),
    ] {
        assert_refused("/ ", &format!("{target} "), 400, error).await;
    }
}

#[actix_rt::test]
async fn an_origin_that_is_not_on_the_list_gets_403() {
    let echo = Echo::with(|config| config.allow_origin = vec!["https://example.org".parse().unwrap()]);
    for origin in [
        "https://example.com",
        "http://example.org",
        "https://example.org:8443",
        "null",
        "é",
    ] {
        let (head, error) = refused(&echo, &upgrade("/", &format!("Origin: {origin}\r\n"))).await;
        assert_eq!(
            (head.status, error.as_str()),
            (403, "this origin is not allowed"),
            "{origin}"
        );
    }
}

#[actix_rt::test]
async fn a_connection_past_the_limit_gets_503_with_retry_after() {
    let echo = Echo::with(|config| config.max_connections = Cap::of(2));
    let _open = (echo.raw("/").await, echo.raw("/").await);
    let (head, error) = refused(&echo, &upgrade("/", "")).await;
    assert_eq!(head.status, 503);
    assert_eq!(error, "the server has reached its connection limit of 2");
    assert!(head.get("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    assert_eq!(echo.open_sessions(), 2);
}

#[actix_rt::test]
async fn a_connection_past_the_limit_per_address_gets_503_and_another_address_is_accepted() {
    let echo = Echo::with(|config| config.max_connections_per_ip = Cap::of(1));
    let _open = echo.raw("/").await;
    let (head, error) = refused(&echo, &upgrade("/", "")).await;
    assert_eq!(head.status, 503);
    assert_eq!(error, "the client address has reached its connection limit of 1");
    assert!(head.get("retry-after").is_some());
    // All of 127/8 is this machine.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = Raw::new(socket.connect(echo.addr()).await.unwrap());
    other.send(upgrade("/", "").as_bytes()).await;
    assert_eq!(other.head().await.status, 101);
}

#[actix_rt::test]
async fn a_refused_connection_is_closed_with_connection_close() {
    let echo = Echo::start();
    let mut peer = Raw::connect(echo.addr()).await;
    peer.send(upgrade("/?reply=loud", "").as_bytes()).await;
    let (head, _) = peer.response().await;
    assert_eq!((head.status, head.get("connection")), (400, Some("close")));
    peer.end().await;
}

#[actix_rt::test]
async fn bytes_that_are_not_http_get_400() {
    let echo = Echo::start();
    let mut peer = Raw::connect(echo.addr()).await;
    peer.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03\r\n\r\n")
        .await;
    assert_eq!(peer.head().await.status, 400);
    peer.end_of_stream().await;
}
