//! Stamped and verbatim replies.

use awc::ws::{Frame as AwcFrame, Message as AwcMessage};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::support::{
    Echo, PREFIX, in_time, now_ms,
    raw::{self, BINARY, FIN, Frame, PONG, TEXT},
};

/// Returns the timestamp of a stamped text reply. Fails unless the reply is the prefix, the message, a comma and digits.
fn timestamp(reply: &Message, prefix: &str, message: &str) -> u64 {
    let unprefixed = reply.to_text().unwrap().strip_prefix(prefix);
    let timestamp = unprefixed.and_then(|text| text.strip_prefix(message)?.strip_prefix(','));
    let timestamp = timestamp.unwrap_or_else(|| panic!("{reply:?} is not the stamped reply to {message:?}"));
    assert!(
        timestamp.bytes().all(|byte| byte.is_ascii_digit()),
        "{timestamp:?}"
    );
    timestamp.parse().unwrap()
}

#[actix_rt::test]
async fn a_text_reply_is_the_prefix_the_text_and_the_timestamp() {
    let echo = Echo::start();
    let mut client = echo.client("/").await;
    for message in [
        "1530000000000",
        "",
        ",",
        "你好，世界 🌍",
        "\u{FEFF}\0\r\n\"<b>",
        PREFIX,
    ] {
        let before = now_ms();
        let reply = client.exchange(message).await;
        assert!(reply.is_text());
        assert!(
            (before..=now_ms()).contains(&timestamp(&reply, PREFIX, message)),
            "{reply:?}"
        );
    }
}

#[actix_rt::test]
async fn a_binary_reply_ends_with_a_timestamp_of_8_bytes() {
    let echo = Echo::start();
    let mut client = echo.client("/").await;
    for message in [&b""[..], b"\0\xFF\x80", &[7; 70_000]] {
        let before = now_ms();
        let Message::Binary(reply) = client.exchange(Bytes::from_static(message)).await else {
            panic!("the reply is not binary");
        };
        let (echoed, timestamp) = reply.split_last_chunk::<8>().unwrap();
        assert_eq!(echoed, message);
        assert!((before..=now_ms()).contains(&u64::from_be_bytes(*timestamp)));
    }
}

#[actix_rt::test]
async fn verbatim_replies_have_the_same_type_and_payload() {
    let echo = Echo::start();
    let mut client = echo.client("/?reply=verbatim").await;
    for message in [
        Message::text(""),
        Message::text("é🦀"),
        Message::binary(Bytes::new()),
        Message::binary(&b"\0\xFF"[..]),
    ] {
        assert_eq!(client.exchange(message.clone()).await, message);
    }
}

#[actix_rt::test]
async fn awc_receives_replies() {
    let echo = Echo::start();
    let (response, mut client) = in_time("the handshake", awc::Client::new().ws(echo.url("/")).connect())
        .await
        .unwrap();
    assert_eq!(response.status(), 101);
    client.send(AwcMessage::Text("from awc".into())).await.unwrap();
    let AwcFrame::Text(reply) = in_time("the reply", client.next()).await.unwrap().unwrap() else {
        panic!("the reply is not text");
    };
    timestamp(
        &Message::text(str::from_utf8(&reply).unwrap()),
        PREFIX,
        "from awc",
    );
    client.send(AwcMessage::Binary("ab".into())).await.unwrap();
    let AwcFrame::Binary(reply) = in_time("the reply", client.next()).await.unwrap().unwrap() else {
        panic!("the reply is not binary");
    };
    assert_eq!((&reply[..2], reply.len()), (&b"ab"[..], 10));
}

#[actix_rt::test]
async fn stamped_is_the_default_and_can_be_requested() {
    let echo = Echo::start();
    for path in ["/", "/?reply=stamped", "/?other=key"] {
        let reply = echo.client(path).await.exchange("x").await;
        timestamp(&reply, PREFIX, "x");
    }
}

#[actix_rt::test]
async fn the_prefix_is_configurable() {
    for prefix in ["got: ", ""] {
        let echo = Echo::with(|config| config.prefix = prefix.into());
        timestamp(&echo.client("/").await.exchange("x").await, prefix, "x");
    }
}

#[actix_rt::test]
async fn the_server_sends_no_greeting_and_its_replies_are_unmasked_single_frames() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim").await;
    assert_eq!(peer.unread(), b"");
    peer.send(&raw::ping(b"first")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | PONG, *b"first"));
    for len in [0, 125, 126, 65_535, 65_536, 1_000_000] {
        peer.send(&raw::binary(&vec![1; len])).await;
        assert_eq!(peer.frame().await, Frame::new(FIN | BINARY, vec![1; len]));
    }
}

#[actix_rt::test]
async fn many_messages_in_one_segment_get_replies_in_order() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim").await;
    let numbers: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let packet: Vec<u8> = numbers.iter().flat_map(|number| raw::text(number)).collect();
    peer.send(&packet).await;
    for number in numbers {
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, number));
    }
}

#[actix_rt::test]
async fn a_message_that_arrives_byte_by_byte_gets_a_reply() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim").await;
    for byte in raw::text("κόσμε") {
        peer.send(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "κόσμε"));
}

#[actix_rt::test]
async fn a_masking_key_of_zeros_is_valid() {
    let echo = Echo::start();
    let mut peer = echo.raw("/?reply=verbatim").await;
    peer.send(b"\x81\x82\0\0\0\0ab").await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "ab"));
}

#[actix_rt::test]
async fn a_message_is_not_sent_to_other_connections() {
    let echo = Echo::start();
    let mut one = echo.client("/?reply=verbatim").await;
    let mut other = echo.client("/?reply=verbatim").await;
    one.send("one").await;
    other.send("other").await;
    assert_eq!(one.next().await, Message::text("one"));
    assert_eq!(other.next().await, Message::text("other"));
}
