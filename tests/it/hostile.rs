//! Hostile clients of a server process. Each test measures the cost of an attack and asserts a bound.
//!
//! docs/resource-limits.md has the figures. `-- --nocapture` prints them.

use std::{pin::pin, time::Duration};

use flate2::{Compress, Compression, FlushCompress};
use tokio::{io::AsyncWriteExt as _, net::TcpSocket};

use crate::{
    metrics::Scrape,
    support::{
        in_time,
        memory::{MIB, Memory, descriptors, until_no_connections},
        process::{Process, Signal, ws_echo},
        raw::{self, BINARY, CONTINUATION, FIN, Frame, PONG, RSV1, Raw, TEXT, frame, header, upgrade},
        until,
    },
};

/// The default of `--max-message-size`.
const LIMIT: usize = 16 << 20;

const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// Starts a server and serves some connections, so that a measurement excludes the memory that the first ones allocate.
pub(crate) async fn warmed_up(args: &[&str]) -> Process {
    let mut command = ws_echo();
    command
        .args(["--listen=127.0.0.1:0", "--workers=1"])
        .args(args)
        // With transparent huge pages, one written byte would count as 2 MiB.
        .env("MIMALLOC_ALLOW_THP", "0");
    let mut server = Process::spawn(command, 1).await;
    for lines in ["", OFFER] {
        let (_, mut peer) = Raw::open(server.addr(), "/?reply=verbatim", lines).await;
        for _ in 0..5 {
            peer.send(&raw::binary(&[1; 16_384])).await;
            peer.frame().await;
        }
        peer.send(&[frame(TEXT, b"a"), frame(FIN, b"b"), raw::ping(b"")].concat())
            .await;
        peer.frame().await;
        peer.frame().await;
        peer.send(&raw::close(1000, "")).await;
        assert_eq!(peer.closed().await.0, 1000);
        server.logged("connection closed").await;
    }
    until_no_connections(&server).await;
    server
}

/// Opens a session whose client reads nothing and has a small receive buffer.
pub(crate) async fn stalled(server: &Process, lines: &str) -> Raw {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut peer = Raw::new(socket.connect(server.addr()).await.unwrap());
    peer.send(upgrade("/?reply=verbatim", lines).as_bytes()).await;
    assert_eq!(peer.head().await.status, 101);
    peer
}

/// Sends `bytes` up to `times` times and reads nothing. Returns the log line of the closed connection.
async fn flood_until_closed(server: &mut Process, peer: &mut Raw, bytes: &[u8], times: usize) -> String {
    let flood = async {
        for _ in 0..times {
            if peer.stream.write_all(bytes).await.is_err() {
                break;
            }
        }
        // Only the log ends the wait.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = flood => unreachable!("the flood is pending"),
        line = server.logged("connection closed") => line,
    }
}

#[actix_rt::test]
async fn a_header_with_a_length_of_2_to_the_62_gets_1009_and_later_bytes_are_discarded() {
    /// MiB. The kernel stores less for a connection, so the server has read.
    const MORE_THAN_BUFFERS: u32 = 40;

    let server = warmed_up(&[]).await;
    let block = vec![0x55; 1 << 20];
    for _ in 0..3 {
        let memory = Memory::measure(&server);
        let mut peer = server.raw("/").await;
        peer.send(&header(FIN | BINARY, 1 << 62)).await;
        assert_eq!(
            peer.frame().await.closing(),
            (1009, "ws-echo: a message of more than 16777216 bytes")
        );
        // The server closes the connection when it has waited long enough for a Close. A slow machine sends fewer bytes by then.
        let mut sent = 0;
        while sent < 200
            && in_time("room to send", peer.stream.write_all(&block))
                .await
                .is_ok()
        {
            sent += 1;
        }
        assert!(sent > MORE_THAN_BUFFERS, "{sent} MiB");
        memory.assert_grew_less_than(MIB, &format!("2^62 bytes declared, {sent} MiB sent"));
        drop(peer);
        until_no_connections(&server).await;
    }
}

