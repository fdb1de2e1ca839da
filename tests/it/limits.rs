//! The limits of a message (`--max-message-size`, `--max-fragments`) and the memory budget of all sessions (`--max-buffered`).

use flate2::{Compress, Compression, FlushCompress};
use ws_echo::config::{Cap, Size};

use crate::{
    hostile::stalled,
    metrics::Scrape,
    support::{
        Echo, in_time,
        memory::until_read,
        process::Process,
        raw::{self, BINARY, CONTINUATION, FIN, Frame, PONG, RSV1, Raw, TEXT, frame, header},
    },
};

const LIMIT: usize = 1000;

fn limited() -> Echo {
    Echo::with(|config| config.max_message_size = Size::bytes(LIMIT))
}

async fn assert_too_big(peer: &mut Raw, what: &str) {
    assert_eq!(
        peer.frame().await.closing(),
        (1009, "ws-echo: a message of more than 1000 bytes"),
        "{what}"
    );
}

#[actix_rt::test]
async fn a_message_of_exactly_the_limit_is_echoed_and_one_byte_more_gets_1009() {
    let echo = limited();
    for opcode in [TEXT, BINARY] {
        let mut peer = echo.raw("/?reply=verbatim").await;
        peer.send(&frame(FIN | opcode, &[b'a'; LIMIT])).await;
        assert_eq!(peer.frame().await, Frame::new(FIN | opcode, [b'a'; LIMIT]));
        peer.send(&frame(FIN | opcode, &[b'a'; LIMIT + 1])).await;
        assert_too_big(&mut peer, "plain").await;
    }
}

#[actix_rt::test]
async fn the_size_limit_applies_to_all_fragments_together() {
    let echo = limited();
    let mut peer = echo.raw("/?reply=verbatim").await;
    let fragments = [
        frame(BINARY, &[1; 400]),
        frame(CONTINUATION, &[1; 400]),
        frame(FIN, &[1; 200]),
    ];
    peer.send(&fragments.concat()).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | BINARY, [1; LIMIT]));
    // Neither the message before nor a control frame counts.
    peer.send(&[frame(BINARY, &[1; LIMIT]), raw::ping(&[0; 125]), frame(FIN, b"")].concat())
        .await;
    peer.frame().await;
    assert_eq!(peer.frame().await, Frame::new(FIN | BINARY, [1; LIMIT]));
    peer.send(&[frame(BINARY, &[1; LIMIT]), frame(FIN, &[1])].concat())
        .await;
    assert_too_big(&mut peer, "fragmented").await;
}

#[actix_rt::test]
async fn a_header_with_a_length_past_the_limit_gets_1009_before_its_payload() {
    let echo = limited();
    for len in [LIMIT as u64 + 1, 1 << 32, (1 << 63) - 1] {
        for first in [FIN | BINARY, BINARY, FIN | TEXT] {
            let mut peer = echo.raw("/").await;
            peer.send(&header(first, len)).await;
            assert_too_big(&mut peer, &format!("{len} bytes")).await;
        }
        let mut peer = echo.raw("/").await;
        peer.send(&[frame(BINARY, b"x"), header(CONTINUATION, len)].concat())
            .await;
        assert_too_big(&mut peer, &format!("a continuation of {len} bytes")).await;
    }
}

/// Compresses a message (RFC 7692 section 7.2.1).
fn compressed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 100);
    let mut deflate = Compress::new(Compression::default(), false);
    deflate
        .compress_vec(message, &mut out, FlushCompress::Sync)
        .unwrap();
    assert!(out.ends_with(&[0, 0, 0xFF, 0xFF]));
    out.truncate(out.len() - 4);
    out
}

#[actix_rt::test]
async fn the_size_limit_applies_after_decompression() {
    let echo = limited();
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n";
    for cut in [None, Some(5)] {
        let (_, mut peer) = Raw::open(echo.addr(), "/", offer).await;
        for len in [LIMIT, LIMIT + 1] {
            let message = compressed(&vec![b'a'; len]);
            let frames = match cut {
                None => frame(FIN | RSV1 | BINARY, &message),
                Some(cut) => [frame(RSV1 | BINARY, &message[..cut]), frame(FIN, &message[cut..])].concat(),
            };
            peer.send(&frames).await;
            if len == LIMIT {
                assert_eq!(peer.frame().await.first & 0x0F, BINARY);
            } else {
                assert_too_big(&mut peer, "compressed").await;
            }
        }
    }
}

