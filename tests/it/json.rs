//! `?reply=json`: the reply that describes the message and the connection. docs/reply.schema.json has its schema.

use serde_json::{Value, json};

use crate::support::{
    Echo, now_ms,
    process::Process,
    raw::{self, CONTINUATION, FIN, Raw, TEXT, frame, upgrade},
};

/// Validates a reply against docs/reply.schema.json.
pub(crate) fn validate(reply: &Value) {
    let schema = serde_json::from_str(include_str!("../../docs/reply.schema.json")).unwrap();
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("reply.schema.json", schema).unwrap();
    let index = compiler.compile("reply.schema.json", &mut schemas).unwrap();
    if let Err(error) = schemas.validate(reply, index) {
        panic!("{error}\n{reply:#}");
    }
}

async fn reply(peer: &mut Raw) -> Value {
    let frame = peer.frame().await;
    assert_eq!(frame.first, FIN | TEXT);
    let reply = serde_json::from_slice(&frame.payload).unwrap();
    validate(&reply);
    reply
}

#[actix_rt::test]
async fn a_reply_contains_the_message_and_its_framing() {
    let echo = Echo::start();
    let before = now_ms();
    let mut peer = echo.raw("/?reply=json").await;
    peer.send(&raw::text("a \"quoted\" 信息\n\u{0}")).await;
    let text = reply(&mut peer).await;
    assert_eq!(text["data"], "a \"quoted\" 信息\n\u{0}");
    assert_eq!((&text["type"], &text["bytes"]), (&json!("text"), &json!(19)));
    assert_eq!(
        (&text["frames"], &text["compressed"], &text["seq"]),
        (&json!(1), &json!(false), &json!(1))
    );
    let (received, replied) = (
        text["receivedAt"].as_u64().unwrap(),
        text["repliedAt"].as_u64().unwrap(),
    );
    assert!(before <= received && received <= replied && replied <= now_ms());
    peer.send(
        &[
            frame(raw::BINARY, b"\0"),
            frame(CONTINUATION, b""),
            frame(FIN | CONTINUATION, b"\xFF"),
        ]
        .concat(),
    )
    .await;
    let binary = reply(&mut peer).await;
    assert_eq!(
        (&binary["data"], &binary["type"]),
        (&json!("AP8="), &json!("binary"))
    );
    assert_eq!(
        (&binary["frames"], &binary["seq"], &binary["bytes"]),
        (&json!(3), &json!(2), &json!(2))
    );
}

#[actix_rt::test]
async fn the_reply_to_a_compressed_message_is_compressed() {
    let echo = Echo::start();
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-other\r\n";
    let (_, mut peer) = Raw::open(echo.addr(), "/?reply=json&fragment=16777216", offer).await;
    // RFC 7692 section 7.2.3.1, the compressed "Hello".
    peer.send(&frame(
        FIN | raw::RSV1 | TEXT,
        &[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00],
    ))
    .await;
    assert_eq!(
        peer.frame().await.first,
        FIN | raw::RSV1 | TEXT,
        "the reply is compressed too"
    );
}

#[actix_rt::test]
async fn a_reply_contains_the_request_as_the_client_sent_it() {
    let server = Process::start(&[]).await;
    let mut peer = Raw::connect(server.addr()).await;
    let lines = "x-ODD-case: 1\r\nAccept: a\r\nx-odd-CASE: 2\r\nSec-WebSocket-Protocol: one, com.kaazing.echo\r\n\
                 Sec-WebSocket-Extensions: x-unknown\r\n";
    peer.send(upgrade("/some/path?reply=json&other=%41", lines).as_bytes())
        .await;
    assert_eq!(peer.head().await.status, 101);
    peer.send(&raw::text("x")).await;
    let connection = reply(&mut peer).await["connection"].take();
    let local = peer.stream.local_addr().unwrap().to_string();
    assert_eq!(connection["peer"], local);
    assert_eq!(connection["httpVersion"], "1.1");
    assert_eq!(connection["path"], "/some/path");
    assert_eq!(connection["query"], "reply=json&other=%41");
    assert_eq!(
        connection["subprotocol"],
        json!({"offered": ["one", "com.kaazing.echo"], "chosen": "com.kaazing.echo"})
    );
    assert_eq!(
        connection["extensions"],
        json!({"offered": ["x-unknown"], "chosen": null})
    );
    let headers = connection["headers"].as_array().unwrap();
    let expected = [
        ["Host", "localhost"],
        ["Connection", "Upgrade"],
        ["Upgrade", "websocket"],
        ["Sec-WebSocket-Version", "13"],
        ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
        ["x-ODD-case", "1"],
        ["Accept", "a"],
        ["x-odd-CASE", "2"],
        ["Sec-WebSocket-Protocol", "one, com.kaazing.echo"],
        ["Sec-WebSocket-Extensions", "x-unknown"],
    ];
    assert_eq!(headers, expected.map(|header| json!(header)).as_slice());
}