#[actix_rt::test]
async fn fragments_past_the_size_limit_get_1009() {
    let server = warmed_up(&[]).await;
    let memory = Memory::measure(&server);
    let mut peer = server.raw("/").await;
    peer.send(&frame(BINARY, &[1; 1024])).await;
    let fragments = frame(CONTINUATION, &[1; 1024]).repeat(LIMIT / 1024 - 1);
    peer.send(&fragments).await;
    peer.send(&raw::ping(b"the limit is reached")).await;
    assert_eq!(peer.frame().await.payload, b"the limit is reached");
    peer.send(&frame(CONTINUATION, b"x")).await;
    assert_eq!(peer.frame().await.closing().0, 1009);
    memory.assert_grew_less_than(4 * LIMIT as u64, "16 MiB and a byte in fragments of 1 KiB");
}

#[actix_rt::test]
async fn a_message_of_131073_empty_fragments_gets_1009() {
    let server = warmed_up(&[]).await;
    let memory = Memory::measure(&server);
    let mut peer = server.raw("/").await;
    peer.send(&frame(BINARY, b"")).await;
    peer.send(&frame(CONTINUATION, b"").repeat(131_071)).await;
    peer.send(&raw::ping(b"131072 are allowed")).await;
    assert_eq!(peer.frame().await.payload, b"131072 are allowed");
    peer.send(&frame(CONTINUATION, b"")).await;
    assert_eq!(
        peer.frame().await.closing(),
        (1009, "ws-echo: a message of more than 131072 frames")
    );
    memory.assert_grew_less_than(4 * MIB, "131,073 empty fragments");
}

/// Returns the given number of MiB of zeros, compressed to 1 KiB for each.
fn bomb(mebibytes: usize) -> Vec<u8> {
    let mut block = Vec::with_capacity(1 << 16);
    let zeros = vec![0; 1 << 20];
    let mut deflate = Compress::new(Compression::best(), false);
    // After a full flush the window is empty, so that the block can be repeated.
    deflate
        .compress_vec(&zeros, &mut block, FlushCompress::Full)
        .unwrap();
    assert!(block.ends_with(&[0, 0, 0xFF, 0xFF]));
    let mut bomb = block.repeat(mebibytes);
    bomb.truncate(bomb.len() - 4);
    bomb
}

#[actix_rt::test]
async fn a_mebibyte_that_decompresses_to_a_gibibyte_gets_1009() {
    let bomb = bomb(1024);
    assert!((1 << 20..2 << 20).contains(&bomb.len()), "{}", bomb.len());
    let server = warmed_up(&[]).await;
    for frames in [
        frame(FIN | RSV1 | BINARY, &bomb),
        [
            frame(RSV1 | TEXT, &bomb[..100]),
            frame(CONTINUATION, &bomb[100..]),
        ]
        .concat(),
    ] {
        let memory = Memory::measure(&server);
        let mut peer = Raw::open(server.addr(), "/", OFFER).await.1;
        peer.send(&frames).await;
        assert_eq!(peer.frame().await.closing().0, 1009);
        memory.assert_grew_less_than(2 * LIMIT as u64, "1 MiB that decompresses to 1 GiB");
    }
}

#[actix_rt::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn thirty_decompression_bombs_within_the_limit_cost_no_more_than_one() {
    let server = warmed_up(&["--ping-interval=0"]).await;
    let bombs = frame(FIN | RSV1 | BINARY, &bomb(15)).repeat(30);
    let memory = Memory::measure(&server);
    let mut peer = Raw::open(server.addr(), "/?reply=verbatim", OFFER).await.1;
    peer.send(&bombs).await;
    for _ in 0..30 {
        assert_eq!(peer.frame().await.first, FIN | RSV1 | BINARY);
    }
    memory.assert_grew_less_than(
        6 * LIMIT as u64,
        "30 messages of 15 KiB that decompress to 15 MiB",
    );
}

