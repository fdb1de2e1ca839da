//! The behaviours that end a connection or change its bytes, over TLS.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    support::{
        in_time,
        raw::{self, upgrade},
    },
    tls::{Server, read_to_end, session},
};

#[actix_rt::test]
async fn fin_sends_close_notify_before_the_end() {
    let server = Server::start(&[]).await;
    let mut peer = session(server.connect().await, "/?reply=verbatim&fin&after=1").await;
    peer.write_all(&[raw::text("a"), raw::text("b")].concat())
        .await
        .unwrap();
    // An end without close_notify is an error.
    assert_eq!(read_to_end(&mut peer).await.unwrap(), b"\x81\x01a");
}

#[actix_rt::test]
async fn close_reply_ends_the_connection_as_without_tls() {
    let server = Server::start(&[]).await;
    for (value, bytes) in [("fin", &b""[..]), ("20ms", b"\x88\x02\x03\xE8")] {
        let mut peer = session(server.connect().await, &format!("/?close-reply={value}")).await;
        peer.write_all(&raw::close(1000, "")).await.unwrap();
        assert_eq!(read_to_end(&mut peer).await.unwrap(), bytes, "{value}");
    }
}

#[actix_rt::test]
#[cfg_attr(windows, ignore = "wine's recv returns a reset as the end of the stream")]
async fn close_reply_abort_resets_the_connection_as_without_tls() {
    let server = Server::start(&[]).await;
    let mut peer = session(server.connect().await, "/?close-reply=abort").await;
    peer.write_all(&raw::close(1000, "")).await.unwrap();
    let error = read_to_end(&mut peer).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[actix_rt::test]
async fn handshake_breaks_the_101() {
    let server = Server::start(&[]).await;
    for (kind, start) in [
        ("http10", "HTTP/1.0 101 "),
        ("garbage", "ws-echo: no HTTP by request\r\n\r\n"),
        ("truncated", "HTTP/1.1 101 "),
        ("no-accept", "HTTP/1.1 101 "),
        ("glued", "HTTP/1.1 101 "),
    ] {
        let mut stream = server.connect().await;
        let path = format!("/?handshake={kind}&hello=text:welcome&close=1000");
        stream.write_all(upgrade(&path, "").as_bytes()).await.unwrap();
        if !["garbage", "truncated"].contains(&kind) {
            stream.write_all(&raw::close(1000, "")).await.unwrap();
        }
        let sent = read_to_end(&mut stream).await.unwrap();
        let sent = String::from_utf8_lossy(&sent);
        assert!(sent.starts_with(start), "{kind}: {sent}");
        if kind == "no-accept" {
            assert!(!sent.contains("sec-websocket-accept"), "{sent}");
        }
        assert_eq!(sent.contains("\r\n\r\n"), kind != "truncated", "{kind}: {sent}");
        assert_eq!(
            sent.contains("welcome"),
            !["garbage", "truncated"].contains(&kind),
            "{kind}: {sent}"
        );
    }
}

#[actix_rt::test]
async fn read_rate_and_push_send_and_receive_every_byte() {
    let server = Server::start(&[]).await;
    let path = "/?reply=verbatim&read-rate=200000&push=100KiB";
    let mut peer = session(server.connect().await, path).await;
    let mut pushed = vec![0; 10 + 100 * 1024];
    in_time("the message of push", peer.read_exact(&mut pushed))
        .await
        .unwrap();
    assert_eq!(pushed[..2], [0x82, 127]);
    let message = vec![7; 50_000];
    peer.write_all(&[raw::binary(&message), raw::close(1000, "")].concat())
        .await
        .unwrap();
    let rest = read_to_end(&mut peer).await.unwrap();
    // The milliseconds of `push` come first.
    assert_eq!(rest[0], 0x81);
    let reply = &rest[2 + usize::from(rest[1])..];
    assert_eq!(reply[..4], [0x82, 126, 0xC3, 0x50]);
    assert_eq!(reply[4..4 + 50_000], message);
}
