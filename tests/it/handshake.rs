//! What opens a session (RFC 6455 section 4), and what the answer says.

use futures_util::future::join_all;
use ws_echo::config::Cap;

use crate::support::{
    Echo,
    process::Process,
    raw::{self, FIN, Frame, Raw, TEXT, upgrade},
    until,
};

/// The subprotocol that the server answers to these `Sec-WebSocket-Protocol` lines.
async fn chosen(lines: &[&str]) -> Option<String> {
    let echo = Echo::start();
    let lines: String = lines
        .iter()
        .map(|line| format!("Sec-WebSocket-Protocol: {line}\r\n"))
        .collect();
    let (head, _peer) = Raw::open(echo.addr(), "/", &lines).await;
    head.get("sec-websocket-protocol").map(ToOwned::to_owned)
}

#[actix_rt::test]
async fn the_answer_has_the_accept_of_rfc_6455_section_1_3_and_nothing_that_was_not_asked_for() {
    let echo = Echo::start();
    let (head, _peer) = Raw::open(echo.addr(), "/", "").await;
    assert_eq!(
        head.get("sec-websocket-accept"),
        Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    );
    assert!(head.get("upgrade").unwrap().eq_ignore_ascii_case("websocket"));
    assert!(head.get("connection").unwrap().eq_ignore_ascii_case("upgrade"));
    assert_eq!(head.get("sec-websocket-protocol"), None);
    assert_eq!(head.get("sec-websocket-extensions"), None);
}

#[actix_rt::test]
async fn any_path_opens_a_session() {
    let echo = Echo::start();
    for path in [
        "/",
        "/index.html",
        "/healthz",
        "/readyz",
        "/a/b/c",
        "/%00",
        "/..%2f..",
        "//",
        "/客户端",
        "/?a=b",
    ] {
        let path = percent_encoded(path);
        let mut peer = Raw::open(echo.addr(), &path, "").await.1;
        peer.send(&raw::text("x")).await;
        assert_eq!(peer.frame().await.first, FIN | TEXT, "{path}");
    }
}