/// Credentials that a reply to a page of another origin must hide: field, value, and the text in its place. The text has the
/// number of bytes, not of characters.
pub(crate) const SECRETS: [(&str, &str, &str); 4] = [
    ("Cookie", "session=s3cret", "(hidden, 14 bytes)"),
    ("cookie", "other=\u{e9}", "(hidden, 8 bytes)"),
    ("Authorization", "Basic dTpw", "(hidden, 10 bytes)"),
    ("Proxy-Authorization", "Bearer s3cret", "(hidden, 13 bytes)"),
];

/// Returns whether a reply hides the secrets of its request. Fails if it hides only some of them.
pub(crate) fn hides_secrets(reply: &Value) -> bool {
    let headers = reply["connection"]["headers"].as_array().unwrap();
    let contains = |name: &str, value: &str| {
        headers
            .iter()
            .any(|line| line[0].as_str().unwrap().eq_ignore_ascii_case(name) && line[1] == value)
    };
    let hidden = SECRETS
        .iter()
        .filter(|(name, _, hidden)| contains(name, hidden))
        .count();
    let visible = SECRETS
        .iter()
        .filter(|(name, value, _)| contains(name, value))
        .count();
    match (hidden, visible) {
        (4, 0) => true,
        (0, 4) => false,
        _ => panic!("{headers:#?}"),
    }
}

/// Sends a request with this Host and additional header fields. Returns whether the reply hides its secrets.
async fn hides_secrets_from(server: &Process, host: &str, lines: &str) -> bool {
    let secrets: String = SECRETS
        .iter()
        .map(|(name, value, _)| format!("{name}: {value}\r\n"))
        .collect();
    let request = upgrade("/?reply=json", &format!("{secrets}{lines}"));
    let request = request.replacen("Host: localhost", &format!("Host: {host}"), 1);
    let (_, mut peer) = Raw::open_with_bytes(server.addr(), request.as_bytes()).await;
    peer.send(&raw::text("x")).await;
    hides_secrets(&reply(&mut peer).await)
}

#[actix_rt::test]
async fn a_reply_to_another_origin_hides_cookies_and_credentials() {
    let server = Process::start(&[]).await;
    let mut wrong = Vec::new();
    for (host, lines, hidden) in [
        ("localhost", "", false),
        ("localhost", "Origin: http://localhost\r\n", false),
        ("localhost:3000", "Origin: http://localhost:3000\r\n", false),
        ("[::1]:3000", "Origin: http://[::1]:3000\r\n", false),
        ("localhost", "Origin: http://evil.example\r\n", true),
        ("localhost", "Origin: https://localhost\r\n", true),
        ("localhost", "Origin: http://localhost:3000\r\n", true),
        ("localhost:3000", "Origin: http://localhost:3001\r\n", true),
        ("localhost", "Origin: http://localhost.evil.example\r\n", true),
        ("localhost", "Origin: null\r\n", true),
        ("localhost", "Origin: \r\n", true),
        ("localhost", "Origin: \u{e9}\r\n", true),
        // No trusted proxy has sent these fields.
        (
            "localhost",
            "Origin: https://localhost\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n",
            true,
        ),
    ] {
        if hides_secrets_from(&server, host, lines).await != hidden {
            wrong.push((host, lines));
        }
    }
    assert!(wrong.is_empty(), "not as it should be: {wrong:#?}");
}

#[actix_rt::test]
async fn behind_a_trusted_proxy_the_origin_of_the_server_has_the_forwarded_scheme() {
    let server = Process::start(&["--trusted-proxy=127.0.0.0/8"]).await;
    let mut wrong = Vec::new();
    for (forwarded, https) in [
        ("", false),
        (
            "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: http\r\n",
            false,
        ),
        (
            "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n",
            true,
        ),
        ("X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: wss\r\n", true),
        ("Forwarded: for=203.0.113.7;proto=https\r\n", true),
        ("Forwarded: for=203.0.113.7;proto=wss\r\n", true),
        ("Forwarded: for=203.0.113.7;proto=ws\r\n", false),
    ] {
        for (origin, own) in [("http://localhost", !https), ("https://localhost", https)] {
            let lines = format!("Origin: {origin}\r\n{forwarded}");
            if hides_secrets_from(&server, "localhost", &lines).await == own {
                wrong.push(lines);
            }
        }
    }
    assert!(wrong.is_empty(), "not as it should be: {wrong:#?}");
}
