//! The behaviours that change the response to the handshake: `set-header`, `auth` and `handshake`.

use futures_util::StreamExt as _;
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::support::{
    Echo, in_time,
    process::Process,
    raw::{self, FIN, Frame, Raw, TEXT, upgrade},
    watcher::Watcher,
};

/// The value of Sec-WebSocket-Accept for the key of the client of these tests.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

async fn head(echo: &Echo, path: &str, lines: &str) -> String {
    let mut peer = Raw::connect(echo.addr()).await;
    peer.send(upgrade(path, lines).as_bytes()).await;
    peer.head_bytes().await
}

/// The lines of a head with this name, in order.
fn values<'h>(head: &'h str, name: &str) -> Vec<&'h str> {
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    fields
        .filter(|(field, _)| *field == name)
        .map(|(_, value)| value)
        .collect()
}

#[actix_rt::test]
async fn set_header_sets_fields_of_the_101_and_of_the_refusal() {
    let echo = Echo::start();
    let fields = "set-header=Set-Cookie:id=1&set-header=set-cookie:%20b=2;%20Path=/&set-header=X-A:b%20c:d";
    for (status, more) in [
        ("101", ""),
        ("503", "&handshake-status=503"),
        ("401", "&auth=a:b"),
    ] {
        let head = head(&echo, &format!("/?{fields}{more}"), "").await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert_eq!(values(&head, "set-cookie"), ["id=1", "b=2; Path=/"], "{head}");
        assert_eq!(values(&head, "x-a"), ["b c:d"], "{head}");
    }
}

#[actix_rt::test]
async fn set_header_replaces_a_field_of_the_server() {
    let echo = Echo::start();
    let head = head(&echo, "/?handshake-status=503&set-header=Retry-After:120", "").await;
    assert_eq!(values(&head, "retry-after"), ["120"], "{head}");
}

#[actix_rt::test]
async fn no_value_of_set_header_splits_the_response_or_frames_it() {
    let echo = Echo::start();
    for field in [
        "X:1%0D%0AY:2",
        "X:1%0AY:2",
        "X:1%0DY:2",
        "X:%00",
        "X%0D%0AY:2",
        "X:%C3%A9",
        "X:%FF",
        "X:%7F",
        "Connection:close",
        "UPGRADE:x",
        "Sec-WebSocket-Accept:x",
        "Content-Length:5",
        "Transfer-Encoding:chunked",
        "Strict-Transport-Security:max-age=1",
        "Alt-Svc:x",
        "Clear-Site-Data:*",
        "Set-Cookie:a=b;%20domain=example.org",
    ] {
        let mut peer = Raw::connect(echo.addr()).await;
        peer.send(upgrade(&format!("/?set-header={field}"), "").as_bytes())
            .await;
        peer.refusal(400).await;
    }
}

#[actix_rt::test]
async fn set_header_has_at_most_16_fields_and_4096_bytes() {
    let echo = Echo::start();
    let field = format!("set-header=x:{}", "y".repeat(255));
    for (count, status) in [(16, 101), (17, 400)] {
        let path = format!("/?{}", vec![field.as_str(); count].join("&"));
        let mut peer = Raw::connect(echo.addr()).await;
        peer.send(upgrade(&path, "").as_bytes()).await;
        assert_eq!(peer.head().await.status, status, "{count}");
    }
    let path = format!(
        "/?{}&set-header=x:y",
        vec![field.as_str(); 15]
            .join("&")
            .replace("x:y", "x:yyyyyyyyyyyyyyyyyy")
    );
    let mut peer = Raw::connect(echo.addr()).await;
    peer.send(upgrade(&path, "").as_bytes()).await;
    peer.refusal(400).await;
}

