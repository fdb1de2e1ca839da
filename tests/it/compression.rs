//! permessage-deflate (RFC 7692): its negotiation, and the frames of compressed messages.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use ws_echo::config::Switch;

use crate::support::{
    Echo,
    raw::{self, BINARY, CONTINUATION, FIN, Frame, PONG, RSV1, Raw, TEXT, frame},
};

/// Returns the server's `Sec-WebSocket-Extensions` for an offer.
async fn negotiated(path: &str, offer: &str) -> Option<String> {
    let echo = Echo::start();
    let (head, _peer) = open_with_offer(&echo, path, offer).await;
    head.get("sec-websocket-extensions").map(ToOwned::to_owned)
}

async fn open_with_offer(echo: &Echo, path: &str, offer: &str) -> (raw::Head, Raw) {
    Raw::open(
        echo.addr(),
        path,
        &format!("Sec-WebSocket-Extensions: {offer}\r\n"),
    )
    .await
}

/// The two compression contexts of a client. They use zlib directly, and no code of the server.
struct Contexts {
    deflate: Compress,
    inflate: Decompress,
}

impl Contexts {
    fn new(client_bits: u8, server_bits: u8) -> Self {
        Self {
            deflate: Compress::new_with_window_bits(Compression::best(), false, client_bits),
            inflate: Decompress::new_with_window_bits(false, server_bits),
        }
    }

    fn compress(&mut self, message: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(message.len() + 1000);
        self.deflate
            .compress_vec(message, &mut out, FlushCompress::Sync)
            .unwrap();
        assert!(out.ends_with(&[0, 0, 0xFF, 0xFF]));
        out.truncate(out.len() - 4);
        out
    }

    fn decompress(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(1 << 20);
        let input = [payload, &[0, 0, 0xFF, 0xFF]].concat();
        self.inflate
            .decompress_vec(&input, &mut out, FlushDecompress::Sync)
            .unwrap();
        out
    }
}

/// Returns a text of varying words, which compresses well.
fn prose(len: usize) -> String {
    let words = (0_u64..).map(|n| format!("word{} ", n * n % 101));
    let mut prose = String::new();
    for word in words {
        if prose.len() >= len {
            break;
        }
        prose.push_str(&word);
    }
    prose.truncate(len);
    prose
}

#[actix_rt::test]
async fn the_response_accepts_the_parameters_of_the_offer() {
    for (offer, expected) in [
        ("permessage-deflate", "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits", "permessage-deflate"),
        (
            "permessage-deflate; client_max_window_bits=15",
            "permessage-deflate",
        ),
        (
            "permessage-deflate; client_max_window_bits=9",
            "permessage-deflate; client_max_window_bits=9",
        ),
        (
            "permessage-deflate; server_max_window_bits=10",
            "permessage-deflate; server_max_window_bits=10",
        ),
        (
            "permessage-deflate; server_max_window_bits=\"15\"",
            "permessage-deflate; server_max_window_bits=15",
        ),
        (
            "permessage-deflate; server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover",
        ),
        (
            "permessage-deflate; client_no_context_takeover",
            "permessage-deflate; client_no_context_takeover",
        ),
        (
            "permessage-deflate; client_no_context_takeover; server_no_context_takeover; server_max_window_bits=12; client_max_window_bits=11",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; client_max_window_bits=11",
        ),
    ] {
        assert_eq!(negotiated("/", offer).await.as_deref(), Some(expected), "{offer}");
    }
}

#[actix_rt::test]
async fn the_first_acceptable_offer_is_accepted() {
    for (offers, expected) in [
        (
            "permessage-deflate; server_max_window_bits=10, permessage-deflate",
            "permessage-deflate; server_max_window_bits=10",
        ),
        (
            "permessage-deflate; unknown=1, permessage-deflate; server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover",
        ),
        (
            "permessage-bzip2, x-webkit-deflate-frame, permessage-deflate",
            "permessage-deflate",
        ),
        (
            "foo\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9",
            "permessage-deflate; server_max_window_bits=9",
        ),
    ] {
        assert_eq!(
            negotiated("/", offers).await.as_deref(),
            Some(expected),
            "{offers}"
        );
    }
}

#[actix_rt::test]
async fn an_offer_with_a_malformed_or_unknown_parameter_is_declined() {
    for offer in [
        "permessage-deflate; unknown",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; client_max_window_bits=\"",
        "permessage-deflate; client_max_window_bits=9x",
        "permessage-deflate;",
        "deflate",
    ] {
        assert_eq!(negotiated("/", offer).await, None, "{offer}");
    }
}

#[actix_rt::test]
async fn after_a_declined_offer_rsv1_is_a_violation() {
    let echo = Echo::start();
    let (_, mut peer) = open_with_offer(&echo, "/?reply=verbatim", "permessage-deflate; unknown").await;
    let message = prose(1000);
    peer.send(&raw::text(&message)).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, message));
    peer.send(&frame(FIN | RSV1 | TEXT, b"\xF2\x48\xCD\xC9\xC9\x07\x00"))
        .await;
    assert_eq!(
        peer.frame().await.closing(),
        (1002, "ws-echo: reserved bits are set")
    );
}

