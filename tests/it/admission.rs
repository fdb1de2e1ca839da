//! The limits on HTTP and WebSocket connections, and the deadlines of a request.

use std::net::SocketAddr;

use futures_util::future::join_all;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
};

use crate::{
    hostile::warmed_up,
    metrics::Scrape,
    support::{
        in_time,
        memory::{MIB, Memory, until_read},
        process::{Process, Signal},
        raw::{self, Body, FIN, Frame, Raw, TEXT, get, post, upgrade},
    },
};

/// A path that is not a health check, with a short response.
const PAGE: &str = "/poll?message=x";

/// The default of `--max-message-size`.
const LARGEST: usize = 16 << 20;

/// Opens an HTTP connection, sends a request and reads the response. The server then counts the connection, and it is idle. Tries
/// again until the server accepts it, because a closed connection frees its place with a delay.
async fn served(addr: SocketAddr) -> Raw {
    in_time("a free place", async {
        loop {
            let mut peer = Raw::connect(addr).await;
            if peer.is_served(PAGE).await {
                return peer;
            }
        }
    })
    .await
}

async fn all_served(addr: SocketAddr, count: usize) -> Vec<Raw> {
    let mut peers = Vec::new();
    for _ in 0..count {
        peers.push(served(addr).await);
    }
    peers
}

/// Asserts that `request` on a new connection gets a 503 that names `flag`, and that the connection is closed.
async fn assert_no_room(addr: SocketAddr, request: &str, flag: &str) {
    let mut peer = Raw::connect(addr).await;
    peer.send(request.as_bytes()).await;
    let (head, hint) = peer.refusal(503).await;
    // A longer flag does not count.
    let mut names = hint.split(|char: char| !char.is_ascii_alphanumeric() && char != '-');
    assert!(names.any(|name| name == flag), "{hint}");
    assert_eq!(head.get("connection"), Some("close"));
    peer.end_of_stream_without_a_byte().await;
}

async fn assert_alive(addr: SocketAddr) {
    let (head, body) = Raw::connect(addr).await.get("/healthz").await;
    assert_eq!((head.status, body.as_str()), (200, "ok\n"));
}

/// Asserts that a message is echoed.
async fn assert_echoes(peer: &mut Raw) {
    peer.send(&raw::text("still here")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "still here"));
}

#[actix_rt::test]
async fn an_http_connection_past_the_limit_gets_503_and_a_closed_one_frees_its_place() {
    let server = Process::start(&["--max-http-connections=4"]).await;
    let mut open = all_served(server.addr(), 4).await;
    assert_no_room(server.addr(), &get(PAGE), "--max-http-connections").await;
    assert_no_room(server.addr(), &get("/"), "--max-http-connections").await;
    // The open connections are still served.
    for peer in &mut open {
        assert_eq!(peer.get(PAGE).await.0.status, 200);
    }
    drop(open.pop());
    // On a new connection the scrape itself could get 503: the server may not have read the end of the closed one yet.
    let mut peer = served(server.addr()).await;
    let counted = Scrape::over(&mut peer)
        .await
        .value("ws_echo_limits_hit", &[("limit", "max_http_connections")]);
    assert!(counted >= 2.0, "{counted}");
    peer.reset();
    open.push(served(server.addr()).await);
    assert_no_room(server.addr(), &get(PAGE), "--max-http-connections").await;
}

#[actix_rt::test]
async fn health_checks_are_served_past_the_limit_of_http_connections() {
    let server = Process::start(&["--max-http-connections=4"]).await;
    let _open = all_served(server.addr(), 4).await;
    // The reserve for health checks is 16 connections.
    let mut checks = Vec::new();
    for _ in 0..16 {
        checks.push(Raw::connect(server.addr()).await);
    }
    for check in &mut checks {
        assert_eq!(check.get("/healthz").await.0.status, 200);
    }
    drop(checks);
    in_time("the reserve to be free again", async {
        while !Raw::connect(server.addr()).await.is_served("/healthz").await {}
    })
    .await;
}

#[actix_rt::test]
async fn an_open_session_does_not_count_as_an_http_connection() {
    let server = Process::start(&["--max-http-connections=4"]).await;
    let mut sessions = Vec::new();
    for _ in 0..8 {
        let mut session = server.raw("/?reply=verbatim").await;
        // After the echo, the 101 is written.
        assert_echoes(&mut session).await;
        sessions.push(session);
    }
    let _open = all_served(server.addr(), 4).await;
    assert_no_room(server.addr(), &get(PAGE), "--max-http-connections").await;
    for session in &mut sessions {
        assert_echoes(session).await;
    }
}

#[actix_rt::test]
async fn event_streams_and_incomplete_requests_count_as_http_connections() {
    let server = Process::start(&["--max-http-connections=2", "--request-timeout=0"]).await;
    let mut events = Raw::connect(server.addr()).await;
    events.send(get("/events?every=1h").as_bytes()).await;
    assert_eq!(events.head().await.status, 200);
    let mut incomplete = Raw::connect(server.addr()).await;
    incomplete.send((post("/poll", 1000) + "half").as_bytes()).await;
    assert_eq!(incomplete.head().await.status, 200);
    assert_no_room(server.addr(), &get(PAGE), "--max-http-connections").await;
    drop(incomplete);
    served(server.addr()).await;
}