#[actix_rt::test]
async fn auth_refuses_the_handshake_until_the_credentials_are_right() {
    let echo = Echo::start();
    let path = "/?reply=verbatim&auth=user:pass";
    for lines in [
        "",
        "Authorization: Basic dXNlcjpwYXNX\r\n",
        "Authorization: Bearer dXNlcjpwYXNz\r\n",
        "Authorization: Basic dXNlcjpwYXNz\r\nAuthorization: Basic dXNlcjpwYXNz\r\n",
    ] {
        let mut peer = Raw::connect(echo.addr()).await;
        peer.send(upgrade(path, lines).as_bytes()).await;
        let (head, _) = peer.refusal(401).await;
        assert_eq!(
            head.get("www-authenticate"),
            Some("Basic realm=\"ws-echo\""),
            "{lines}"
        );
    }
    let lines = "Authorization: Basic dXNlcjpwYXNz\r\n";
    let (_, mut peer) = Raw::open(echo.addr(), path, lines).await;
    peer.send(&raw::text("in")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "in"));
    let mut peer = Raw::connect(echo.addr()).await;
    peer.send(upgrade(&format!("{path}&handshake-status=418"), lines).as_bytes())
        .await;
    assert_eq!(peer.head().await.status, 418);
}

/// The lines of the response to `?handshake=`, sorted, without the connection's number and the date.
async fn broken_lines(server: &Process, kind: &str, lines: &str) -> (Vec<String>, Raw) {
    let mut peer = Raw::connect(server.addr()).await;
    peer.send(upgrade(&format!("/?reply=verbatim&handshake={kind}"), lines).as_bytes())
        .await;
    let head = peer.head_bytes().await;
    let kept = |line: &&str| !line.starts_with("x-connection-id: ") && !line.starts_with("date: ");
    let mut lines: Vec<_> = head
        .trim_end()
        .split("\r\n")
        .filter(kept)
        .map(str::to_owned)
        .collect();
    // A line that continues the one before it stays behind it.
    if let Some(at) = lines.iter().position(|line| line.starts_with(' ')) {
        let folded = lines.remove(at);
        lines[at - 1] += &format!("|{folded}");
    }
    lines.sort();
    (lines, peer)
}

#[actix_rt::test]
async fn each_kind_of_handshake_breaks_one_line_of_the_101_and_the_session_is_open() {
    let server = Process::start(&[]).await;
    let status = "HTTP/1.1 101 Switching Protocols".to_owned();
    let (accept, upgrade) = (
        format!("sec-websocket-accept: {ACCEPT}"),
        "upgrade: websocket".to_owned(),
    );
    let connection = "connection: Upgrade".to_owned();
    let (valid, _) = broken_lines(&server, "glued", "").await;
    let all = [&status, &connection, &accept, &upgrade].map(|line| line.to_lowercase());
    let sent: Vec<_> = valid.iter().map(|line| line.to_lowercase()).collect();
    assert_eq!(sent, all);
    let with = |line: &str| [valid.clone(), vec![line.to_owned()]].concat();
    let without = |line: &String| {
        valid
            .iter()
            .filter(|other| *other != line)
            .cloned()
            .collect::<Vec<_>>()
    };
    for (kind, lines, expected) in [
        ("no-accept", "", without(&accept)),
        ("no-upgrade", "", without(&upgrade)),
        (
            "http10",
            "",
            [vec![status.replace("1.1", "1.0")], without(&status)].concat(),
        ),
        (
            "folded",
            "",
            [without(&accept), vec![format!("sec-websocket-accept:| {ACCEPT}")]].concat(),
        ),
        (
            "two-subprotocols",
            "Sec-WebSocket-Protocol: a, b, c\r\n",
            [
                with("sec-websocket-protocol: a"),
                vec!["sec-websocket-protocol: b".to_owned()],
            ]
            .concat(),
        ),
        (
            "unasked-extension",
            "",
            with("sec-websocket-extensions: x-ws-echo-unasked"),
        ),
    ] {
        let (sent, mut peer) = broken_lines(&server, kind, lines).await;
        let mut expected = expected;
        expected.sort();
        assert_eq!(sent, expected, "{kind}");
        // A client that does not notice has an open connection.
        peer.send(&raw::text("unnoticed")).await;
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "unnoticed"), "{kind}");
    }
    let (sent, _) = broken_lines(&server, "wrong-accept", "").await;
    assert_eq!(sent.len(), valid.len());
    assert!(!sent.contains(&accept), "{sent:?}");
}

