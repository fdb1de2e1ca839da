//! The behaviours that change the response to the handshake: `set-header`, `auth` and `handshake`.

use crate::support::{
    Echo,
    raw::{self, FIN, Frame, Raw, TEXT, upgrade},
};

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
