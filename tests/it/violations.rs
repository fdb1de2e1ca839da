//! Violations of the protocol: the close code and the reason of each, sent as soon as the violation has arrived.

use std::time::Duration;

use ws_echo::config::Timer;

use crate::support::{
    Echo,
    raw::{self, BINARY, CLOSE, CONTINUATION, FIN, Frame, PING, PONG, RSV1, TEXT, frame, header},
};

/// Sends `bytes` at once, and again byte by byte. Returns the close code and the reason, which must be the same.
async fn close_of(bytes: &[u8]) -> (u16, String) {
    // No Ping comes before the Close on a slow machine.
    let echo = Echo::with(|config| config.ping_interval = Timer::of(Duration::ZERO));
    let mut closes = Vec::new();
    for size in [bytes.len(), 1] {
        let mut peer = echo.raw("/?reply=verbatim").await;
        for part in bytes.chunks(size) {
            peer.send(part).await;
            tokio::task::yield_now().await;
        }
        // The server must not wait for further bytes: none are sent.
        let close = peer.frame().await;
        let (code, reason) = close.closing();
        assert!(reason.len() <= 123, "{reason}");
        closes.push((code, reason.to_owned()));
    }
    assert_eq!(closes[0], closes[1], "at once and byte by byte: {bytes:x?}");
    closes.remove(0)
}

async fn assert_closes(bytes: &[u8], code: u16, reason: &str) {
    let expected = (code, format!("ws-echo: {reason}"));
    assert_eq!(
        close_of(bytes).await,
        expected,
        "{}",
        bytes[..bytes.len().min(40)].escape_ascii()
    );
}

#[actix_rt::test]
async fn bytes_that_are_not_frames_get_1002() {
    assert_closes(b"GET / HTTP/1.1\r\n\r\n", 1002, "opcode 7 is reserved").await;
    assert_closes(b"\x16\x03\x01\x02\x00", 1002, "opcode 6 is reserved").await;
}

#[actix_rt::test]
async fn an_unmasked_frame_gets_1002_at_its_second_byte() {
    for bytes in [&b"\x81\x00"[..], b"\x82\x7E", b"\x89\x05", b"\x88\x02"] {
        assert_closes(bytes, 1002, "a frame from the client is not masked").await;
    }
}

#[actix_rt::test]
async fn reserved_bits_get_1002() {
    for bits in [0x10, 0x20, 0x30, RSV1, 0x70] {
        for opcode in [TEXT, BINARY, PING] {
            assert_closes(&frame(FIN | bits | opcode, b""), 1002, "reserved bits are set").await;
        }
    }
}

#[actix_rt::test]
async fn reserved_opcodes_get_1002() {
    for opcode in (3..=7).chain(11..=15) {
        let reason = format!("opcode {opcode} is reserved");
        assert_closes(&frame(FIN | opcode, b""), 1002, &reason).await;
    }
}

#[actix_rt::test]
async fn a_fragmented_control_frame_gets_1002() {
    for opcode in [CLOSE, PING, PONG] {
        assert_closes(&frame(opcode, b""), 1002, "a control frame is fragmented").await;
    }
}

#[actix_rt::test]
async fn a_control_frame_of_126_bytes_gets_1002_before_its_payload_arrives() {
    for opcode in [CLOSE, PING, PONG] {
        let complete = frame(FIN | opcode, &[0; 126]);
        for bytes in [&complete[..], &complete[..2]] {
            assert_closes(bytes, 1002, "a control frame is longer than 125 bytes").await;
        }
    }
}

#[actix_rt::test]
async fn a_length_that_is_not_in_its_shortest_form_gets_1002() {
    for bytes in [
        &b"\x82\xFE\0\x7D\0\0\0\0"[..],
        b"\x82\xFF\0\0\0\0\0\0\xFF\xFF\0\0\0\0",
        b"\x82\xFF\x80\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        assert_closes(
            bytes,
            1002,
            "a payload length is not in its shortest form or has its highest bit set",
        )
        .await;
    }
}

#[actix_rt::test]
async fn a_continuation_frame_without_a_message_gets_1002() {
    for bytes in [
        frame(CONTINUATION, b"x"),
        frame(FIN | CONTINUATION, b""),
        header(FIN | CONTINUATION, 1_000_000),
    ] {
        assert_closes(&bytes, 1002, "a continuation frame without a message to continue").await;
    }
}