#[actix_rt::test]
async fn garbage_and_a_truncated_101_are_followed_by_the_end_of_the_connection() {
    let mut server = Process::start(&[]).await;
    for kind in ["garbage", "truncated"] {
        let mut peer = Raw::connect(server.addr()).await;
        let path = format!("/?handshake={kind}&hello=json&tick=10ms&close=1000");
        peer.send(upgrade(&path, "").as_bytes()).await;
        let mut sent = String::new();
        in_time("the end", peer.stream.read_to_string(&mut sent))
            .await
            .unwrap();
        if kind == "garbage" {
            assert_eq!(sent, "ws-echo: no HTTP by request\r\n\r\n");
        } else {
            assert!(
                sent.starts_with("HTTP/1.1 101 ") && !sent.contains("\r\n\r\n"),
                "{sent}"
            );
        }
        server.logged("reason=\"ended by behaviour handshake\"").await;
    }
}

#[actix_rt::test]
async fn a_glued_101_is_in_one_write_with_the_first_frame() {
    let server = Process::start(&[]).await;
    for (query, payload) in [("hello=text:first", Some("first")), ("reply=verbatim", None)] {
        let mut peer = Raw::connect(server.addr()).await;
        peer.send(upgrade(&format!("/?handshake=glued&{query}"), "").as_bytes())
            .await;
        // What one write has sent over loopback comes in one read.
        let mut read = vec![0; 65_536];
        let len = in_time("the 101", peer.stream.read(&mut read)).await.unwrap();
        let text = String::from_utf8(read[..len].to_vec())
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let frame = &read[head.len() + 4..len];
        assert!(frame.len() > 2, "no frame after {head}");
        assert_eq!((frame[0], usize::from(frame[1])), (FIN | TEXT, frame.len() - 2));
        if let Some(payload) = payload {
            assert_eq!(&frame[2..], payload.as_bytes());
        }
        peer.send(&raw::close(4000, "bye")).await;
        assert_eq!(peer.closed().await, (4000, "bye".to_owned()));
    }
}

#[actix_rt::test]
async fn a_watcher_sees_the_broken_101() {
    let server = Process::start(&[]).await;
    let mut watcher = Watcher::open(server.addr(), "0123456789abcdef").await;
    let mut peer = Raw::connect(server.addr()).await;
    peer.send(upgrade("/?watch=0123456789abcdef&handshake=http10", "").as_bytes())
        .await;
    peer.head_bytes().await;
    let event = watcher.handshake().await;
    assert_eq!(event["response"]["line"], "HTTP/1.0 101 Switching Protocols");
    assert_eq!(event["response"]["verbatim"], true);
}

#[actix_rt::test]
async fn a_handshake_behind_another_request_is_not_broken() {
    let server = Process::start(&[]).await;
    let mut peer = Raw::connect(server.addr()).await;
    let both = raw::get("/healthz") + &upgrade("/?reply=verbatim&handshake=http10", "");
    peer.send(both.as_bytes()).await;
    let (head, body) = peer.response().await;
    assert_eq!((head.status, body.as_str()), (200, "ok\n"));
    assert_eq!(peer.head().await.status, 101);
    peer.send(&raw::text("x")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "x"));
}

/// Prints what tungstenite does, for docs/handshakes.md.
#[actix_rt::test]
async fn tungstenite_notices_a_wrong_accept_and_keeps_a_glued_frame() {
    let server = Process::start(&[]).await;
    for kind in [
        "wrong-accept",
        "no-accept",
        "no-upgrade",
        "http10",
        "garbage",
        "truncated",
        "folded",
        "two-subprotocols",
        "unasked-extension",
        "glued",
    ] {
        let url = format!("ws://{}/?hello=text:x&handshake={kind}", server.addr());
        let mut request = url.into_client_request().unwrap();
        if kind == "two-subprotocols" {
            let offer = "a, b".parse().unwrap();
            request.headers_mut().insert("Sec-WebSocket-Protocol", offer);
        }
        let stream = TcpStream::connect(server.addr()).await.unwrap();
        let opened = in_time("the handshake", tokio_tungstenite::client_async(request, stream)).await;
        println!("{kind}: {}", if opened.is_ok() { "opens" } else { "fails" });
        match (kind, opened) {
            ("wrong-accept" | "no-accept", Ok(_)) => panic!("{kind} opens"),
            ("glued", opened) => {
                let (mut socket, _) = opened.unwrap();
                let first = in_time("the first frame", socket.next()).await;
                assert_eq!(first.unwrap().unwrap().into_text().unwrap().as_str(), "x");
            }
            _ => {}
        }
    }
}
