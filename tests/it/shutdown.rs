//! The shutdown of a server process after SIGTERM or SIGINT.

use std::{cell::Cell, collections::HashMap, process::Stdio, rc::Rc, time::Instant};

use futures_util::future::join_all;

use crate::support::{
    BusyMachine, in_time,
    memory::until_read,
    process::{Process, Signal, ws_echo},
    raw::{self, BINARY, FIN, Frame, RSV1, Raw, TEXT, frame, header, upgrade},
};

const SHUTTING_DOWN: (u16, &str) = (1001, "ws-echo: shutting down");

/// Opens an HTTP connection and sends a request, so that the server has accepted it before the signal. It accepts none later.
async fn http(server: &Process) -> Raw {
    let mut peer = Raw::connect(server.addr()).await;
    assert_eq!(status(&mut peer, "/readyz").await, 200);
    peer
}

async fn status(peer: &mut Raw, path: &str) -> u16 {
    peer.send(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes())
        .await;
    peer.response().await.0.status
}

#[actix_rt::test]
async fn either_signal_closes_every_session_with_1001_and_the_process_exits_with_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let server = Process::start(&[]).await;
        let mut peers = join_all((0..20).map(|_| server.raw("/"))).await;
        server.signal(signal);
        for peer in &mut peers {
            assert_eq!(peer.frame().await.closing(), SHUTTING_DOWN);
            peer.send(&raw::close(1001, "")).await;
            peer.end().await;
        }
        let (status, log) = server.exit().await;
        assert_eq!(status.code(), Some(0), "{log:#?}");
        let closed = log
            .iter()
            .filter(|line| line.contains("code=1001 by=server"))
            .count();
        assert_eq!(closed, 20, "{log:#?}");
    }
}

#[actix_rt::test]
async fn the_end_of_standard_input_shuts_the_server_down_if_the_flag_is_set() {
    let mut command = ws_echo();
    command
        .args(["--listen=127.0.0.1:0", "--shutdown-on-stdin-end"])
        .stdin(Stdio::piped());
    let server = Process::spawn(command, 1).await;
    let mut peer = server.raw("/").await;
    server.end_stdin();
    assert_eq!(peer.frame().await.closing(), SHUTTING_DOWN);
    peer.send(&raw::close(1001, "")).await;
    peer.end().await;
    assert_eq!(server.exit().await.0.code(), Some(0));
}

#[actix_rt::test]
async fn without_a_session_the_process_exits_with_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let server = Process::start(&[]).await;
        server.signal(signal);
        assert_eq!(server.exit().await.0.code(), Some(0));
    }
}

#[actix_rt::test]
async fn during_a_drain_the_server_is_alive_and_not_ready_and_refuses_handshakes() {
    let server = Process::start(&[]).await;
    let mut prober = http(&server).await;
    let mut late = http(&server).await;
    // The drain lasts until this client replies to the Close.
    let mut session = server.raw("/").await;
    server.signal(Signal::TERM);
    assert_eq!(session.frame().await.closing(), SHUTTING_DOWN);
    assert_eq!(status(&mut prober, "/readyz").await, 503);
    assert_eq!(status(&mut prober, "/healthz").await, 200);
    late.send(upgrade("/", "").as_bytes()).await;
    let (head, body) = late.response().await;
    assert_eq!(head.status, 503, "{body}");
    assert!(head.get("retry-after").is_some());
    assert!(body.contains("the server is shutting down"), "{body}");
    session.send(&raw::close(1001, "")).await;
    assert_eq!(server.exit().await.0.code(), Some(0));
}