#[actix_rt::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn thirty_decompression_bombs_with_delayed_replies_are_not_stored_decompressed() {
    let server = warmed_up(&[]).await;
    let bombs = frame(FIN | RSV1 | BINARY, &bomb(15)).repeat(30);
    let memory = Memory::measure(&server);
    let mut peer = Raw::open(server.addr(), "/?delay=5m&close=4000&after=1s", OFFER)
        .await
        .1;
    peer.send(&bombs).await;
    assert_eq!(peer.frame().await.closing().0, 4000);
    memory.assert_grew_less_than(
        3 * LIMIT as u64,
        "30 messages that decompress to 15 MiB, with delayed replies",
    );
}

#[actix_rt::test]
async fn a_worker_serves_other_connections_during_100_decompression_bombs() {
    // Without Pings, so that the next frame is the reply, however long the messages take.
    let server = Process::start(&["--workers=1", "--ping-interval=0"]).await;
    let bombs = frame(FIN | RSV1 | BINARY, &bomb(15)).repeat(100);
    let mut bomber = Raw::open(server.addr(), "/?reply=none", OFFER).await.1;
    let mut other = server.raw("/?reply=verbatim").await;
    let mut echoes = 0;
    let bombing = async {
        bomber.send(&[bombs, raw::ping(b"done")].concat()).await;
        assert_eq!(bomber.frame().await, Frame::new(FIN | PONG, "done"));
    };
    let echoing = async {
        loop {
            other.send(&raw::text("x")).await;
            assert_eq!(other.frame().await, Frame::new(FIN | TEXT, "x"));
            echoes += 1;
        }
    };
    futures_util::future::select(pin!(bombing), pin!(echoing)).await;
    assert!(echoes >= 20, "{echoes} echoes during 100 bombs on one worker");
}

#[actix_rt::test]
async fn a_client_that_sends_100000_pings_and_reads_nothing_is_reset() {
    let mut server = warmed_up(&["--stall-timeout=1s"]).await;
    let mut peer = stalled(&server, "").await;
    let pings = raw::ping(&[0x50; 125]).repeat(100_000);
    let memory = Memory::measure(&server);
    let closed = flood_until_closed(&mut server, &mut peer, &pings, 1).await;
    assert!(closed.contains("code=1006"), "{closed}");
    memory.assert_grew_less_than(4 * MIB, "100,000 pings, no pong read");
}

#[actix_rt::test]
async fn a_client_that_sends_large_messages_and_reads_nothing_is_reset() {
    let mut server = warmed_up(&["--stall-timeout=1s"]).await;
    let mut peer = stalled(&server, "").await;
    let message = raw::binary(&vec![0x42; 1 << 20]);
    let memory = Memory::measure(&server);
    let closed = flood_until_closed(&mut server, &mut peer, &message, 200).await;
    assert!(closed.contains("code=1006"), "{closed}");
    memory.assert_grew_less_than(16 * MIB, "200 messages of 1 MiB, no echo read");
}