#[actix_rt::test]
async fn a_message_with_one_fragment_more_than_the_limit_gets_1009() {
    let echo = Echo::with(|config| config.max_fragments = Cap::of(3));
    for payload in [&b""[..], b"x"] {
        let mut peer = echo.raw("/?reply=verbatim").await;
        let (first, middle, last) = (
            frame(BINARY, payload),
            frame(CONTINUATION, payload),
            frame(FIN, payload),
        );
        // Twice, because the count restarts with each message.
        for _ in 0..2 {
            peer.send(&[&first[..], &middle, &raw::ping(b""), &last].concat())
                .await;
            peer.frame().await;
            assert_eq!(peer.frame().await, Frame::new(FIN | BINARY, payload.repeat(3)));
        }
        peer.send(&[&first[..], &middle, &middle, &last].concat()).await;
        assert_eq!(
            peer.frame().await.closing(),
            (1009, "ws-echo: a message of more than 3 frames")
        );
    }
}

#[actix_rt::test]
async fn zero_disables_both_limits() {
    let echo = Echo::with(|config| {
        config.max_message_size = Size::bytes(0);
        config.max_fragments = Cap::of(0);
    });
    let mut peer = echo.raw("/?reply=verbatim").await;
    let payload = vec![3; 17 << 20];
    peer.send(&frame(BINARY, &payload)).await;
    peer.send(&frame(FIN, b"")).await;
    assert!(peer.frame().await == Frame::new(FIN | BINARY, payload));
}

/// Three quarters of the memory budget of 1 MiB.
const LARGE: usize = 768 << 10;

async fn with_budget_of_1_mib() -> Process {
    // Without Pings, so that the next frame is the reply, however long a test takes.
    Process::start(&["--max-buffered=1MiB", "--ping-interval=0"]).await
}

/// Sends frames and a Ping, and waits for the Pong: the server has then decoded the frames.
async fn send_until_decoded(peer: &mut Raw, frames: &[u8]) {
    peer.send(&[frames, &raw::ping(b"decoded")].concat()).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | PONG, "decoded"));
}

async fn assert_echoes(peer: &mut Raw, payload: &[u8]) {
    peer.send(&raw::binary(payload)).await;
    let frame = peer.frame().await;
    let closing = (frame.first & 0xF == raw::CLOSE).then(|| frame.closing());
    assert!(frame == Frame::new(FIN | BINARY, payload), "no echo: {closing:?}");
}

/// Asserts that the next frame is the Close of a session that has exceeded the budget.
async fn assert_past_the_budget(peer: &mut Raw) {
    let frame = peer.frame().await;
    let (code, reason) = frame.closing();
    assert_eq!(code, 1013, "{reason}");
    assert!(
        reason.starts_with("ws-echo: ") && reason.contains("--max-buffered"),
        "{reason}"
    );
}

async fn times_past_the_budget(server: &Process) -> f64 {
    let scrape = Scrape::of(server).await;
    scrape.value("ws_echo_limits_hit", &[("limit", "max_buffered")])
}

#[actix_rt::test]
async fn the_session_that_exceeds_the_memory_budget_of_all_sessions_gets_1013() {
    let server = with_budget_of_1_mib().await;
    let mut bystander = server.raw("/?reply=verbatim").await;
    let large = vec![7; LARGE];
    assert_eq!(times_past_the_budget(&server).await, 0.0);
    // Twice, because the end of a session frees its memory.
    for round in 1..=2 {
        let mut first = server.raw("/?reply=verbatim").await;
        send_until_decoded(&mut first, &frame(BINARY, &large)).await;
        assert_echoes(&mut bystander, b"small").await;
        let mut second = server.raw("/?reply=verbatim").await;
        second.send(&frame(BINARY, &large)).await;
        assert_past_the_budget(&mut second).await;
        assert_eq!(times_past_the_budget(&server).await, f64::from(round));
        assert_echoes(&mut bystander, b"small").await;
        second.send(&raw::close(1013, "")).await;
        second.end().await;
        first.send(&frame(FIN, b"")).await;
        assert!(
            first.frame().await == Frame::new(FIN | BINARY, &large[..]),
            "no reply"
        );
        assert_echoes(&mut bystander, b"small").await;
        // A sent reply frees its memory, for the same session and for the next one.
        assert_echoes(&mut first, &large).await;
        drop(first);
    }
    let mut last = server.raw("/?reply=verbatim").await;
    for _ in 0..5 {
        assert_echoes(&mut last, &large).await;
    }
}