#[actix_rt::test]
async fn health_checks_are_served_when_sessions_and_http_are_at_their_limits() {
    let server = Process::start(&["--max-connections=1", "--max-http-connections=1"]).await;
    let mut session = server.raw("/?reply=verbatim").await;
    let mut http = served(server.addr()).await;
    for _ in 0..3 {
        assert_alive(server.addr()).await;
    }
    // The open HTTP connection is served, too.
    http.send(upgrade("/", "").as_bytes()).await;
    let (_, hint) = http.refusal(503).await;
    assert!(hint.contains("--max-connections"), "{hint}");
    assert_echoes(&mut session).await;
}

#[actix_rt::test]
async fn the_limit_per_address_counts_http_and_websocket_connections_together() {
    let server = Process::start(&["--max-connections-per-ip=2", "--ping-interval=0"]).await;
    let http = served(server.addr()).await;
    let mut session = server.raw("/?reply=verbatim").await;
    for request in [get(PAGE), upgrade("/", ""), post("/poll", 1) + "x"] {
        assert_no_room(server.addr(), &request, "--max-connections-per-ip").await;
    }
    assert_alive(server.addr()).await;
    // All addresses of 127.0.0.0/8 are loopback.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = Raw::new(socket.connect(server.addr()).await.unwrap());
    assert_eq!(other.get(PAGE).await.0.status, 200, "from another address");
    drop(http);
    let _http = served(server.addr()).await;
    session.send(&raw::close(1000, "")).await;
    session.closed().await;
    served(server.addr()).await;
}

#[actix_rt::test]
async fn an_upgraded_connection_still_counts_for_its_address() {
    let server = Process::start(&["--max-connections-per-ip=2"]).await;
    let mut sessions = [
        server.raw("/?reply=verbatim").await,
        server.raw("/?reply=verbatim").await,
    ];
    for session in &mut sessions {
        assert_echoes(session).await;
    }
    assert_no_room(server.addr(), &upgrade("/", ""), "--max-connections-per-ip").await;
}

#[actix_rt::test]
async fn behind_a_trusted_proxy_connections_count_for_the_client_and_not_for_the_proxy() {
    let server = Process::start(&["--trusted-proxy=127.0.0.0/8", "--max-connections-per-ip=1"]).await;
    // A proxy keeps idle connections to its server.
    let _idle = all_served(server.addr(), 5).await;
    let from = |client: u8| upgrade("/", &format!("X-Forwarded-For: 203.0.113.{client}\r\n"));
    let mut sessions = Vec::new();
    for client in [1, 2] {
        let (_, session) = Raw::open_with_bytes(server.addr(), from(client).as_bytes()).await;
        sessions.push(session);
    }
    for client in [1, 2] {
        let mut again = Raw::connect(server.addr()).await;
        again.send(from(client).as_bytes()).await;
        let (_, hint) = again.refusal(503).await;
        assert!(hint.contains("--max-connections-per-ip"), "{hint}");
    }
}

/// A POST of the largest size without its last MiB.
struct IncompletePost {
    /// Kept, because a drop of the write half would send a FIN.
    _writing: OwnedWriteHalf,
    /// The task that reads the response, if the client reads. It ends with the connection or with this value.
    reading: Option<JoinHandle<OwnedReadHalf>>,
    /// The read half, if the client does not read.
    idle: Option<OwnedReadHalf>,
}

impl IncompletePost {
    /// Sends the request, or the part that the server reads before it closes the connection.
    async fn send(addr: SocketAddr, reads: bool) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        let (mut from, mut writing) = stream.into_split();
        let (reading, idle) = if reads {
            let reader = actix_rt::spawn(async move {
                let mut block = vec![0; 65_536];
                while matches!(from.read(&mut block).await, Ok(1..)) {}
                from
            });
            (Some(reader), None)
        } else {
            (None, Some(from))
        };
        let head = post("/poll", LARGEST);
        let block = vec![b'a'; 1 << 20];
        let _ = async {
            writing.write_all(head.as_bytes()).await?;
            for _ in 0..15 {
                writing.write_all(&block).await?;
            }
            std::io::Result::Ok(())
        }
        .await;
        Self {
            _writing: writing,
            reading,
            idle,
        }
    }

    /// Waits until the server closes the connection. `send` has read nothing before.
    async fn end(mut self) {
        let mut from = self.idle.take().unwrap();
        let mut block = vec![0; 65_536];
        while matches!(from.read(&mut block).await, Ok(1..)) {}
        drop(self);
    }
}

impl Drop for IncompletePost {
    fn drop(&mut self) {
        if let Some(reading) = &self.reading {
            reading.abort();
        }
    }
}