#[actix_rt::test]
async fn the_url_and_the_operator_can_disable_compression() {
    assert_eq!(negotiated("/?compress=off", "permessage-deflate").await, None);
    let echo = Echo::with(|config| config.compress = Switch::Off);
    let (head, mut peer) = open_with_offer(&echo, "/?reply=verbatim", "permessage-deflate").await;
    assert_eq!(head.get("sec-websocket-extensions"), None);
    peer.send(&raw::text(&prose(1000))).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, prose(1000)));
}

#[actix_rt::test]
async fn without_an_offer_replies_are_uncompressed() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim").await;
    peer.send(&raw::text(&prose(5000))).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, prose(5000)));
}

#[actix_rt::test]
async fn messages_are_compressed_in_both_directions_with_rsv1_set() {
    let echo = Echo::start();
    let (_, mut peer) = open_with_offer(&echo, "/?reply=verbatim", "permessage-deflate").await;
    let mut contexts = Contexts::new(15, 15);
    for (opcode, message) in [
        (TEXT, prose(3000).into_bytes()),
        (BINARY, vec![7; 100_000]),
        (TEXT, "客户端".repeat(100).into_bytes()),
        (TEXT, prose(3000).into_bytes()),
    ] {
        peer.send(&frame(FIN | RSV1 | opcode, &contexts.compress(&message)))
            .await;
        let reply = peer.frame().await;
        assert_eq!(reply.first, FIN | RSV1 | opcode);
        assert!(reply.payload.len() < message.len() / 2, "{reply:?}");
        assert!(contexts.decompress(&reply.payload) == message);
    }
}

#[actix_rt::test]
async fn the_context_is_taken_over_unless_no_context_takeover_is_negotiated() {
    for (offer, takeover) in [
        ("permessage-deflate", true),
        ("permessage-deflate; server_no_context_takeover", false),
    ] {
        let echo = Echo::start();
        let (_, mut peer) = open_with_offer(&echo, "/?reply=verbatim", offer).await;
        let message = prose(500);
        let mut sizes = Vec::new();
        for _ in 0..2 {
            peer.send(&raw::text(&message)).await;
            sizes.push(peer.frame().await.payload.len());
        }
        // The second message is much shorter if it may refer to the first.
        assert_eq!(sizes[1] < sizes[0] / 2, takeover, "{offer}: {sizes:?}");
        assert_eq!(sizes[1] == sizes[0], !takeover, "{offer}: {sizes:?}");
    }
}

#[actix_rt::test]
async fn every_negotiated_window_size_works_in_both_directions() {
    for bits in 9..=15 {
        let echo = Echo::start();
        let offer =
            format!("permessage-deflate; server_max_window_bits={bits}; client_max_window_bits={bits}");
        let (_, mut peer) = open_with_offer(&echo, "/?reply=verbatim", &offer).await;
        let mut contexts = Contexts::new(bits, bits);
        for len in [40_000, 1000, 100_000] {
            let message = prose(len);
            peer.send(&frame(FIN | RSV1 | TEXT, &contexts.compress(message.as_bytes())))
                .await;
            let reply = peer.frame().await;
            assert_eq!(reply.first, FIN | RSV1 | TEXT);
            assert!(
                contexts.decompress(&reply.payload) == message.as_bytes(),
                "{bits} bits"
            );
        }
    }
}

#[actix_rt::test]
async fn messages_of_a_client_without_context_takeover_are_decompressed() {
    let echo = Echo::start();
    let (_, mut peer) = open_with_offer(
        &echo,
        "/?reply=verbatim",
        "permessage-deflate; client_no_context_takeover",
    )
    .await;
    let mut contexts = Contexts::new(15, 15);
    for _ in 0..3 {
        let message = prose(2000);
        let payload = Contexts::new(15, 15).compress(message.as_bytes());
        peer.send(&frame(FIN | RSV1 | TEXT, &payload)).await;
        assert!(contexts.decompress(&peer.frame().await.payload) == message.as_bytes());
    }
}

#[actix_rt::test]
async fn short_messages_get_uncompressed_replies() {
    let echo = Echo::start();
    let (_, mut peer) = open_with_offer(&echo, "/?reply=verbatim", "permessage-deflate").await;
    for message in ["", "a", "aaaaaaaaaaaaaaa"] {
        peer.send(&raw::text(message)).await;
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, message));
    }
}

#[actix_rt::test]
async fn incompressible_messages_get_uncompressed_replies_and_the_context_stays_valid() {
    let echo = Echo::start();
    let (_, mut peer) = open_with_offer(&echo, "/?reply=verbatim", "permessage-deflate").await;
    let mut contexts = Contexts::new(15, 15);
    // A xorshift: pseudo-random bytes do not compress.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
    .take(10_000)
    .collect();
    for _ in 0..2 {
        let message = prose(2000);
        peer.send(&raw::text(&message)).await;
        let reply = peer.frame().await;
        assert_eq!(reply.first, FIN | RSV1 | TEXT);
        assert!(contexts.decompress(&reply.payload) == message.as_bytes());
        peer.send(&raw::binary(&noise)).await;
        let reply = peer.frame().await;
        if reply.first & RSV1 == 0 {
            assert!(reply == Frame::new(FIN | BINARY, noise.clone()));
        } else {
            // The second message may refer to the first, and is then shorter compressed.
            assert!(contexts.decompress(&reply.payload) == noise);
        }
    }
}

