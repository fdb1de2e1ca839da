//! The client of the library, with the real server and with sockets that misbehave.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use ws_echo::{
    client::{
        self, ConnectError, Connection, End, Event, HandshakeError, HeadError, Masking, Options, RawFrame,
        Reason, Step, Url, UrlError,
    },
    protocol::{
        DataKind, Message, Violation,
        deflate::{Deflate, ExtensionError},
        frame::{CONTINUATION, PING, RSV1, TEXT},
        handshake_key::accept_key,
    },
};

use crate::{
    support::{Echo, PREFIX, in_time, process::Process, raw},
    tls::Server,
};

fn url(addr: SocketAddr, target: &str) -> Url {
    format!("ws://{addr}{target}").parse().unwrap()
}

async fn connect(addr: SocketAddr, target: &str) -> Connection {
    Connection::connect(&url(addr, target), &Options::default())
        .await
        .unwrap()
}

async fn refused(url: &Url, options: &Options) -> ConnectError {
    in_time("the error", Connection::connect(url, options))
        .await
        .expect_err("the handshake succeeded")
}

/// Returns the next event. Fails at the end.
async fn event(connection: &mut Connection) -> Event {
    in_time("an event", connection.next()).await.expect("the end")
}

async fn message(connection: &mut Connection) -> Message<'static> {
    in_time("a message", connection.next_message())
        .await
        .expect("a message")
}

/// Options with a timeout that a test waits for.
fn impatient() -> Options {
    Options {
        timeout: Duration::from_millis(300),
        ..Options::default()
    }
}

/// Accepts one connection, reads its request, and passes both to `serve`.
async fn misbehave<F: Future<Output = ()> + 'static>(
    serve: impl FnOnce(TcpStream, String) -> F + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    actix_rt::spawn(async move {
        let mut stream = listener.accept().await.unwrap().0;
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                return;
            }
        }
        serve(stream, String::from_utf8(request).unwrap()).await;
    });
    addr
}

/// Keeps a connection open, and sends nothing.
async fn silence(_stream: TcpStream, _request: String) {
    std::future::pending().await
}

