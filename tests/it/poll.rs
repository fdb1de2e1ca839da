//! `/poll`: the stamped reply over HTTP, and the field `X-Head-Bytes`.

use crate::support::{
    Echo, PREFIX, now_ms,
    process::Process,
    raw::{self, Body, Raw},
};

/// Returns the message and the timestamp of a stamped reply.
fn parse(reply: &str) -> (&str, u64) {
    let (message, ms) = reply.strip_prefix(PREFIX).unwrap().rsplit_once(',').unwrap();
    (message, ms.parse().unwrap())
}

fn post(message: &str) -> String {
    format!(
        "POST /poll HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{message}",
        message.len()
    )
}

#[actix_rt::test]
async fn a_posted_message_gets_a_stamped_reply() {
    let echo = Echo::start();
    let mut peer = Raw::connect(echo.addr()).await;
    for message in ["hello", "", "信息 🦀,1"] {
        let before = now_ms();
        peer.send(post(message).as_bytes()).await;
        let (head, body) = peer.response().await;
        assert_eq!(head.status, 200);
        assert_eq!(head.get("content-type"), Some("text/plain; charset=utf-8"));
        let (echoed, ms) = parse(&body);
        assert_eq!(echoed, message);
        assert!((before..=now_ms()).contains(&ms), "{ms}");
    }
}

