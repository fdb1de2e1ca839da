//! Peers that mean harm, on the real binary: what each attack may cost is a bound here, and is measured.
//!
//! docs/withstands.md has the figures. `-- --nocapture` prints them.

use std::{pin::pin, time::Duration};

use flate2::{Compress, Compression, FlushCompress};
use rustix::process::Signal;
use tokio::{io::AsyncWriteExt as _, net::TcpSocket};

use crate::support::{
    in_time,
    memory::{MIB, Memory, connections, descriptors},
    process::{Process, ws_echo},
    raw::{self, BINARY, CONTINUATION, FIN, Frame, PONG, RSV1, Raw, TEXT, frame, header, upgrade},
    until,
};

/// The message limit where none was set.
const LIMIT: usize = 16 << 20;

const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// A server that has served before, so that what it takes once and for all is not counted.
pub(crate) async fn warmed_up(args: &[&str]) -> Process {
    let mut command = ws_echo();
    command
        .args(["--listen=127.0.0.1:0", "--workers=1"])
        .args(args)
        // Else the first byte of 2 MiB counts for all of them, where the kernel has huge pages to give.
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
    until("the descriptors to be given back", || connections(&server) == 0).await;
    server
}

/// Opens a session whose client takes next to nothing off its socket.
pub(crate) async fn stalled(server: &Process, lines: &str) -> Raw {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut peer = Raw::new(socket.connect(server.addr()).await.unwrap());
    peer.send(upgrade("/?reply=verbatim", lines).as_bytes()).await;
    assert_eq!(peer.head().await.status, 101);
    peer
}

/// Sends `bytes` again and again and never reads, until the server's log says that the session has ended.
async fn flood_until_closed(server: &mut Process, peer: &mut Raw, bytes: &[u8], times: usize) -> String {
    let flood = async {
        for _ in 0..times {
            if peer.stream.write_all(bytes).await.is_err() {
                break;
            }
        }
        // Whatever became of the flood, the end is the server's to tell.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = flood => unreachable!("it never ends"),
        line = server.logged("connection closed") => line,
    }
}

#[actix_rt::test]
async fn a_header_with_a_length_of_2_to_the_62_gets_1009_and_later_bytes_are_discarded() {
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
        for _ in 0..200 {
            peer.send(&block).await;
        }
        memory.assert_grew_less_than(MIB, "2^62 bytes claimed, 200 MiB sent");
        drop(peer);
        until("the session to end", || connections(&server) == 0).await;
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

/// So many MiB of zeros, compressed: a KiB for each.
fn bomb(mebibytes: usize) -> Vec<u8> {
    let mut block = Vec::with_capacity(1 << 16);
    let zeros = vec![0; 1 << 20];
    let mut deflate = Compress::new(Compression::best(), false);
    // A full flush forgets what came before: the block can be repeated.
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
        memory.assert_grew_less_than(2 * LIMIT as u64, "1 MiB that inflates to 1 GiB");
    }
}

#[actix_rt::test]
async fn thirty_decompression_bombs_within_the_limit_cost_no_more_than_one() {
    let server = warmed_up(&[]).await;
    let bombs = frame(FIN | RSV1 | BINARY, &bomb(15)).repeat(30);
    let memory = Memory::measure(&server);
    let mut peer = Raw::open(server.addr(), "/?reply=verbatim", OFFER).await.1;
    peer.send(&bombs).await;
    for _ in 0..30 {
        assert_eq!(peer.frame().await.first, FIN | RSV1 | BINARY);
    }
    memory.assert_grew_less_than(6 * LIMIT as u64, "30 messages of 15 KiB that inflate to 15 MiB");
}

#[actix_rt::test]
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
        "30 messages of 15 MiB, inflated, with late replies",
    );
}

#[actix_rt::test]
async fn a_worker_serves_other_connections_during_100_decompression_bombs() {
    let server = Process::start(&["--workers=1"]).await;
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
    assert!(echoes >= 20, "{echoes} echoes beside 100 bombs on one worker");
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
    // The attack is its slowness.
    let trickle = async {
        for byte in upgrade("/", &"X-Slow: and steady\r\n".repeat(100)).bytes() {
            if writing.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    let end = async {
        use tokio::io::AsyncReadExt as _;
        let _ = in_time("the end", reading.read_to_end(&mut answer)).await;
    };
    tokio::select! {
        () = trickle => unreachable!("it never ends"),
        () = end => {}
    }
    assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", answer.escape_ascii());
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
    until("the descriptors to be given back", || {
        descriptors(&server) == before
    })
    .await;
}

/// Pseudo-random numbers, the same in every run: what fails once fails again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 as usize % sides
    }
}