#[actix_rt::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn an_incomplete_frame_counts_against_the_budget() {
    let server = with_budget_of_1_mib().await;
    let mut first = server.raw("/?reply=verbatim").await;
    let complete = frame(FIN | BINARY, &vec![7; LARGE]);
    let (incomplete, last) = complete.split_at(complete.len() - 1);
    first.send(incomplete).await;
    until_read(&server, 1).await;
    let mut second = server.raw("/?reply=verbatim").await;
    second.send(incomplete).await;
    assert_past_the_budget(&mut second).await;
    first.send(last).await;
    assert!(
        first.frame().await == Frame::new(FIN | BINARY, vec![7; LARGE]),
        "no reply"
    );
}

#[actix_rt::test]
async fn one_message_larger_than_the_budget_gets_1013() {
    let server = with_budget_of_1_mib().await;
    let mut peer = server.raw("/?reply=verbatim").await;
    peer.send(&raw::binary(&vec![7; 2 << 20])).await;
    assert_past_the_budget(&mut peer).await;
    let mut other = server.raw("/?reply=verbatim").await;
    assert_echoes(&mut other, &vec![7; LARGE]).await;
}

#[actix_rt::test]
async fn delayed_replies_count_against_the_budget() {
    let server = with_budget_of_1_mib().await;
    let mut bystander = server.raw("/?reply=verbatim").await;
    let mut first = server.raw("/?reply=verbatim&delay=5m").await;
    let quarter = raw::binary(&vec![7; LARGE / 3]);
    send_until_decoded(&mut first, &quarter.repeat(3)).await;
    let mut second = server.raw("/?reply=verbatim").await;
    second.send(&raw::binary(&vec![7; LARGE])).await;
    assert_past_the_budget(&mut second).await;
    assert_echoes(&mut bystander, b"small").await;
    // The end of the session drops its delayed replies.
    first.reset();
    in_time("the memory of the first session", async {
        loop {
            let mut third = server.raw("/?reply=verbatim").await;
            third.send(&raw::binary(&vec![7; LARGE])).await;
            if third.frame().await.first == FIN | BINARY {
                break;
            }
        }
    })
    .await;
}

#[actix_rt::test]
async fn unread_replies_count_against_the_budget() {
    let server = with_budget_of_1_mib().await;
    let mut bystander = server.raw("/?reply=verbatim").await;
    // A session that cannot write buffers a few of these replies. All sessions together exceed the budget.
    let messages = raw::binary(&[7; 16 << 10]).repeat(64);
    let mut floods = Vec::new();
    for _ in 0..160 {
        let mut peer = stalled(&server, "").await;
        let messages = messages.clone();
        floods.push(actix_rt::spawn(async move {
            use tokio::io::AsyncWriteExt as _;
            // More than the kernel buffers at both ends: the server buffers the others, or it has closed the session.
            for _ in 0..50 {
                if peer.stream.write_all(&messages).await.is_err() {
                    break;
                }
            }
            // Keeps the connection open.
            std::future::pending::<()>().await;
        }));
    }
    in_time("the limit to be hit", async {
        while times_past_the_budget(&server).await == 0.0 {}
    })
    .await;
    assert_echoes(&mut bystander, b"small").await;
    for flood in floods {
        flood.abort();
    }
    let large = vec![7; LARGE];
    in_time("the memory of the stalled sessions", async {
        loop {
            let mut next = server.raw("/?reply=verbatim").await;
            next.send(&raw::binary(&large)).await;
            if next.frame().await.first == FIN | BINARY {
                break;
            }
        }
    })
    .await;
}