#[actix_rt::test]
async fn a_message_in_the_query_gets_a_stamped_reply() {
    let echo = Echo::with(|config| config.prefix = "said: ".to_owned());
    let mut peer = Raw::connect(echo.addr()).await;
    for (query, message) in [("?message=a%20b%26c", "a b&c"), ("?other=1", ""), ("", "")] {
        peer.send(format!("GET /poll{query} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
            .await;
        let (head, body) = peer.response().await;
        assert_eq!(head.status, 200);
        let (echoed, _) = body.strip_prefix("said: ").unwrap().rsplit_once(',').unwrap();
        assert_eq!(echoed, message);
    }
}

#[actix_rt::test]
async fn x_head_bytes_has_the_lengths_of_both_heads_on_the_connection() {
    // The server counts the bytes of its own connections, which actix's test server does not use.
    let server = Process::start(&[]).await;
    for request in [
        post("hello"),
        post(&"x".repeat(100_000)),
        "GET /poll?message=%E4%BF%A1 HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nAccept: again\r\n\r\n"
            .to_owned(),
        "GET /poll HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned(),
        format!(
            "GET /poll HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n",
            "y".repeat(2000)
        ),
    ] {
        let mut peer = Raw::connect(server.addr()).await;
        // Each request of the connection is counted alone.
        for _ in 0..2 {
            assert_eq!(peer.get("/healthz").await.0.status, 200);
        }
        peer.send(request.as_bytes()).await;
        let head = peer.head_bytes().await;
        let request_len = request.find("\r\n\r\n").unwrap() + 4;
        let field = format!("x-head-bytes: request={request_len}, response={}\r\n", head.len());
        assert!(head.contains(&field), "{field} in {head}");
    }
}

#[actix_rt::test]
async fn a_body_has_the_size_limit_of_a_message() {
    let echo = Echo::with(|config| config.max_message_size = "1KiB".parse().unwrap());
    for (size, status) in [(1024, 200), (1025, 413)] {
        let mut peer = Raw::connect(echo.addr()).await;
        peer.send(post(&"x".repeat(size)).as_bytes()).await;
        assert_eq!(peer.head().await.status, status, "{size} bytes");
    }
}

const CHUNKED: &str = "POST /poll HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";

fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

/// The body may have a Content-Length or be chunked, and a read may end within a character.
#[actix_rt::test]
async fn the_response_starts_before_the_posted_message_is_complete() {
    let server = Process::start(&["--prefix=said: "]).await;
    for (first, second, at_least) in [
        ("hello, ".as_bytes(), "world".as_bytes(), 7),
        ("信息".as_bytes(), " 🦀,1".as_bytes(), 6),
        (&"信息".as_bytes()[..5], &"信息".as_bytes()[5..], 3),
        (&[b'x'; 100_000], &[b'y'; 100_000], 100_000),
    ] {
        for chunked in [false, true] {
            let (first_half, second_half) = if chunked {
                (
                    [CHUNKED.as_bytes(), &chunk(first)].concat(),
                    [&chunk(second)[..], b"0\r\n\r\n"].concat(),
                )
            } else {
                let head = raw::post("/poll", first.len() + second.len());
                ([head.as_bytes(), first].concat(), second.to_vec())
            };
            let before = now_ms();
            let mut peer = Raw::connect(server.addr()).await;
            peer.send(&first_half).await;
            let head = peer.head().await;
            assert_eq!(head.status, 200);
            assert_eq!(head.get("content-type"), Some("text/plain; charset=utf-8"));
            let mut body = Body::of(&head);
            let mut reply = body.take(&mut peer, "said: ".len() + at_least).await;
            assert!(
                reply == [b"said: ", &first[..at_least]].concat(),
                "the first half"
            );
            let between = now_ms();
            peer.send(&second_half).await;
            reply.extend(body.read_to_end(&mut peer).await);
            let reply = String::from_utf8(reply).unwrap();
            let (message, ms) = reply.strip_prefix("said: ").unwrap().rsplit_once(',').unwrap();
            assert!(
                message.as_bytes() == [first, second].concat(),
                "the complete message"
            );
            let ms: u64 = ms.parse().unwrap();
            // The timestamp is the time at the second_half of the message.
            assert!(before <= between && (between..=now_ms()).contains(&ms), "{ms}");
            // actix-http closes a connection if its response starts before the second_half of the request.
            assert_eq!(head.get("connection"), Some("close"));
        }
    }
}

#[actix_rt::test]
async fn a_content_length_past_the_limit_gets_413_before_the_body_is_sent() {
    let server = Process::start(&["--max-message-size=1KiB"]).await;
    let mut peer = Raw::connect(server.addr()).await;
    peer.send(raw::post("/poll", 1025).as_bytes()).await;
    let (_, hint) = peer.refusal(413).await;
    assert!(hint.contains("--max-message-size"), "{hint}");
}

#[actix_rt::test]
async fn a_chunked_body_past_the_limit_gets_413_or_ends_the_started_response() {
    let server = Process::start(&["--max-message-size=1KiB", "--prefix=said: "]).await;
    let mut peer = Raw::connect(server.addr()).await;
    peer.send(&[CHUNKED.as_bytes(), &chunk(&[b'x'; 1025])].concat())
        .await;
    let (_, hint) = peer.refusal(413).await;
    assert!(hint.contains("--max-message-size"), "{hint}");

    let mut peer = Raw::connect(server.addr()).await;
    peer.send(&[CHUNKED.as_bytes(), &chunk(&[b'x'; 600])].concat())
        .await;
    let head = peer.head().await;
    assert_eq!(head.status, 200);
    let mut body = Body::of(&head);
    assert_eq!(
        body.take(&mut peer, 606).await,
        [&b"said: "[..], &[b'x'; 600]].concat()
    );
    peer.send(&[&chunk(&[b'x'; 600])[..], b"0\r\n\r\n"].concat())
        .await;
    assert!(body.is_truncated(&mut peer).await);
}

#[actix_rt::test]
async fn a_body_that_is_not_utf8_gets_400() {
    let echo = Echo::start();
    let mut peer = Raw::connect(echo.addr()).await;
    peer.send(b"POST /poll HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n\xC3\x28")
        .await;
    let (head, body) = peer.response().await;
    assert_eq!(head.status, 400);
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(json["error"], "the message is not UTF-8");
}

#[actix_rt::test]
async fn a_message_that_is_set_twice_is_refused() {
    let echo = Echo::start();
    let mut peer = Raw::connect(echo.addr()).await;
    peer.send(raw::get("/poll?message=a&message=b").as_bytes()).await;
    let (_, hint) = peer.refusal(400).await;
    assert_eq!(hint, "remove the second message");
}
