//! The closing handshake (RFC 6455 section 7) with a server process, because the end of the TCP connection is a part of it.

use crate::support::{
    process::Process,
    raw::{self, CLOSE, FIN, Frame, Raw, TEXT, frame},
};

#[actix_rt::test]
async fn the_server_replies_to_a_close_with_its_code_and_reason_and_ends_the_connection() {
    let server = Process::start(&[]).await;
    for code in [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
    ] {
        for reason in ["bye é", ""] {
            let mut peer = server.raw("/").await;
            peer.send(&raw::close(code, reason)).await;
            // The client keeps its direction open: the server ends the connection.
            assert_eq!(peer.closed().await, (code, reason.to_owned()));
        }
    }
}

#[actix_rt::test]
async fn a_close_without_a_body_gets_one_without_a_body() {
    let server = Process::start(&[]).await;
    let mut peer = server.raw("/").await;
    peer.send(&frame(FIN | CLOSE, b"")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | CLOSE, ""));
    peer.end().await;
}

#[actix_rt::test]
async fn a_close_reason_of_123_bytes_is_returned_complete() {
    let server = Process::start(&[]).await;
    let mut peer = server.raw("/").await;
    let reason = format!("{}é", "x".repeat(121));
    assert_eq!(reason.len(), 123);
    peer.send(&raw::close(1000, &reason)).await;
    assert_eq!(peer.closed().await, (1000, reason));
}

#[actix_rt::test]
async fn pending_replies_are_sent_before_the_close() {
    let server = Process::start(&[]).await;
    let mut peer = server.raw("/?reply=verbatim").await;
    peer.send(&[raw::text("one"), raw::text("two"), raw::close(1000, "")].concat())
        .await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "one"));
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "two"));
    assert_eq!(peer.closed().await, (1000, String::new()));
}

#[actix_rt::test]
async fn frames_after_a_close_get_no_reply() {
    let server = Process::start(&[]).await;
    for after in [
        raw::text("x"),
        raw::ping(b""),
        raw::close(1001, ""),
        b"no frame at all".to_vec(),
    ] {
        let mut peer = server.raw("/?reply=verbatim").await;
        peer.send(&[raw::close(1000, ""), after].concat()).await;
        assert_eq!(peer.closed().await, (1000, String::new()));
    }
}

#[actix_rt::test]
async fn a_close_that_arrives_in_two_reads_is_decoded() {
    let server = Process::start(&[]).await;
    let close = raw::close(3000, "in pieces");
    for cut in 1..close.len() {
        let mut peer = server.raw("/").await;
        peer.send(&close[..cut]).await;
        tokio::task::yield_now().await;
        peer.send(&close[cut..]).await;
        assert_eq!(
            peer.closed().await,
            (3000, "in pieces".to_owned()),
            "cut at {cut}"
        );
    }
}

/// Opens a session, violates the protocol and receives the server's Close frame.
async fn violator(server: &Process) -> Raw {
    let mut peer = server.raw("/").await;
    // A frame that is not masked.
    peer.send(b"\x81\x00").await;
    assert_eq!(peer.frame().await.closing().0, 1002);
    peer
}

#[actix_rt::test]
async fn after_its_close_the_server_awaits_the_clients_and_ends_the_connection() {
    let server = Process::start(&[]).await;
    let mut peer = violator(&server).await;
    peer.send(&raw::close(1002, "")).await;
    peer.end().await;
}

#[actix_rt::test]
async fn the_server_ends_the_connection_of_a_client_that_does_not_reply_to_its_close() {
    let server = Process::start(&[]).await;
    violator(&server).await.end().await;
}

#[actix_rt::test]
async fn after_its_close_the_server_sends_no_replies() {
    let server = Process::start(&[]).await;
    let mut peer = violator(&server).await;
    peer.send(&[raw::text("x"), raw::ping(b"x"), raw::close(1000, "")].concat())
        .await;
    peer.end().await;
}

#[actix_rt::test]
async fn a_client_that_keeps_sending_receives_the_close() {
    let server = Process::start(&[]).await;
    let mut peer = server.raw("/").await;
    // If the server closed the socket with unread bytes, the kernel would send a reset, and the Close frame could be lost.
    peer.send(b"\x81\x00").await;
    let flood = raw::binary(&vec![0; 1 << 20]);
    for _ in 0..8 {
        peer.send(&flood).await;
    }
    assert_eq!(peer.frame().await.closing().0, 1002);
    peer.send(&raw::close(1002, "")).await;
    peer.end().await;
}

#[actix_rt::test]
async fn a_fin_without_a_close_ends_the_session_with_1006() {
    use tokio::io::AsyncWriteExt as _;
    let mut server = Process::start(&[]).await;
    for sent in [
        vec![],
        raw::text("complete"),
        frame(TEXT, b"fragment"),
        raw::header(FIN | TEXT, 100),
        b"\x81".to_vec(),
    ] {
        let mut peer = server.raw("/?reply=verbatim").await;
        peer.send(&sent).await;
        peer.stream.shutdown().await.unwrap();
        let closed = server.logged("connection closed").await;
        let lost = "code=1006 by=peer reason=\"connection lost without a Close frame\"";
        assert!(closed.contains(lost), "{sent:?}: {closed}");
    }
}
