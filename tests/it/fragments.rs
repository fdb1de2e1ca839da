//! Fragmented messages (RFC 6455 section 5.4).

use crate::support::{
    Echo,
    raw::{self, BINARY, CONTINUATION, FIN, Frame, PONG, TEXT, frame},
};

/// Sends each frame in its own segment, then all in one, and returns the reply, which must be the same.
async fn reply(frames: &[Vec<u8>]) -> Frame {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim").await;
    for frame in frames {
        peer.send(frame).await;
    }
    let reply = peer.frame().await;
    peer.send(&frames.concat()).await;
    assert_eq!(peer.frame().await, reply);
    reply
}

#[actix_rt::test]
async fn a_text_in_three_frames_is_one_message() {
    let frames = [
        frame(TEXT, b"one "),
        frame(CONTINUATION, b"two "),
        frame(FIN, b"three"),
    ];
    assert_eq!(reply(&frames).await, Frame::new(FIN | TEXT, "one two three"));
}

#[actix_rt::test]
async fn a_binary_message_in_two_frames_is_one_message() {
    let frames = [frame(BINARY, &[0xFF; 200]), frame(FIN, &[0xFE; 70_000])];
    let message = [vec![0xFF; 200], vec![0xFE; 70_000]].concat();
    assert_eq!(reply(&frames).await, Frame::new(FIN | BINARY, message));
}

#[actix_rt::test]
async fn empty_fragments_add_nothing_to_the_message() {
    let frames = [
        frame(TEXT, b""),
        frame(CONTINUATION, b""),
        frame(CONTINUATION, b"x"),
        frame(FIN, b""),
    ];
    assert_eq!(reply(&frames).await, Frame::new(FIN | TEXT, "x"));
    let frames = [frame(BINARY, b""), frame(FIN, b"")];
    assert_eq!(reply(&frames).await, Frame::new(FIN | BINARY, ""));
}

#[actix_rt::test]
async fn a_character_may_be_split_between_fragments() {
    let crab = "🦀".as_bytes();
    for cut in 0..=crab.len() {
        let frames = [frame(TEXT, &crab[..cut]), frame(FIN, &crab[cut..])];
        assert_eq!(reply(&frames).await, Frame::new(FIN | TEXT, "🦀"), "cut at {cut}");
    }
    let bytewise: Vec<_> = [frame(TEXT, b"")]
        .into_iter()
        .chain(crab.iter().map(|byte| frame(CONTINUATION, &[*byte])))
        .chain([frame(FIN, b"")])
        .collect();
    assert_eq!(reply(&bytewise).await, Frame::new(FIN | TEXT, "🦀"));
}

#[actix_rt::test]
async fn control_frames_between_fragments_get_replies_at_once() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim").await;
    // The control frames arrive within a character.
    peer.send(&frame(TEXT, b"\xC3")).await;
    for payload in ["", "in between"] {
        peer.send(&raw::ping(payload.as_bytes())).await;
        assert_eq!(peer.frame().await, Frame::new(FIN | PONG, payload));
    }
    peer.send(&frame(FIN | PONG, b"unsolicited")).await;
    peer.send(&frame(FIN, b"\xA9")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "é"));
}

#[actix_rt::test]
async fn a_close_between_fragments_ends_the_session_without_a_reply_to_the_message() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim").await;
    peer.send(&frame(TEXT, b"never complete")).await;
    peer.send(&raw::close(1000, "")).await;
    assert_eq!(peer.closed().await, (1000, String::new()));
}

#[actix_rt::test]
async fn a_message_after_a_fragmented_one_has_its_own_type() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim").await;
    peer.send(
        &[
            frame(TEXT, b"a"),
            frame(FIN, b"b"),
            raw::binary(b"c"),
            frame(BINARY, b"\xFF"),
            frame(FIN, b"d"),
        ]
        .concat(),
    )
    .await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "ab"));
    assert_eq!(peer.frame().await, Frame::new(FIN | BINARY, "c"));
    assert_eq!(peer.frame().await, Frame::new(FIN | BINARY, *b"\xFFd"));
}

#[actix_rt::test]
async fn a_stamped_reply_to_a_fragmented_message_is_one_frame() {
    let echo = Echo::start();
    let mut peer = echo.raw("/").await;
    peer.send(&[frame(BINARY, b"a"), frame(FIN, b"b")].concat()).await;
    let reply = peer.frame().await;
    assert_eq!(
        (reply.first, reply.payload.len(), &reply.payload[..2]),
        (FIN | BINARY, 10, &b"ab"[..])
    );
}