/// What is not ASCII goes percent-encoded.
fn percent_encoded(path: &str) -> String {
    path.bytes()
        .map(|byte| {
            if byte.is_ascii() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[actix_rt::test]
async fn the_words_of_the_upgrade_know_no_case_and_connection_may_be_a_list() {
    let echo = Echo::start();
    for (connection, upgrade) in [
        ("upgrade", "WebSocket"),
        ("keep-alive, Upgrade", "WEBSOCKET"),
        ("UPGRADE,keep-alive", "websocket"),
        ("keep-alive\r\nConnection: x, Upgrade", "websocket"),
    ] {
        let mut peer = Raw::connect(echo.addr()).await;
        let request = format!(
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: {connection}\r\nUpgrade: {upgrade}\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        peer.send(request.as_bytes()).await;
        assert_eq!(peer.head().await.status, 101, "{connection} {upgrade}");
        peer.send(&raw::text("x")).await;
        assert_eq!(peer.frame().await.first, FIN | TEXT, "{connection} {upgrade}");
    }
}

#[actix_rt::test]
async fn frames_that_come_with_the_handshake_are_answered() {
    let echo = Echo::start();
    let mut peer = Raw::connect(echo.addr()).await;
    let mut bytes = upgrade("/?reply=verbatim", "").into_bytes();
    bytes.extend(raw::text("early"));
    peer.send(&bytes).await;
    assert_eq!(peer.head().await.status, 101);
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "early"));
}

#[actix_rt::test]
async fn a_handshake_that_comes_in_pieces_opens_a_session() {
    let echo = Echo::start();
    let mut peer = Raw::connect(echo.addr()).await;
    for piece in upgrade("/", "").as_bytes().chunks(7) {
        peer.send(piece).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(peer.head().await.status, 101);
}

#[actix_rt::test]
async fn a_client_offering_two_subprotocols_gets_kaazing() {
    assert_eq!(
        chosen(&["chat, com.kaazing.echo"]).await.as_deref(),
        Some("com.kaazing.echo")
    );
    assert_eq!(
        chosen(&["com.kaazing.echo,chat"]).await.as_deref(),
        Some("com.kaazing.echo")
    );
}

#[actix_rt::test]
async fn kaazing_is_found_on_any_of_several_lines() {
    let lines = ["chat", "superchat , v2", "com.kaazing.echo"];
    assert_eq!(chosen(&lines).await.as_deref(), Some("com.kaazing.echo"));
}

#[actix_rt::test]
async fn without_kaazing_the_first_subprotocol_offered_is_taken() {
    assert_eq!(chosen(&["chat,superchat"]).await.as_deref(), Some("chat"));
    assert_eq!(chosen(&["b", "a"]).await.as_deref(), Some("b"));
    // Names know case (RFC 6455 section 11.5).
    assert_eq!(chosen(&["x, COM.KAAZING.ECHO"]).await.as_deref(), Some("x"));
}

#[actix_rt::test]
async fn tungstenite_and_awc_agree_to_the_subprotocol() {
    let echo = Echo::start();
    let offer = [("Sec-WebSocket-Protocol", "other, com.kaazing.echo")];
    let (mut client, response) = echo.client_with("/?reply=verbatim", &offer).await;
    assert_eq!(response.headers()["sec-websocket-protocol"], "com.kaazing.echo");
    assert_eq!(client.ask("x").await.to_text().unwrap(), "x");
    let client = awc::Client::new();
    let (response, _connection) = client
        .ws(echo.url("/"))
        .protocols(["other", "com.kaazing.echo"])
        .connect()
        .await
        .unwrap();
    assert_eq!(
        response.headers().get("sec-websocket-protocol").unwrap(),
        "com.kaazing.echo"
    );
}

#[actix_rt::test]
async fn origins_on_the_list_are_let_in_and_so_is_who_names_none() {
    let echo = Echo::with(|config| {
        config.allow_origin = vec![
            "https://example.org".parse().unwrap(),
            "http://localhost:3000".parse().unwrap(),
        ];
    });
    for origin in [
        "https://example.org",
        "HTTPS://Example.org",
        "http://localhost:3000",
    ] {
        Raw::open(echo.addr(), "/", &format!("Origin: {origin}\r\n")).await;
    }
    Raw::open(echo.addr(), "/", "").await;
}

#[actix_rt::test]
async fn without_a_list_any_origin_is_let_in() {
    let echo = Echo::start();
    Raw::open(echo.addr(), "/", "Origin: https://anywhere.example\r\n").await;
}

#[actix_rt::test]
async fn the_count_goes_back_when_a_peer_closes_vanishes_or_resets() {
    let echo = Echo::start();
    for leave in 0..4 {
        let mut peers = join_all((0..5).map(|_| echo.raw("/"))).await;
        assert_eq!(echo.open(), 5);
        for mut peer in peers.drain(..) {
            match leave {
                0 => {
                    peer.send(&raw::close(1000, "")).await;
                    assert_eq!(peer.frame().await.closing(), (1000, ""));
                }
                1 => drop(peer),
                2 => peer.reset(),
                _ => {
                    // In the middle of a message.
                    peer.send(&raw::header(FIN | TEXT, 1000)).await;
                    peer.reset();
                }
            }
        }
        until("the sessions to end", || echo.open() == 0).await;
    }
}

#[actix_rt::test]
async fn a_place_that_becomes_free_is_given_again() {
    let echo = Echo::with(|config| config.max_connections = Cap::of(1));
    for _ in 0..3 {
        let peer = echo.raw("/").await;
        drop(peer);
        until("the session to end", || echo.open() == 0).await;
    }
}

/// The connection changes hands after the 101: what had come by then, in whatever buffer, is not lost on the way.
#[actix_rt::test]
async fn what_comes_right_behind_the_handshake_is_answered_in_its_order() {
    let server = Process::start(&[]).await;
    for path in ["/?reply=verbatim", "/?reply=verbatim&handshake-delay=200ms"] {
        let mut peer = Raw::connect(server.addr()).await;
        let messages: Vec<_> = (0..200).map(|number| format!("{number:01000}")).collect();
        let mut bytes = upgrade(path, "").into_bytes();
        bytes.extend(messages.iter().flat_map(|message| raw::text(message)));
        peer.send(&bytes).await;
        assert_eq!(peer.head().await.status, 101, "{path}");
        for message in &messages {
            assert_eq!(
                peer.frame().await,
                Frame::new(FIN | TEXT, message.as_str()),
                "{path}"
            );
        }
    }
}
