//! The largest message and the most fragments, at their edge.

use flate2::{Compress, Compression, FlushCompress};
use ws_echo::config::{Cap, Size};

use crate::support::{
    Echo,
    raw::{self, BINARY, CONTINUATION, FIN, Frame, RSV1, Raw, TEXT, frame, header},
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
async fn the_limit_counts_over_all_fragments() {
    let echo = limited();
    let mut peer = echo.raw("/?reply=verbatim").await;
    let fragments = [
        frame(BINARY, &[1; 400]),
        frame(CONTINUATION, &[1; 400]),
        frame(FIN, &[1; 200]),
    ];
    peer.send(&fragments.concat()).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | BINARY, [1; LIMIT]));
    // The message before counts no more, and control frames never do.
    peer.send(&[frame(BINARY, &[1; LIMIT]), raw::ping(&[0; 125]), frame(FIN, b"")].concat())
        .await;
    peer.frame().await;
    assert_eq!(peer.frame().await, Frame::new(FIN | BINARY, [1; LIMIT]));
    peer.send(&[frame(BINARY, &[1; LIMIT]), frame(FIN, &[1])].concat())
        .await;
    assert_too_big(&mut peer, "fragmented").await;
}

#[actix_rt::test]
async fn a_header_that_says_too_much_gets_1009_before_any_payload() {
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

/// A message compressed as RFC 7692 section 7.2.1 has it.
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
async fn the_limit_counts_after_inflating() {
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
async fn a_message_may_have_so_many_fragments_and_no_more() {
    let echo = Echo::with(|config| config.max_fragments = Cap::of(3));
    for payload in [&b""[..], b"x"] {
        let mut peer = echo.raw("/?reply=verbatim").await;
        let (first, middle, last) = (
            frame(BINARY, payload),
            frame(CONTINUATION, payload),
            frame(FIN, payload),
        );
        // Twice: each message is counted anew.
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
async fn zero_switches_both_limits_off() {
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