#[actix_rt::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn sixty_incomplete_posts_of_16_mib_cost_less_than_32_mib() {
    let server = warmed_up(&["--max-http-connections=64", "--request-timeout=0"]).await;
    let memory = Memory::measure(&server);
    let mut peers = Vec::new();
    for _ in 0..60 {
        peers.push(in_time("room to send", IncompletePost::send(server.addr(), true)).await);
    }
    until_read(&server, 60).await;
    memory.assert_grew_less_than(32 * MIB, "60 POSTs with 15 of their 16 MiB");
    drop(peers);
    served(server.addr()).await;
}

#[actix_rt::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn sixty_incomplete_posts_whose_client_reads_nothing_cost_less_than_64_mib_and_end() {
    let server = warmed_up(&["--max-http-connections=64", "--request-timeout=2s"]).await;
    let memory = Memory::measure(&server);
    let addr = server.addr();
    // A client that reads nothing cannot send all of its request: the server times it out before.
    let attacks = (0..60).map(|_| async move { IncompletePost::send(addr, false).await.end().await });
    in_time("the end of all requests", join_all(attacks)).await;
    // Some 600 kB each: the bytes that HTTP has read, and the unwritten response.
    memory.assert_grew_less_than(64 * MIB, "60 POSTs of 15 MiB, nothing read");
}

#[actix_rt::test]
async fn a_request_without_its_body_gets_408() {
    let server = Process::start(&["--request-timeout=200ms"]).await;
    for request in [
        post("/poll", 10),
        "POST /poll HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(),
        "POST /poll HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5".to_owned(),
    ] {
        let mut peer = Raw::connect(server.addr()).await;
        peer.send(request.as_bytes()).await;
        let (head, _) = peer.refusal(408).await;
        assert_eq!(head.get("connection"), Some("close"), "{request:?}");
        peer.end_of_stream_without_a_byte().await;
    }
}

#[actix_rt::test]
async fn a_started_response_ends_incomplete_if_its_request_stays_incomplete() {
    let server = Process::start(&["--request-timeout=200ms", "--prefix=said: "]).await;
    for request in [
        post("/poll", 10) + "hello",
        "POST /poll HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".to_owned(),
    ] {
        let mut peer = Raw::connect(server.addr()).await;
        peer.send(request.as_bytes()).await;
        let head = peer.head().await;
        assert_eq!(head.status, 200);
        let mut body = Body::of(&head);
        assert_eq!(body.take(&mut peer, 11).await, b"said: hello");
        assert!(body.is_truncated(&mut peer).await, "{request:?}");
    }
}

#[actix_rt::test]
async fn an_incomplete_header_section_gets_408_with_a_hint() {
    let server = Process::start(&["--handshake-timeout=200ms"]).await;
    for incomplete in ["GET / HTTP/1.1\r\nHost: h\r\nX-Lon", "GET /po", "G"] {
        let mut peer = Raw::connect(server.addr()).await;
        peer.send(incomplete.as_bytes()).await;
        let (head, _) = peer.refusal(408).await;
        assert_eq!(head.get("connection"), Some("close"));
        peer.end_of_stream_without_a_byte().await;
    }
}

#[actix_rt::test]
async fn the_deadlines_apply_to_later_requests_of_a_connection() {
    let server = Process::start(&["--request-timeout=200ms", "--handshake-timeout=200ms"]).await;
    for incomplete in ["GET /po".to_owned(), post("/poll", 10)] {
        let mut peer = Raw::connect(server.addr()).await;
        assert_eq!(peer.get(PAGE).await.0.status, 200);
        peer.send(incomplete.as_bytes()).await;
        peer.refusal(408).await;
        peer.end_of_stream_without_a_byte().await;
    }
}

#[actix_rt::test]
async fn a_complete_request_has_no_deadline() {
    let server = Process::start(&["--request-timeout=100ms", "--handshake-timeout=100ms"]).await;
    let mut events = Raw::connect(server.addr()).await;
    // A body that the handler does not read has no deadline once the response has started.
    events
        .send(b"GET /events?every=50ms HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{}")
        .await;
    let mut session = server.raw("/?reply=verbatim&handshake-delay=500ms").await;
    assert_eq!(events.head().await.status, 200);
    for _ in 0..10 {
        assert!(!events.chunk().await.is_empty(), "the events ended");
    }
    assert_echoes(&mut session).await;
}

#[actix_rt::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn a_shutdown_does_not_wait_for_incomplete_requests() {
    let server = Process::start(&["--shutdown-grace=0"]).await;
    let mut peers = Vec::new();
    for incomplete in [
        post("/poll", LARGEST) + "half",
        post("/poll", 1000) + &"x".repeat(999),
        post("/poll", 1000),
        "POST /poll HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".to_owned(),
        "POST /poll HTTP/1.1\r\nHos".to_owned(),
    ] {
        let mut peer = Raw::connect(server.addr()).await;
        peer.send(incomplete.as_bytes()).await;
        peers.push(peer);
    }
    until_read(&server, peers.len()).await;
    server.signal(Signal::TERM);
    assert_eq!(server.exit().await.0.code(), Some(0));
}