#[actix_rt::test]
async fn a_message_within_a_fragmented_one_gets_1002() {
    for first in [TEXT, BINARY, FIN | TEXT, FIN | BINARY] {
        let bytes = [frame(TEXT, b"fragment"), header(first, 5)].concat();
        assert_closes(&bytes, 1002, "a new message before the fragmented one has ended").await;
    }
}

#[actix_rt::test]
async fn a_close_body_of_one_byte_gets_1002() {
    assert_closes(
        &frame(FIN | CLOSE, b"\x03"),
        1002,
        "a Close frame with a body of one byte",
    )
    .await;
}

#[actix_rt::test]
async fn a_close_code_that_must_not_be_sent_gets_1002() {
    for code in [
        0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535,
    ] {
        let reason = format!("close code {code} must not be sent");
        assert_closes(&raw::close(code, ""), 1002, &reason).await;
    }
}

#[actix_rt::test]
async fn a_close_reason_that_is_not_utf8_gets_1007() {
    assert_closes(&frame(FIN | CLOSE, b"\x03\xE8\xFF"), 1007, "text is not UTF-8").await;
}

/// Bytes that are not UTF-8: an invalid byte, a surrogate, a code point past U+10FFFF, an overlong form, an incomplete
/// character, and a continuation byte alone.
const NOT_UTF8: [&[u8]; 6] = [
    b"\xFF",
    b"\xED\xA0\x80",
    b"\xF4\x90\x80\x80",
    b"\xC0\xAF",
    b"\xE2\x82",
    b"\x80",
];

#[actix_rt::test]
async fn text_that_is_not_utf8_gets_1007() {
    for invalid in NOT_UTF8 {
        for long in [0, 5000] {
            let payload = [&vec![b'a'; long], invalid].concat();
            assert_closes(&frame(FIN | TEXT, &payload), 1007, "text is not UTF-8").await;
        }
    }
}

#[actix_rt::test]
async fn fragmented_text_that_is_not_utf8_gets_1007() {
    for invalid in NOT_UTF8 {
        let bytes = [frame(TEXT, "é".as_bytes()), frame(FIN, invalid)].concat();
        assert_closes(&bytes, 1007, "text is not UTF-8").await;
    }
}

#[actix_rt::test]
async fn an_invalid_byte_in_an_incomplete_frame_gets_1007_at_once() {
    // The header declares 1,000,000 bytes, and 10 arrive.
    let payload: Vec<u8> = raw::masked("κό\u{7F}".as_bytes()).collect();
    let invalid: Vec<u8> = raw::masked(b"good so f\xFF").collect();
    assert_closes(
        &[header(FIN | TEXT, 1_000_000), invalid.clone()].concat(),
        1007,
        "text is not UTF-8",
    )
    .await;
    assert_closes(
        &[header(TEXT, 1_000_000), invalid].concat(),
        1007,
        "text is not UTF-8",
    )
    .await;
    let mut continuation = frame(TEXT, b"");
    continuation.extend(header(CONTINUATION, 1_000_000));
    continuation.extend(payload);
    let last = continuation.len() - 1;
    // 7F becomes FF.
    continuation[last] ^= 0x80;
    assert_closes(&continuation, 1007, "text is not UTF-8").await;
}

#[actix_rt::test]
async fn an_invalid_character_across_fragments_gets_1007_before_the_message_ends() {
    let bytes = [frame(TEXT, b"\xF4"), frame(CONTINUATION, b"\x90")].concat();
    assert_closes(&bytes, 1007, "text is not UTF-8").await;
}

#[actix_rt::test]
async fn binary_messages_may_contain_any_bytes() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim").await;
    for invalid in NOT_UTF8 {
        peer.send(&raw::binary(invalid)).await;
        assert_eq!(peer.frame().await, Frame::new(FIN | BINARY, invalid));
    }
}

#[actix_rt::test]
async fn messages_before_a_violation_get_replies_before_the_close() {
    for (invalid, code) in [
        (frame(FIN | 3, b""), 1002),
        (frame(FIN | TEXT, b"\xFF"), 1007),
        (header(FIN | BINARY, 1 << 62), 1009),
    ] {
        let echo = Echo::start();
        let mut peer = echo.raw("/?reply=verbatim").await;
        peer.send(&[raw::text("first"), raw::ping(b"second"), invalid].concat())
            .await;
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "first"));
        assert_eq!(peer.frame().await, Frame::new(FIN | PONG, "second"));
        assert_eq!(peer.frame().await.closing().0, code);
    }
}