#[actix_rt::test]
async fn a_compressed_message_may_be_fragmented_with_pings_between() {
    let echo = Echo::start();
    let (_, mut peer) = open_with_offer(&echo, "/?reply=verbatim", "permessage-deflate").await;
    let mut contexts = Contexts::new(15, 15);
    let message = prose(3000);
    let payload = contexts.compress(message.as_bytes());
    let (first, remaining) = payload.split_at(1);
    let (middle, last) = remaining.split_at(remaining.len() / 2);
    peer.send(
        &[
            frame(RSV1 | TEXT, first),
            raw::ping(b"one"),
            frame(CONTINUATION, middle),
        ]
        .concat(),
    )
    .await;
    assert_eq!(peer.frame().await, Frame::new(FIN | PONG, *b"one"));
    peer.send(&[frame(CONTINUATION, b""), raw::ping(b"two"), frame(FIN, last)].concat())
        .await;
    assert_eq!(peer.frame().await, Frame::new(FIN | PONG, *b"two"));
    let reply = peer.frame().await;
    assert!(contexts.decompress(&reply.payload) == message.as_bytes());
}

#[actix_rt::test]
async fn compressed_and_uncompressed_messages_may_be_mixed_in_one_segment() {
    let echo = Echo::start();
    let (_, mut peer) = open_with_offer(&echo, "/?reply=verbatim", "permessage-deflate").await;
    let mut contexts = Contexts::new(15, 15);
    let packet = [
        raw::text("plain"),
        frame(FIN | RSV1 | TEXT, &contexts.compress(b"short")),
        raw::text("plain too"),
        // RFC 7692 section 7.2.3.6: an empty message.
        frame(FIN | RSV1 | TEXT, &[0]),
        frame(FIN | RSV1 | TEXT, &contexts.compress(b"short")),
    ];
    peer.send(&packet.concat()).await;
    for expected in ["plain", "short", "plain too", "", "short"] {
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, expected));
    }
}

#[actix_rt::test]
async fn rsv1_on_a_continuation_or_a_control_frame_gets_1002() {
    let echo = Echo::start();
    for invalid in [
        [frame(RSV1 | TEXT, b"\xF2"), frame(FIN | RSV1, b"\x48")].concat(),
        [frame(TEXT, b"x"), frame(FIN | RSV1, b"x")].concat(),
        frame(FIN | RSV1 | raw::PING, b""),
        frame(FIN | RSV1 | raw::CLOSE, b""),
        frame(FIN | 0x20 | TEXT, b""),
        frame(FIN | RSV1 | 0x10 | TEXT, b""),
    ] {
        let (_, mut peer) = open_with_offer(&echo, "/", "permessage-deflate").await;
        peer.send(&invalid).await;
        assert_eq!(
            peer.frame().await.closing(),
            (1002, "ws-echo: reserved bits are set"),
            "{invalid:x?}"
        );
    }
}

#[actix_rt::test]
async fn compressed_text_that_is_not_utf8_gets_1007() {
    let echo = Echo::start();
    let payload = Contexts::new(15, 15).compress(b"good\xFFbad");
    for frames in [
        frame(FIN | RSV1 | TEXT, &payload),
        [frame(RSV1 | TEXT, &payload[..3]), frame(FIN, &payload[3..])].concat(),
        // The violation is detected before the end of the message.
        frame(RSV1 | TEXT, &payload),
    ] {
        let (_, mut peer) = open_with_offer(&echo, "/", "permessage-deflate").await;
        peer.send(&frames).await;
        assert_eq!(peer.frame().await.closing(), (1007, "ws-echo: text is not UTF-8"));
    }
}

#[actix_rt::test]
async fn an_invalid_deflate_stream_gets_1007() {
    let echo = Echo::start();
    let (_, mut peer) = open_with_offer(&echo, "/", "permessage-deflate").await;
    peer.send(&frame(FIN | RSV1 | BINARY, b"\x07\xFF\xFF")).await;
    assert_eq!(
        peer.frame().await.closing(),
        (1007, "ws-echo: a compressed message cannot be decompressed")
    );
}

#[actix_rt::test]
async fn the_closing_handshake_works_with_compression() {
    let echo = Echo::start();
    let (_, mut peer) = open_with_offer(&echo, "/", "permessage-deflate").await;
    peer.send(&[raw::text(&prose(500)), raw::close(4000, "bye")].concat())
        .await;
    assert_eq!(peer.frame().await.first, FIN | RSV1 | TEXT);
    assert_eq!(peer.closed().await, (4000, "bye".to_owned()));
}