#[actix_rt::test]
async fn pending_replies_are_sent_before_the_close() {
    let server = Process::start(&[]).await;
    let mut peer = server.raw("/?reply=verbatim").await;
    let messages = 20;
    for number in 0..messages {
        peer.send(&raw::text(&number.to_string())).await;
    }
    let len = 4 << 20;
    let large = raw::binary(&vec![5; len]);
    peer.send(&large).await;
    for number in 0..messages {
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, number.to_string()));
    }
    // The start of the reply shows that the server has the complete message. Its end is not sent before the client reads on.
    assert_eq!(peer.bytes(2).await, [FIN | BINARY, 127]);
    server.signal(Signal::TERM);
    assert_eq!(peer.bytes(8).await, (len as u64).to_be_bytes());
    assert!(peer.bytes(len).await.iter().all(|&byte| byte == 5));
    assert_eq!(peer.frame().await.closing(), SHUTTING_DOWN);
    peer.send(&raw::close(1001, "")).await;
    peer.end().await;
    assert_eq!(server.exit().await.0.code(), Some(0));
}

#[actix_rt::test]
async fn a_session_with_an_incomplete_message_is_closed_with_1001() {
    let server = Process::start(&[]).await;
    let mut peers = Vec::new();
    for incomplete in [
        frame(TEXT, b"a fragment"),
        header(FIN | TEXT, 1000),
        frame(FIN | TEXT, &[b'a'; 1000])[..500].to_vec(),
        b"\x81".to_vec(),
        header(FIN | TEXT, 1000)[..3].to_vec(),
        raw::close(1000, "half a Close")[..6].to_vec(),
    ] {
        let mut peer = server.raw("/").await;
        // After the Pong, the session is open.
        peer.send(&raw::ping(b"")).await;
        peer.frame().await;
        peer.send(&incomplete).await;
        peers.push(peer);
    }
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let mut compressing = Raw::open(server.addr(), "/", offer).await.1;
    compressing.send(&frame(RSV1 | TEXT, b"\xF2\x48")).await;
    peers.push(compressing);
    server.signal(Signal::TERM);
    for (number, peer) in peers.iter_mut().enumerate() {
        assert_eq!(peer.frame().await.closing(), SHUTTING_DOWN, "peer {number}");
    }
    drop(peers);
    assert_eq!(server.exit().await.0.code(), Some(0));
}

#[actix_rt::test]
async fn a_client_that_does_not_reply_to_the_close_does_not_delay_the_exit() {
    let server = Process::start(&["--shutdown-grace=0"]).await;
    let mut peer = server.raw("/").await;
    server.signal(Signal::TERM);
    assert_eq!(peer.frame().await.closing(), SHUTTING_DOWN);
    // The client does not reply, and keeps its connection until the process has exited.
    assert_eq!(server.exit().await.0.code(), Some(0));
    peer.end().await;
}

#[actix_rt::test]
async fn a_client_that_reads_nothing_delays_the_exit_by_the_grace_period_at_most() {
    let server = Process::start(&["--shutdown-grace=500ms", "--stall-timeout=0"]).await;
    let mut peer = server.raw("/?reply=verbatim").await;
    // More than the sockets buffer, so that the server has unwritten replies.
    let (mut reading, mut writing) = peer.stream.split();
    let _ = &mut reading;
    let flood = raw::binary(&vec![0; 1 << 20]);
    let flooding = async {
        use tokio::io::AsyncWriteExt as _;
        for _ in 0..64 {
            writing.write_all(&flood).await.unwrap();
        }
    };
    // The flood blocks, because the server stops reading while replies are unwritten.
    assert!(
        tokio::time::timeout(std::time::Duration::from_secs(2), flooding)
            .await
            .is_err()
    );
    server.signal(Signal::TERM);
    let (status, log) = server.exit().await;
    assert_eq!(status.code(), Some(0), "{log:#?}");
    assert!(
        log.iter()
            .any(|line| line.contains("shutdown grace period expired connections=1")),
        "{log:#?}"
    );
}

#[actix_rt::test]
async fn a_second_signal_has_no_effect() {
    let server = Process::start(&[]).await;
    let mut peer = server.raw("/").await;
    server.signal(Signal::TERM);
    assert_eq!(peer.frame().await.closing(), SHUTTING_DOWN);
    server.signal(Signal::TERM);
    server.signal(Signal::INT);
    peer.send(&raw::close(1001, "")).await;
    assert_eq!(server.exit().await.0.code(), Some(0));
}