/// Returns a valid 101 for a request.
fn valid_101(request: &str) -> String {
    let key = request
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .unwrap();
    let accept = accept_key(key.as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

#[actix_rt::test]
async fn messages_come_back_and_the_closing_handshake_returns_the_code() {
    let echo = Echo::start();
    let mut connection = connect(echo.addr(), "/").await;
    connection.send(&Message::text("héllo")).await.unwrap();
    let reply = message(&mut connection).await;
    let text = String::from_utf8(reply.payload.into_owned()).unwrap();
    assert!(text.starts_with(&format!("{PREFIX}héllo,")), "{text}");
    connection.send(&Message::binary(&[0, 255])).await.unwrap();
    let reply = message(&mut connection).await;
    assert_eq!((reply.kind, reply.payload.len()), (DataKind::Binary, 2 + 8));
    let closed = connection.close(Some((4001, "done"))).await;
    let frame = closed.frame.unwrap().unwrap();
    assert_eq!((frame.code, &*frame.reason), (4001, "done"));
    assert!(matches!(closed.end, Some(End::Fin)), "{:?}", closed.end);
}

#[actix_rt::test]
async fn a_compressed_message_passes_both_ways_with_any_parameters() {
    let echo = Echo::start();
    let text = "abc ".repeat(1000);
    for offer in [
        Deflate::OFFER,
        "permessage-deflate; client_max_window_bits=9; server_max_window_bits=9",
        "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
    ] {
        let options = Options {
            extensions: vec!["x-unknown".to_owned(), offer.to_owned()],
            frames: true,
            ..Options::default()
        };
        let url = url(echo.addr(), "/?reply=verbatim");
        let mut connection = Connection::connect(&url, &options).await.unwrap();
        assert!(connection.negotiated().deflate.is_some());
        for _ in 0..2 {
            connection.send(&Message::text(&text)).await.unwrap();
            let Event::Frame(frame) = event(&mut connection).await else {
                panic!("no frame");
            };
            assert_eq!((frame.rsv, frame.opcode), (RSV1, TEXT));
            assert!(frame.len < 100, "{frame:?}");
            let Event::Message(reply, meta) = event(&mut connection).await else {
                panic!("no message");
            };
            assert!(meta.compressed);
            assert_eq!(reply.payload, text.as_bytes());
        }
    }
}

#[actix_rt::test]
async fn the_server_receives_the_origin_the_subprotocols_and_the_fields() {
    let echo = Echo::start();
    let options = Options {
        origin: Some("http://example.test".to_owned()),
        subprotocols: vec!["a, b".to_owned(), "c".to_owned()],
        headers: vec![("X-Test".to_owned(), "1".to_owned())],
        extensions: Vec::new(),
        ..Options::default()
    };
    let url = url(echo.addr(), "/?hello=json");
    let mut connection = Connection::connect(&url, &options).await.unwrap();
    assert_eq!(connection.negotiated().subprotocol.as_deref(), Some("a"));
    assert_eq!(connection.negotiated().deflate, None);
    let facts = connection.facts();
    assert_eq!(facts.peer, Some(echo.addr()));
    let response = facts.response.as_ref().unwrap();
    assert_eq!(response.value("Sec-WebSocket-Protocol").as_deref(), Some("a"));
    assert!(facts.times.connect.is_some() && facts.times.response.is_some());
    let hello = message(&mut connection).await;
    let hello = String::from_utf8(hello.payload.into_owned())
        .unwrap()
        .to_ascii_lowercase();
    for part in ["http://example.test", "a, b", "x-test"] {
        assert!(hello.contains(part), "{part}: {hello}");
    }
}

#[actix_rt::test]
async fn frames_are_seen_one_by_one_and_sent_as_given() {
    let echo = Echo::start();
    let options = Options {
        frames: true,
        extensions: Vec::new(),
        ..Options::default()
    };
    let url = url(echo.addr(), "/?reply=verbatim&fragment=2");
    let mut connection = Connection::connect(&url, &options).await.unwrap();
    let first = RawFrame {
        fin: false,
        masking: Masking::Key([1, 2, 3, 4]),
        ..RawFrame::new(TEXT, b"ab")
    };
    connection.send_frame(first).await.unwrap();
    connection.send_frame(RawFrame::new(PING, b"p")).await.unwrap();
    connection
        .send_frame(RawFrame::new(CONTINUATION, b"cde"))
        .await
        .unwrap();
    let mut seen = Vec::new();
    let payload = loop {
        match event(&mut connection).await {
            Event::Frame(frame) => seen.push((frame.fin, frame.opcode, frame.start)),
            Event::Pong(payload) => assert_eq!(payload, b"p"),
            Event::Message(message, _) => break message.payload,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(&*payload, b"abcde");
    let expected = [
        (true, 0xA, b"p".to_vec()),
        (false, TEXT, b"ab".to_vec()),
        (false, CONTINUATION, b"cd".to_vec()),
        (true, CONTINUATION, b"e".to_vec()),
    ];
    assert_eq!(seen, expected);
}

#[actix_rt::test]
async fn an_unmasked_frame_is_answered_by_1002() {
    let echo = Echo::start();
    let mut connection = connect(echo.addr(), "/").await;
    let frame = RawFrame {
        masking: Masking::None,
        ..RawFrame::new(TEXT, b"x")
    };
    connection.send_frame(frame).await.unwrap();
    match event(&mut connection).await {
        Event::Close(Some(frame)) => assert_eq!(frame.code, 1002),
        other => panic!("{other:?}"),
    }
}

#[actix_rt::test]
async fn a_ping_is_answered_and_returned() {
    let echo = Echo::start();
    let mut connection = connect(echo.addr(), "/?ping=1s").await;
    assert!(matches!(event(&mut connection).await, Event::Ping(_)));
    connection.send(&Message::text("x")).await.unwrap();
    message(&mut connection).await;
}

#[actix_rt::test]
async fn each_invalid_101_has_its_own_error() {
    let server = Process::start(&[]).await;
    let options = Options {
        subprotocols: vec!["a".to_owned()],
        extensions: Vec::new(),
        ..Options::default()
    };
    for (value, check) in [
        (
            "wrong-accept",
            (|reason| matches!(reason, HandshakeError::Accept { .. })) as fn(_) -> bool,
        ),
        ("no-accept", |reason| reason == HandshakeError::NoAccept),
        ("no-upgrade", |reason| reason == HandshakeError::NoUpgrade),
        ("http10", |reason| reason == HandshakeError::HttpVersion),
        ("two-subprotocols", |reason| {
            reason == HandshakeError::SeveralSubprotocols
        }),
        ("unasked-extension", |reason| {
            matches!(reason, HandshakeError::Extension(ExtensionError::NotOffered(_)))
        }),
    ] {
        let url = url(server.addr(), &format!("/?handshake={value}"));
        match refused(&url, &options).await.reason {
            Reason::Handshake(error) => assert!(check(error.clone()), "{value}: {error}"),
            reason => panic!("{value}: {reason}"),
        }
    }
    for value in ["garbage", "folded"] {
        let url = url(server.addr(), &format!("/?handshake={value}"));
        let reason = refused(&url, &options).await.reason;
        assert!(
            matches!(reason, Reason::Head(HeadError::Invalid { .. })),
            "{value}: {reason}"
        );
    }
    let truncated = refused(&url(server.addr(), "/?handshake=truncated"), &options).await;
    assert!(matches!(truncated.reason, Reason::Ended(1..)), "{truncated}");
}

#[actix_rt::test]
async fn a_frame_in_the_packet_of_the_101_is_the_first_message() {
    let server = Process::start(&[]).await;
    let mut connection = connect(server.addr(), "/?handshake=glued&hello=text:first").await;
    assert_eq!(&*message(&mut connection).await.payload, b"first");
}

#[actix_rt::test]
async fn a_refusal_has_its_status_its_fields_and_its_body() {
    let echo = Echo::start();
    let error = refused(&url(echo.addr(), "/?handshake-status=503"), &Options::default()).await;
    assert!(
        matches!(error.reason, Reason::Handshake(HandshakeError::Status(503))),
        "{error}"
    );
    let body = String::from_utf8(error.facts.body.clone()).unwrap();
    assert!(body.contains("error"), "{body}");
    assert_eq!(error.facts.response.as_ref().unwrap().status, 503);
    let error = refused(&url(echo.addr(), "/?handshake-status=302"), &Options::default()).await;
    assert!(error.facts.response.unwrap().value("Location").is_some());
}

#[actix_rt::test]
async fn each_invalid_frame_of_the_server_is_a_violation() {
    let echo = Echo::start();
    for (value, violation) in [
        ("rsv", Violation::ReservedBits),
        ("opcode", Violation::ReservedOpcode(3)),
        ("masked", Violation::Masked),
        ("length", Violation::LengthEncoding),
        ("utf8", Violation::Utf8),
        ("continuation", Violation::UnexpectedContinuation),
        ("close-code", Violation::CloseCode(1005)),
        ("close-length", Violation::ShortClose),
    ] {
        let mut connection = connect(echo.addr(), &format!("/?wire={value}")).await;
        match event(&mut connection).await {
            Event::Violation(seen) => assert_eq!(seen, violation, "{value}"),
            other => panic!("{value}: {other:?}"),
        }
        // The client has closed the connection, so the server ends it.
        in_time("the end", async { while connection.next().await.is_some() {} }).await;
    }
}

#[actix_rt::test]
async fn an_end_is_a_close_or_a_fin() {
    let server = Process::start(&[]).await;
    let mut connection = connect(server.addr(), "/?close=1012:later&after=0s").await;
    match event(&mut connection).await {
        Event::Close(Some(frame)) => assert_eq!((frame.code, &*frame.reason), (1012, "later")),
        other => panic!("{other:?}"),
    }
    assert!(matches!(event(&mut connection).await, Event::End(End::Fin)));
    assert!(connection.next().await.is_none());
    let mut connection = connect(server.addr(), "/?fin&after=0s").await;
    assert!(matches!(event(&mut connection).await, Event::End(End::Fin)));
}

#[actix_rt::test]
#[cfg_attr(windows, ignore = "wine's recv returns a reset as the end of the stream")]
async fn a_reset_is_told_from_a_fin() {
    let server = Process::start(&[]).await;
    let mut connection = connect(server.addr(), "/?abort&after=0s").await;
    assert!(matches!(event(&mut connection).await, Event::End(End::Reset)));
}

#[actix_rt::test]
async fn the_certificate_is_verified_and_shown_in_any_case() {
    let server = Server::start(&[]).await;
    let url: Url = format!("wss://localhost:{}/?reply=verbatim", server.addr().port())
        .parse()
        .unwrap();
    let mut options = Options {
        connect_to: Some(server.addr().to_string()),
        ..Options::default()
    };
    let error = refused(&url, &options).await;
    assert!(matches!(error.reason, Reason::Tls(_)), "{error}");
    let presented = error.facts.certificates.unwrap();
    assert!(!presented.chain.is_empty() && presented.error.is_some());

    options.trust.add_file(server.ca()).unwrap();
    let mut connection = Connection::connect(&url, &options).await.unwrap();
    let facts = connection.facts();
    let tls = facts.tls.as_ref().unwrap();
    assert_eq!((tls.version, tls.alpn.as_deref()), ("1.3", Some("http/1.1")));
    assert!(facts.certificates.as_ref().unwrap().error.is_none());
    connection.send(&Message::text("x")).await.unwrap();
    assert_eq!(&*message(&mut connection).await.payload, b"x");
    let closed = connection.close(None).await;
    assert!(matches!(closed.end, Some(End::Fin)), "{:?}", closed.end);

    // A certificate for another name.
    let other: Url = "wss://other.test/".parse().unwrap();
    let error = refused(&other, &options).await;
    assert!(matches!(error.reason, Reason::Tls(_)), "{error}");
    options.trust.accept_any();
    let connection = Connection::connect(&other, &options).await.unwrap();
    assert!(connection.facts().certificates.as_ref().unwrap().error.is_some());
}

#[actix_rt::test]
async fn a_body_arrives_in_parts() {
    let server = Process::start(&[]).await;
    let options = Options::default();
    let mut health = client::request("GET", &url(server.addr(), "/healthz"), None, &options)
        .await
        .unwrap();
    assert_eq!(health.head.status, 200);
    while health.body.next().await.unwrap().is_some() {}
    let mut poll = client::request("POST", &url(server.addr(), "/poll"), Some(b"x"), &options)
        .await
        .unwrap();
    let mut body = Vec::new();
    while let Some(part) = poll.body.next().await.unwrap() {
        body.extend_from_slice(&part);
    }
    let body = String::from_utf8(body).unwrap();
    assert!(body.starts_with(&format!("{PREFIX}x,")), "{body}");
    // This body has no end.
    let mut events = client::request("GET", &url(server.addr(), "/events?every=100ms"), None, &options)
        .await
        .unwrap();
    for _ in 0..2 {
        let part = in_time("a part", events.body.next()).await.unwrap();
        assert!(part.is_some_and(|part| !part.is_empty()));
    }
}

#[actix_rt::test]
async fn a_server_that_never_responds_times_out() {
    let silent = misbehave(silence).await;
    let error = refused(&url(silent, "/"), &impatient()).await;
    assert!(
        matches!(error.reason, Reason::Timeout(Step::Response, _)),
        "{error}"
    );
    let slow = misbehave(|mut stream, request| async move {
        for byte in valid_101(&request).bytes() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if stream.write_all(&[byte]).await.is_err() {
                break;
            }
        }
    })
    .await;
    let error = refused(&url(slow, "/"), &impatient()).await;
    assert!(
        matches!(error.reason, Reason::Timeout(Step::Response, _)),
        "{error}"
    );
    let no_tls = misbehave(silence).await;
    let url: Url = format!("wss://{no_tls}/").parse().unwrap();
    let error = refused(&url, &impatient()).await;
    assert!(matches!(error.reason, Reason::Timeout(Step::Tls, _)), "{error}");
}

#[actix_rt::test]
async fn a_response_that_is_none_has_one_clear_error() {
    let garbage = misbehave(|mut stream, _| async move {
        let _ = stream.write_all(b"SSH-2.0-x\x1b[31m\r\n").await;
    })
    .await;
    let error = refused(&url(garbage, "/"), &Options::default()).await.to_string();
    assert!(
        error.contains("not HTTP/1.1") && !error.contains('\x1b'),
        "{error}"
    );
    let endless = misbehave(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    let error = refused(&url(endless, "/"), &Options::default()).await;
    assert!(
        matches!(error.reason, Reason::Head(HeadError::TooLarge)),
        "{error}"
    );
    let closes = misbehave(|_, _| std::future::ready(())).await;
    let error = refused(&url(closes, "/"), &Options::default()).await;
    assert!(
        matches!(error.reason, Reason::Ended(0) | Reason::Failed(_)),
        "{error}"
    );
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let error = refused(&url(free, "/"), &Options::default()).await;
    assert!(matches!(error.reason, Reason::Connect(..)), "{error}");
    assert_eq!(error.facts.failed.len(), 1);
}

#[actix_rt::test]
async fn the_body_of_a_refusal_has_a_bound() {
    let addr = misbehave(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    let error = refused(&url(addr, "/"), &Options::default()).await;
    assert_eq!(error.facts.body.len(), client::MAX_REFUSAL);
}

#[actix_rt::test]
async fn a_message_past_the_limit_is_a_violation_before_its_payload() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let addr = misbehave(|mut stream, request| async move {
        stream.write_all(valid_101(&request).as_bytes()).await.unwrap();
        // 10 GB, of which nothing follows.
        let mut header = vec![0x82, 127];
        header.extend_from_slice(&10_000_000_000_u64.to_be_bytes());
        stream.write_all(&header).await.unwrap();
        let mut close = [0; 8];
        stream.read_exact(&mut close).await.unwrap();
        let _ = sender.send(close);
    })
    .await;
    let mut connection = connect(addr, "/").await;
    match event(&mut connection).await {
        Event::Violation(Violation::TooBig { limit }) => assert_eq!(limit, 16 << 20),
        other => panic!("{other:?}"),
    }
    assert!(in_time("the end", connection.next()).await.is_some());
    let close = receiver.await.unwrap();
    let code = [close[6] ^ close[2], close[7] ^ close[3]];
    assert_eq!(
        (close[0], u16::from_be_bytes(code)),
        (raw::FIN | raw::CLOSE, 1009)
    );
}

#[actix_rt::test]
async fn a_server_that_reads_nothing_makes_the_write_time_out() {
    let addr = misbehave(|mut stream, request| async move {
        stream.write_all(valid_101(&request).as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let mut connection = Connection::connect(&url(addr, "/"), &impatient()).await.unwrap();
    let error = connection
        .send(&Message::binary(&vec![0; 64 << 20]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert!(connection.unwritten() > 0);
}

#[test]
fn a_url_of_another_form_has_its_error() {
    assert_eq!("http//x".parse::<Url>(), Err(UrlError::Form));
}