#[actix_rt::test]
async fn a_handshake_that_arrives_byte_by_byte_gets_408() {
    let server = warmed_up(&["--handshake-timeout=1s"]).await;
    let mut peer = Raw::connect(server.addr()).await;
    let (mut reading, mut writing) = peer.stream.split();
    let trickle = async {
        // Complete after some 200 s.
        for byte in upgrade("/", &"X-Slow: and steady\r\n".repeat(100)).bytes() {
            if writing.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut response = Vec::new();
    let end = async {
        use tokio::io::AsyncReadExt as _;
        let _ = in_time("the end", reading.read_to_end(&mut response)).await;
    };
    tokio::select! {
        () = trickle => unreachable!("the client is pending"),
        () = end => {}
    }
    assert!(
        response.starts_with(b"HTTP/1.1 408 "),
        "{}",
        response.escape_ascii()
    );
}

#[actix_rt::test]
async fn a_connection_that_sends_nothing_is_closed() {
    let server = warmed_up(&["--handshake-timeout=1s"]).await;
    let before = descriptors(&server);
    let mut peers = Vec::new();
    for _ in 0..100 {
        peers.push(Raw::connect(server.addr()).await);
    }
    for peer in &mut peers {
        peer.end_of_stream().await;
    }
    until("the descriptors to be closed", || descriptors(&server) == before).await;
}

/// A pseudo-random number generator with a fixed seed, so that a failure can be repeated.
struct Rng(u64);

impl Rng {
    /// Returns a number from 0 to `bound - 1`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 as usize % bound
    }
}

#[actix_rt::test]
async fn a_thousand_connections_reset_at_random_moments_leak_nothing() {
    let mut server = warmed_up(&[]).await;
    let before = descriptors(&server);
    let mut rng = Rng(0x2545_F491_4F6C_DD1D);
    // All bytes of a client in a session. Each connection sends a part of them.
    let session = [
        upgrade("/?reply=verbatim", OFFER).into_bytes(),
        raw::text("hello"),
        frame(RSV1 | BINARY, &bomb(1)[..200]),
        raw::ping(b"ping"),
        frame(FIN, &bomb(1)[200..]),
        raw::binary(&vec![7; 100_000]),
        raw::close(1000, ""),
    ]
    .concat();
    let handshake = upgrade("/?reply=verbatim", OFFER).len();
    for _ in 0..20 {
        let mut peers = Vec::new();
        for _ in 0..50 {
            let end = match rng.below(4) {
                0 => rng.below(handshake),
                1 => handshake + rng.below(500),
                _ => rng.below(session.len() + 1),
            };
            let mut peer = Raw::connect(server.addr()).await;
            peer.send(&session[..end]).await;
            if rng.below(2) == 0 && end >= handshake {
                assert_eq!(peer.head().await.status, 101);
            }
            if rng.below(2) == 0 {
                peers.push(peer);
            } else {
                peer.reset();
            }
        }
        for peer in peers {
            peer.reset();
        }
    }
    until("the descriptors to be closed", || descriptors(&server) == before).await;
    // The server still serves.
    let mut peer = server.raw("/?reply=verbatim").await;
    peer.send(&raw::text("still here")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "still here"));
    peer.send(&raw::close(1000, "")).await;
    peer.closed().await;
    server.logged("code=1000 by=peer").await;
    // The number of sessions is 0 again, a moment after the last one has logged its end.
    in_time("the session to end", async {
        while Scrape::of(&server).await.value("ws_echo_connections", &[]) > 0.0 {}
    })
    .await;
    server.signal(Signal::TERM);
    server.logged("draining connections=0").await;
    let (status, log) = server.exit().await;
    assert_eq!(status.code(), Some(0));
    assert!(!log.iter().any(|line| line.contains("panicked")), "{log:#?}");
}

#[actix_rt::test]
async fn a_message_of_16_mib_is_echoed_and_one_byte_more_gets_1009() {
    let payload = vec![0; LIMIT + 1];
    let compressed = |len: usize| {
        let mut out = Vec::with_capacity(1 << 20);
        let mut deflate = Compress::new(Compression::fast(), false);
        deflate
            .compress_vec(&payload[..len], &mut out, FlushCompress::Sync)
            .unwrap();
        out.truncate(out.len() - 4);
        out
    };
    for (framing, lines) in [("plain", ""), ("fragmented", ""), ("compressed", OFFER)] {
        let frames = |len: usize| match framing {
            "plain" => frame(FIN | BINARY, &payload[..len]),
            "fragmented" => [
                frame(BINARY, &payload[..LIMIT / 2]),
                frame(FIN, &payload[..len - LIMIT / 2]),
            ]
            .concat(),
            _ => frame(FIN | RSV1 | BINARY, &compressed(len)),
        };
        let server = warmed_up(&[]).await;
        let memory = Memory::measure(&server);
        let mut peer = Raw::open(server.addr(), "/?reply=verbatim", lines).await.1;
        peer.send(&frames(LIMIT)).await;
        let reply = peer.frame().await;
        if framing == "compressed" {
            assert_eq!(reply.first, FIN | RSV1 | BINARY);
        } else {
            assert!(reply == Frame::new(FIN | BINARY, &payload[..LIMIT]), "{framing}");
        }
        memory.assert_grew_less_than(6 * LIMIT as u64, &format!("16 MiB, {framing}, echoed"));
        // The write may fail: the server sends its Close before it has received all.
        let _ = peer.stream.write_all(&frames(LIMIT + 1)).await;
        assert_eq!(peer.frame().await.closing().0, 1009, "{framing}");
    }
}