#[actix_rt::test]
async fn during_the_shutdown_delay_the_server_is_not_ready_and_serves() {
    let server = Process::start(&["--shutdown-delay=5s"]).await;
    let mut prober = http(&server).await;
    let mut early = server.raw("/?reply=verbatim").await;
    server.signal(Signal::TERM);
    in_time("503 from /readyz", async {
        while status(&mut prober, "/readyz").await != 503 {}
    })
    .await;
    let mut late = server.raw("/?reply=verbatim").await;
    for peer in [&mut early, &mut late] {
        peer.send(&raw::text("still here")).await;
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "still here"));
    }
    for peer in [&mut early, &mut late] {
        assert_eq!(peer.frame().await.closing(), SHUTTING_DOWN);
        peer.send(&raw::close(1001, "")).await;
    }
    let (status, log) = server.exit().await;
    assert_eq!(status.code(), Some(0));
    for event in ["shutdown requested delay=5s", "draining connections=2", "stopped"] {
        assert!(log.iter().any(|line| line.ends_with(event)), "{event}: {log:#?}");
    }
}

/// Keeps four messages without a reply until the server closes the connection. Returns the number of replies. Fails if one is
/// missing.
async fn busy(mut peer: Raw) -> u64 {
    for number in 0..4 {
        peer.send(&raw::text(&number.to_string())).await;
    }
    let mut replies = 0;
    loop {
        let frame = peer.frame().await;
        if frame.first & 0xF == raw::CLOSE {
            assert_eq!(frame.closing(), SHUTTING_DOWN);
            peer.send(&raw::close(1001, "")).await;
            peer.end().await;
            return replies;
        }
        assert_eq!(frame, Frame::new(FIN | TEXT, replies.to_string()));
        replies += 1;
        peer.send(&raw::text(&(replies + 3).to_string())).await;
    }
}

#[actix_rt::test]
async fn a_thousand_busy_connections_lose_no_message_that_the_server_has_read() {
    let mut server =
        Process::start(&["--shutdown-grace=60s", "--ping-interval=0", "--log-format=json"]).await;
    let mut peers = HashMap::new();
    for _ in 0..1000 {
        let (head, peer) = Raw::open(server.addr(), "/?reply=verbatim", "").await;
        let id: u64 = head.get("x-connection-id").unwrap().parse().unwrap();
        peers.insert(id, actix_rt::spawn(busy(peer)));
    }
    // After the reply to the last one, all of them have sent messages.
    let mut last = server.raw("/").await;
    last.send(&raw::text("last")).await;
    last.frame().await;
    drop(last);
    server.logged("\"code\":1006").await;
    let start = Instant::now();
    server.signal(Signal::TERM);
    let (status, log) = server.exit().await;
    let duration = start.elapsed();
    assert_eq!(status.code(), Some(0));
    let mut total = 0;
    for line in log.iter().filter(|line| line.contains("connection closed")) {
        let closed: serde_json::Value = serde_json::from_str(line).unwrap();
        let id = closed["connection"].as_u64().unwrap();
        let replies = peers.remove(&id).unwrap().await.unwrap();
        assert_eq!(
            (closed["code"].as_u64(), closed["by"].as_str()),
            (Some(1001), Some("server"))
        );
        assert_eq!(closed["messages"].as_u64(), Some(replies), "connection {id}");
        total += replies;
    }
    assert!(
        peers.is_empty(),
        "the log has no closed event of {} connections",
        peers.len()
    );
    println!("measured: drained in {duration:?}, {total} messages read, {total} replies");
}

