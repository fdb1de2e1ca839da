//! SIGTERM and SIGINT on the real binary.

use std::{cell::Cell, collections::HashMap, rc::Rc, time::Instant};

use futures_util::future::join_all;
use rustix::process::Signal;

use crate::support::{
    BusyMachine, in_time,
    memory::until_read,
    process::Process,
    raw::{self, BINARY, FIN, Frame, RSV1, Raw, TEXT, frame, header, upgrade},
};

const SHUTTING_DOWN: (u16, &str) = (1001, "ws-echo: shutting down");

/// A connection that is there before the signal: the listener takes none after it.
async fn plain(server: &Process) -> Raw {
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
    let mut asking = plain(&server).await;
    let mut coming = plain(&server).await;
    // It answers no Close, which gives the time to look.
    let mut holding = server.raw("/").await;
    server.signal(Signal::TERM);
    assert_eq!(holding.frame().await.closing(), SHUTTING_DOWN);
    assert_eq!(status(&mut asking, "/readyz").await, 503);
    assert_eq!(status(&mut asking, "/healthz").await, 200);
    coming.send(upgrade("/", "").as_bytes()).await;
    let (head, body) = coming.response().await;
    assert_eq!(head.status, 503, "{body}");
    assert!(head.get("retry-after").is_some());
    assert!(body.contains("the server is shutting down"), "{body}");
    holding.send(&raw::close(1001, "")).await;
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
    // The beginning of the reply tells that the whole message was there. Its end waits for this peer to read on.
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
    for begun in [
        frame(TEXT, b"a fragment"),
        header(FIN | TEXT, 1000),
        frame(FIN | TEXT, &[b'a'; 1000])[..500].to_vec(),
        b"\x81".to_vec(),
        header(FIN | TEXT, 1000)[..3].to_vec(),
        raw::close(1000, "half a Close")[..6].to_vec(),
    ] {
        let mut peer = server.raw("/").await;
        // The pong tells that the server has read so far.
        peer.send(&raw::ping(b"")).await;
        peer.frame().await;
        peer.send(&begun).await;
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
    // No answer. The peer stays until the process is gone.
    assert_eq!(server.exit().await.0.code(), Some(0));
    peer.end().await;
}

#[actix_rt::test]
async fn a_client_that_reads_nothing_delays_the_exit_by_the_grace_period_at_most() {
    let server = Process::start(&["--shutdown-grace=500ms", "--stall-timeout=0"]).await;
    let mut peer = server.raw("/?reply=verbatim").await;
    // More than the sockets hold, so that replies wait in the server.
    let (mut reading, mut writing) = peer.stream.split();
    let _ = &mut reading;
    let flood = raw::binary(&vec![0; 1 << 20]);
    let filled = async {
        use tokio::io::AsyncWriteExt as _;
        for _ in 0..64 {
            writing.write_all(&flood).await.unwrap();
        }
    };
    // It ends only by being given up: the server reads no more than it can answer.
    assert!(
        tokio::time::timeout(std::time::Duration::from_secs(2), filled)
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
    let mut asking = plain(&server).await;
    let mut early = server.raw("/?reply=verbatim").await;
    server.signal(Signal::TERM);
    in_time("/readyz to tell", async {
        while status(&mut asking, "/readyz").await != 503 {}
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

/// Keeps four messages under way until the server closes; how many it has answered, each in its turn.
async fn busy(mut peer: Raw) -> u64 {
    for number in 0..4 {
        peer.send(&raw::text(&number.to_string())).await;
    }
    let mut answered = 0;
    loop {
        let frame = peer.frame().await;
        if frame.first & 0xF == raw::CLOSE {
            assert_eq!(frame.closing(), SHUTTING_DOWN);
            peer.send(&raw::close(1001, "")).await;
            peer.end().await;
            return answered;
        }
        assert_eq!(frame, Frame::new(FIN | TEXT, answered.to_string()));
        answered += 1;
        peer.send(&raw::text(&(answered + 3).to_string())).await;
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
    // The last one has been answered too: all of them are at work.
    let mut last = server.raw("/").await;
    last.send(&raw::text("last")).await;
    last.frame().await;
    drop(last);
    server.logged("\"code\":1006").await;
    let told = Instant::now();
    server.signal(Signal::TERM);
    let (status, log) = server.exit().await;
    let took = told.elapsed();
    assert_eq!(status.code(), Some(0));
    let mut answered = 0;
    for line in log.iter().filter(|line| line.contains("connection closed")) {
        let closed: serde_json::Value = serde_json::from_str(line).unwrap();
        let id = closed["connection"].as_u64().unwrap();
        let replies = peers.remove(&id).unwrap().await.unwrap();
        assert_eq!(
            (closed["code"].as_u64(), closed["by"].as_str()),
            (Some(1001), Some("server"))
        );
        assert_eq!(closed["messages"].as_u64(), Some(replies), "connection {id}");
        answered += replies;
    }
    assert!(
        peers.is_empty(),
        "of {} connections the log does not tell the end",
        peers.len()
    );
    println!("measured: drained in {took:?}; {answered} messages were answered, as many as were taken");
}

#[actix_rt::test]
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
    let over = Rc::new(Cell::new(false));
    let told = Rc::clone(&over);
    let coming = actix_rt::spawn(async move {
        let (mut served, mut told_to_go) = (0, 0);
        while !told.get() {
            let (head, mut peer) = Raw::open(addr, "/?reply=verbatim", "").await;
            assert_eq!(head.status, 101);
            peer.send(&raw::text("hello")).await;
            let frame = peer.frame().await;
            if frame.first & 0xF == raw::CLOSE {
                assert_eq!(frame.closing(), SHUTTING_DOWN);
                told_to_go += 1;
            } else {
                assert_eq!(frame, Frame::new(FIN | TEXT, "hello"));
                served += 1;
            }
        }
        (served, told_to_go)
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
    over.set(true);
    let (served, told_to_go) = in_time("the end of those who came", coming).await.unwrap();
    assert!(
        served > 0 && told_to_go <= 1,
        "{served} served, {told_to_go} told to go"
    );
}

#[actix_rt::test]
async fn a_shutdown_does_not_wait_for_a_client_whose_close_got_no_reply() {
    let server = Process::start(&["--shutdown-grace=0"]).await;
    let mut peer = server.raw("/?close-reply=off").await;
    // It is no answer to a Ping that tells that the Close has been read: none comes any more.
    peer.send(&[raw::close(1000, "bye"), raw::ping(b"p")].concat())
        .await;
    until_read(&server, 1).await;
    // One that is well goes as ever.
    let mut other = server.raw("/").await;
    server.signal(Signal::TERM);
    assert_eq!(other.frame().await.closing(), SHUTTING_DOWN);
    other.send(&raw::close(1001, "")).await;
    other.end().await;
    // The peer is there until the process is gone.
    assert_eq!(server.exit().await.0.code(), Some(0));
    peer.end_of_stream_without_a_byte().await;
}

/// How many of these peers, each of which has sent one message, get a Close without their reply before it.
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

/// Each message is in the kernel's hands before the signal is. The runtime only knows what its driver saw when it last
/// looked, which on a busy machine is a while ago.
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
    println!("measured: of 50 messages were lost, stop by stop: {lost:?}");
    assert_eq!(lost, [0; 12], "of 50 messages each time");
}