#[actix_rt::test]
async fn a_thousand_connections_reset_at_random_moments_leak_nothing() {
    let mut server = warmed_up(&[]).await;
    let before = descriptors(&server);
    let mut dice = Dice(0x2545_F491_4F6C_DD1D);
    // All that a client says in a session, cut anywhere.
    let script = [
        upgrade("/?reply=verbatim", OFFER).into_bytes(),
        raw::text("hello"),
        frame(RSV1 | BINARY, &bomb(1)[..200]),
        raw::ping(b"ping"),
        frame(FIN, &bomb(1)[200..]),
        raw::binary(&vec![7; 100_000]),
        raw::close(1000, ""),
    ]
    .concat();
    let opening = upgrade("/?reply=verbatim", OFFER).len();
    for _ in 0..20 {
        let mut peers = Vec::new();
        for _ in 0..50 {
            let cut = match dice.roll(4) {
                0 => dice.roll(opening),
                1 => opening + dice.roll(500),
                _ => dice.roll(script.len() + 1),
            };
            let mut peer = Raw::connect(server.addr()).await;
            peer.send(&script[..cut]).await;
            if dice.roll(2) == 0 && cut >= opening {
                assert_eq!(peer.head().await.status, 101);
            }
            if dice.roll(2) == 0 {
                peers.push(peer);
            } else {
                peer.reset();
            }
        }
        for peer in peers {
            peer.reset();
        }
    }
    until("the descriptors to be given back", || {
        descriptors(&server) == before
    })
    .await;
    // It serves as before.
    let mut peer = server.raw("/?reply=verbatim").await;
    peer.send(&raw::text("still here")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "still here"));
    peer.send(&raw::close(1000, "")).await;
    peer.closed().await;
    server.logged("code=1000 by=peer").await;
    // The gauge, as it says itself.
    server.signal(Signal::TERM);
    server.logged("draining connections=0").await;
    let (status, log) = server.exit().await;
    assert_eq!(status.code(), Some(0));
    assert!(!log.iter().any(|line| line.contains("panicked")), "{log:#?}");
}

#[actix_rt::test]
async fn a_message_of_16_mib_is_echoed_and_one_byte_more_gets_1009() {
    let whole = vec![0; LIMIT + 1];
    let compressed = |len: usize| {
        let mut out = Vec::with_capacity(1 << 20);
        let mut deflate = Compress::new(Compression::fast(), false);
        deflate
            .compress_vec(&whole[..len], &mut out, FlushCompress::Sync)
            .unwrap();
        out.truncate(out.len() - 4);
        out
    };
    for (way, lines) in [("plain", ""), ("fragmented", ""), ("compressed", OFFER)] {
        let frames = |len: usize| match way {
            "plain" => frame(FIN | BINARY, &whole[..len]),
            "fragmented" => [
                frame(BINARY, &whole[..LIMIT / 2]),
                frame(FIN, &whole[..len - LIMIT / 2]),
            ]
            .concat(),
            _ => frame(FIN | RSV1 | BINARY, &compressed(len)),
        };
        let server = warmed_up(&[]).await;
        let memory = Memory::measure(&server);
        let mut peer = Raw::open(server.addr(), "/?reply=verbatim", lines).await.1;
        peer.send(&frames(LIMIT)).await;
        let reply = peer.frame().await;
        if way == "compressed" {
            assert_eq!(reply.first, FIN | RSV1 | BINARY);
        } else {
            assert!(reply == Frame::new(FIN | BINARY, &whole[..LIMIT]), "{way}");
        }
        memory.assert_grew_less_than(6 * LIMIT as u64, &format!("16 MiB, {way}, echoed"));
        // Some of it may be refused, and the rest discarded, before all is sent.
        let _ = peer.stream.write_all(&frames(LIMIT + 1)).await;
        assert_eq!(peer.frame().await.closing().0, 1009, "{way}");
    }
}