#[actix_rt::test]
#[cfg_attr(windows, ignore = "needs sockets passed by LISTEN_FDS")]
async fn a_restart_on_an_inherited_socket_refuses_no_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let first = Process::with_socket(&listener, &[]).await;
    assert_eq!(first.addr(), addr);
    let event = "using inherited sockets, --listen is ignored sockets=1";
    assert!(
        first.skipped.iter().any(|line| line.ends_with(event)),
        "{:#?}",
        first.skipped
    );
    let stop = Rc::new(Cell::new(false));
    let stopped = Rc::clone(&stop);
    let clients = actix_rt::spawn(async move {
        let (mut served, mut closed) = (0, 0);
        while !stopped.get() {
            let (head, mut peer) = Raw::open(addr, "/?reply=verbatim", "").await;
            assert_eq!(head.status, 101);
            peer.send(&raw::text("hello")).await;
            let frame = peer.frame().await;
            if frame.first & 0xF == raw::CLOSE {
                assert_eq!(frame.closing(), SHUTTING_DOWN);
                closed += 1;
            } else {
                assert_eq!(frame, Frame::new(FIN | TEXT, "hello"));
                served += 1;
            }
        }
        (served, closed)
    });
    let mut open = first.raw("/").await;
    let pid = first.pid();
    first.signal(Signal::TERM);
    assert_eq!(open.frame().await.closing(), SHUTTING_DOWN);
    drop(open);
    assert_eq!(first.exit().await.0.code(), Some(0));
    let second = Process::with_socket(&listener, &[]).await;
    assert_ne!(second.pid(), pid);
    let mut peer = second.raw("/?reply=verbatim").await;
    peer.send(&raw::text("again")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "again"));
    stop.set(true);
    let (served, closed) = in_time("the end of the clients", clients).await.unwrap();
    assert!(
        served > 0 && closed <= 1,
        "{served} served, {closed} closed by the drain"
    );
}

#[actix_rt::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn a_shutdown_does_not_wait_for_a_client_whose_close_got_no_reply() {
    let server = Process::start(&["--shutdown-grace=0"]).await;
    let mut peer = server.raw("/?close-reply=off").await;
    // There is no Pong to wait for: after a Close the server replies to nothing.
    peer.send(&[raw::close(1000, "bye"), raw::ping(b"p")].concat())
        .await;
    until_read(&server, 1).await;
    // A session that replies to the Close ends as usual.
    let mut other = server.raw("/").await;
    server.signal(Signal::TERM);
    assert_eq!(other.frame().await.closing(), SHUTTING_DOWN);
    other.send(&raw::close(1001, "")).await;
    other.end().await;
    // The client keeps its connection until the process has exited.
    assert_eq!(server.exit().await.0.code(), Some(0));
    peer.end_of_stream_without_a_byte().await;
}

/// Returns the number of these clients that get a Close without the reply to their message.
async fn unanswered(peers: Vec<Raw>) -> usize {
    let mut lost = 0;
    for (number, mut peer) in peers.into_iter().enumerate() {
        let frame = peer.frame().await;
        if frame.first & 0xF == raw::CLOSE {
            assert_eq!(frame.closing(), SHUTTING_DOWN);
            lost += 1;
        } else {
            assert_eq!(frame, Frame::new(FIN | TEXT, number.to_string()));
            assert_eq!(peer.frame().await.closing(), SHUTTING_DOWN);
        }
        peer.send(&raw::close(1001, "")).await;
    }
    lost
}

/// The kernel has each message before the signal is sent. On a busy machine, the runtime's driver has not polled the sockets
/// since, so that their cached readiness does not show the messages.
#[actix_rt::test]
async fn messages_in_the_kernel_before_the_signal_get_replies_on_a_busy_machine() {
    let busy = BusyMachine::start();
    let mut lost = Vec::new();
    for _ in 0..12 {
        let server = Process::start(&["--workers=1", "--shutdown-grace=60s"]).await;
        let peers = join_all((0..50).map(|_| server.raw("/?reply=verbatim"))).await;
        for (number, peer) in peers.iter().enumerate() {
            peer.send_in_one_call(&raw::text(&number.to_string()));
        }
        server.signal(Signal::TERM);
        lost.push(unanswered(peers).await);
        assert_eq!(server.exit().await.0.code(), Some(0));
    }
    drop(busy);
    println!("measured: lost replies of 50 messages, in each of 12 shutdowns: {lost:?}");
    assert_eq!(lost, [0; 12], "lost replies of 50 messages");
}
