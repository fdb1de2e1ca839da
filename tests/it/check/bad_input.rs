//! Ends that misbehave: one clear line each, in time, with bounded memory and no control character.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use ws_echo::protocol::handshake_key::accept_key;

use crate::support::check::{check, report};

/// Accepts connections, reads the request of each, and passes both to `serve`.
pub(super) async fn end<F: Future<Output = ()> + 'static>(
    serve: impl Fn(TcpStream, String) -> F + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let serve = std::rc::Rc::new(serve);
    actix_rt::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let serve = std::rc::Rc::clone(&serve);
            actix_rt::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                serve(stream, String::from_utf8(request).unwrap()).await;
            });
        }
    });
    addr
}

/// Returns a valid 101 for a request, with more fields.
fn valid_101(request: &str, fields: &str) -> String {
    let key = request
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .unwrap();
    let accept = accept_key(key.as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{fields}Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

/// Asserts that nobody answers: exit code 3, and one line with this text.
async fn assert_nobody(url: &str, text: &str) {
    let checked = check(&[url, "--timeout=500ms"]).await;
    assert_eq!((checked.code, &*checked.out), (3, ""), "{checked:?}");
    assert_eq!(checked.error.lines().count(), 1, "{checked:?}");
    assert!(
        checked
            .error
            .starts_with(&format!("ws-echo: nobody answers at {url}: ")),
        "{checked:?}"
    );
    assert!(checked.error.contains(text), "{checked:?}");
    assert!(!checked.error.contains('\x1b'), "{checked:?}");
}

#[actix_rt::test]
async fn nobody_answers_is_one_line_and_exit_code_3() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    assert_nobody(&format!("ws://{free}/"), "cannot connect to").await;
    assert_nobody(&format!("wss://{free}/"), "cannot connect to").await;
    assert_nobody("ws://nobody.invalid/", "").await;
    let silent = end(|_stream, _| std::future::pending()).await;
    // The request is read and the connection dropped.
    assert_nobody(&format!("ws://{silent}/"), "the connection ended after 0 bytes").await;
    let silent = end(|stream, _| async move {
        let _stream = stream;
        std::future::pending().await
    })
    .await;
    assert_nobody(
        &format!("ws://{silent}/"),
        "no complete header section of a response within 500ms",
    )
    .await;
    assert_nobody(&format!("wss://{silent}/"), "no TLS handshake within 500ms").await;
    let garbage = end(|mut stream, _| async move {
        let _ = stream.write_all(b"SSH-2.0-x\x1b[31m\r\n").await;
    })
    .await;
    assert_nobody(&format!("ws://{garbage}/"), "not HTTP/1.1").await;
    let slow = end(|mut stream, request| async move {
        for byte in valid_101(&request, "").bytes() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            if stream.write_all(&[byte]).await.is_err() {
                break;
            }
        }
    })
    .await;
    assert_nobody(
        &format!("ws://{slow}/"),
        "no complete header section of a response",
    )
    .await;
    let endless = end(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nA: ").await;
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    assert_nobody(
        &format!("ws://{endless}/"),
        "the header section of the response exceeds",
    )
    .await;
}

#[actix_rt::test]
async fn a_port_without_tls_fails_the_check_tls() {
    let plain = end(|mut stream, _| async move {
        let _ = stream.write_all(b"x").await;
    })
    .await;
    // The client hello is no request, so that the end answers nothing. nginx would.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let http = listener.local_addr().unwrap();
    actix_rt::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let _ = plain;
    let checked = report(&[&format!("wss://{http}/"), "--timeout=2s"]).await;
    checked.assert("tls", "broken", &["TLS handshake failed"]);
    checked.assert("handshake", "skipped", &["the TLS handshake fails"]);
}

#[actix_rt::test]
async fn no_control_character_of_the_far_end_is_in_any_format() {
    let hostile = end(|mut stream, _| async move {
        let _ = stream
            .write_all(b"HTTP/1.1 400 Bad\r\nServer: a\xC2\x9B31mb|<&>\r\nVia: \xE2\x80\xAE\r\n\r\n\x1b[2J\x07<b>\x00\x1b]0;x\x07")
            .await;
    })
    .await;
    let url = format!("ws://{hostile}/");
    for format in ["text", "json", "junit", "markdown"] {
        let checked = check(&[&url, "--format", format]).await;
        assert_eq!(checked.code, 1, "{checked:?}");
        let control = checked.out.chars().find(|char| {
            char.is_control() && *char != '\n' || matches!(char, '\u{202A}'..='\u{202E}' | '\u{2028}')
        });
        assert_eq!(control, None, "{format}: {:?}", checked.out);
    }
}

#[actix_rt::test]
async fn a_frame_of_10_gb_ends_each_check_at_once() {
    let endless = end(|mut stream, request| async move {
        let _ = stream.write_all(valid_101(&request, "").as_bytes()).await;
        let mut header = vec![0x82, 127];
        header.extend_from_slice(&10_000_000_000_u64.to_be_bytes());
        let _ = stream.write_all(&header).await;
        while stream.write_all(&[0; 65_536]).await.is_ok() {}
    })
    .await;
    let checked = report(&[&format!("ws://{endless}/"), "--timeout=500ms"]).await;
    checked.assert("handshake", "ok", &[]);
    checked.assert("messages", "unknown", &["does not echo"]);
}

#[actix_rt::test]
async fn another_server_that_does_not_echo_is_not_blamed() {
    let other = end(|mut stream, request| async move {
        let _ = stream.write_all(valid_101(&request, "").as_bytes()).await;
        let mut block = [0; 1024];
        while matches!(stream.read(&mut block).await, Ok(1..)) {}
    })
    .await;
    let checked = report(&[&format!("ws://{other}/"), "--timeout=500ms"]).await;
    checked.assert_only_broken(&[]);
    for name in [
        "headers",
        "subprotocol",
        "compression",
        "messages",
        "size",
        "frames",
        "ping",
        "close",
        "reset",
        "faults",
    ] {
        checked.assert(name, "unknown", &[]);
    }
}

#[actix_rt::test]
async fn a_run_in_which_no_check_ran_says_so() {
    let http = end(|mut stream, _| async move {
        let _ = stream
            .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            .await;
    })
    .await;
    let checked = check(&[&format!("ws://{http}/"), "--only=tls"]).await;
    let expected = "tls: the URL is ws://, without TLS\n\nno check ran in ";
    assert!(checked.out.contains(expected), "{checked:#?}");
}

/// Returns a compressed message whose payload is `len` bytes of the same letter.
fn bomb(len: usize) -> Vec<u8> {
    let mut deflate = flate2::Compress::new(flate2::Compression::best(), false);
    let mut payload = Vec::with_capacity(len / 500 + 1024);
    deflate
        .compress_vec(&vec![b'a'; len], &mut payload, flate2::FlushCompress::Sync)
        .unwrap();
    assert!(payload.ends_with(&[0, 0, 0xFF, 0xFF]));
    payload.truncate(payload.len() - 4);
    let mut frame = vec![0xC1, 127];
    frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
    frame.extend_from_slice(&payload);
    frame
}

#[actix_rt::test]
async fn messages_without_end_and_compressed_ones_take_less_than_64_mib() {
    let plain = {
        let mut frame = vec![0x82, 127];
        frame.extend_from_slice(&200_000_u64.to_be_bytes());
        frame.extend_from_slice(&[7; 200_000]);
        frame
    };
    for (fields, frame) in [
        ("", plain),
        ("Sec-WebSocket-Extensions: permessage-deflate\r\n", bomb(64 << 20)),
    ] {
        let flood = end(move |mut stream, request| {
            let frame = frame.clone();
            async move {
                let offers = request.contains("permessage-deflate");
                let fields = if offers { fields } else { "" };
                let _ = stream.write_all(valid_101(&request, fields).as_bytes()).await;
                while stream.write_all(&frame).await.is_ok() {}
            }
        })
        .await;
        let checked = report(&[&format!("ws://{flood}/"), "--timeout=500ms"]).await;
        println!("measured: {} KiB at most", checked.peak / 1024);
        assert!(checked.peak < 64 << 20, "{} KiB", checked.peak / 1024);
    }
}
