//! `GET /watch/{key}`: the events of the connections with this key.

use serde_json::{Value, json};

use crate::support::{
    Echo,
    process::Process,
    raw::{self, FIN, Raw, TEXT, frame},
    watcher::Watcher,
};

const KEY: &str = "0123456789abcdef_-XYZ";

#[actix_rt::test]
async fn a_watcher_receives_the_handshake_every_frame_and_the_end() {
    let echo = Echo::start();
    let mut watcher = Watcher::open(echo.addr(), KEY).await;
    let (_, mut peer) = Raw::open(
        echo.addr(),
        &format!("/path?reply=verbatim&watch={KEY}"),
        "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: one\r\n",
    )
    .await;
    peer.send(
        &[
            frame(TEXT, b"He"),
            raw::ping(b"p"),
            frame(FIN, b"llo"),
            raw::close(1000, ""),
        ]
        .concat(),
    )
    .await;
    while peer.frame().await.first != FIN | raw::CLOSE {}

    let (name, handshake) = watcher.event().await;
    assert_eq!(
        (name.as_str(), &handshake["path"]),
        ("handshake", &json!("/path"))
    );
    assert_eq!(handshake["subprotocol"], "one");
    assert_eq!(handshake["extensions"], "permessage-deflate");
    for (direction, name, start) in [
        ("received", "text", "4865"),
        ("received", "ping", "70"),
        ("sent", "pong", "70"),
        ("received", "continuation", "6c6c6f"),
        ("sent", "text", "48656c6c6f"),
        ("received", "close", "03e8"),
        ("sent", "close", "03e8"),
    ] {
        assert_eq!(
            watcher.frame().await,
            (direction.into(), name.into(), start.into())
        );
    }
    let (name, end) = watcher.event().await;
    assert_eq!(
        (name.as_str(), &end["code"], &end["by"]),
        ("end", &json!(1000), &json!("peer"))
    );
    assert_eq!(end["connection"], handshake["connection"]);
}

#[actix_rt::test]
async fn a_frame_event_contains_the_complete_header() {
    let echo = Echo::start();
    let mut watcher = Watcher::open(echo.addr(), KEY).await;
    let path = format!("/?reply=verbatim&watch={KEY}");
    let (_, mut peer) = Raw::open(
        echo.addr(),
        &path,
        "Sec-WebSocket-Extensions: permessage-deflate\r\n",
    )
    .await;
    // RFC 7692 section 7.2.3.1, the compressed "Hello", in two fragments.
    peer.send(
        &[
            frame(raw::RSV1 | TEXT, &[0xF2, 0x48, 0xCD]),
            frame(FIN, &[0xC9, 0xC9, 0x07, 0x00]),
        ]
        .concat(),
    )
    .await;
    peer.send(&raw::text(&"x".repeat(1000))).await;
    peer.frame().await;
    peer.frame().await;
    assert_eq!(watcher.event().await.0, "handshake");
    let (_, first) = watcher.event().await;
    assert_eq!(
        (&first["fin"], &first["masked"], &first["length"]),
        (&json!(false), &json!(true), &json!(3))
    );
    assert_eq!(first["rsv"], json!([true, false, false]));
    let (_, last) = watcher.event().await;
    assert_eq!((&last["opcode"], &last["length"]), (&json!(0), &json!(4)));
    let inflated = first["inflated"].as_u64().unwrap() + last["inflated"].as_u64().unwrap();
    assert_eq!(inflated, 5);
    let start = |event: &Value| event["start"].as_str().unwrap().to_owned();
    assert_eq!(start(&first) + &start(&last), "48656c6c6f");
    let mut events = Vec::new();
    while events.len() < 3 {
        events.push(watcher.event().await.1);
    }
    let long = events
        .iter()
        .find(|event| event["direction"] == "received")
        .unwrap();
    assert_eq!((&long["length"], &long["inflated"]), (&json!(1000), &json!(1000)));
    assert_eq!(start(long), "78".repeat(64), "only the first 64 bytes");
    let compressed = events
        .iter()
        .find(|event| event["direction"] == "sent" && event["rsv"][0] == true)
        .unwrap();
    assert_eq!(compressed["inflated"], 1000);
    assert!(compressed["length"].as_u64().unwrap() < 100);
    assert_eq!(compressed["masked"], false);
}

#[actix_rt::test]
async fn a_watcher_receives_512_frames_of_a_message_and_the_number_of_the_others() {
    let echo = Echo::start();
    let mut watcher = Watcher::open(echo.addr(), KEY).await;
    let mut peer = echo
        .raw(&format!("/?reply=verbatim&fragment=1&watch={KEY}"))
        .await;
    assert_eq!(watcher.event().await.0, "handshake");
    peer.send(&raw::binary(&[7; 100_000])).await;
    assert_eq!(watcher.frame().await.0, "received");
    for _ in 0..512 {
        assert_eq!(watcher.frame().await.0, "sent");
    }
    peer.send(&raw::close(1000, "")).await;
    let (name, lost) = watcher.event().await;
    assert_eq!((name.as_str(), &lost["count"]), ("lost", &json!(100_000 - 512)));
    assert_eq!(watcher.frame().await.1, "close");
}

#[actix_rt::test]
async fn a_frame_event_has_the_header_the_masking_key_and_the_payload_before_decompression() {
    let echo = Echo::start();
    let mut watcher = Watcher::open(echo.addr(), KEY).await;
    let path = format!("/?reply=verbatim&watch={KEY}");
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let (_, mut peer) = Raw::open(echo.addr(), &path, offer).await;
    assert_eq!(watcher.event().await.0, "handshake");

    // RFC 7692 section 7.2.3.1, the compressed "Hello", in three fragments. Each arrives in two parts.
    for bytes in [
        frame(raw::RSV1 | TEXT, &[0xF2, 0x48, 0xCD]),
        frame(raw::CONTINUATION, &[]),
        frame(FIN, &[0xC9, 0xC9, 0x07, 0x00]),
    ] {
        for part in bytes.chunks(8) {
            peer.send(part).await;
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    assert_eq!(peer.frame().await.first, FIN | TEXT);
    for (header, wire_start, start) in [
        ("418337fa213d", "f248cd", "4865"),
        ("008037fa213d", "", ""),
        ("808437fa213d", "c9c90700", "6c6c6f"),
    ] {
        let (_, frame) = watcher.event().await;
        let actual = [&frame["header"], &frame["wireStart"], &frame["start"]];
        assert_eq!(actual, [header, wire_start, start], "{frame}");
        assert_eq!(frame["maskingKey"], "37fa213d");
    }
    let (_, reply) = watcher.event().await;
    assert_eq!(
        (&reply["header"], &reply["wireStart"]),
        (&json!("8105"), &reply["start"])
    );
    assert!(reply.get("maskingKey").is_none(), "{reply}");

    // The reply is compressed. Only its first 64 bytes are in the event.
    let digits: String = (0..400).map(|number| (number * 7919).to_string()).collect();
    peer.send(&raw::text(&digits)).await;
    let sent = peer.frame().await;
    assert_eq!(sent.first, FIN | raw::RSV1 | TEXT);
    let (_, received) = watcher.event().await;
    assert_eq!(received["header"], format!("81fe{:04x}37fa213d", digits.len()));
    assert_eq!(received["wireStart"], hex(&digits.as_bytes()[..64]));
    let (_, reply) = watcher.event().await;
    assert_eq!(reply["header"], format!("c17e{:04x}", sent.payload.len()));
    assert_eq!(reply["wireStart"], hex(&sent.payload[..64]));
    assert_eq!(reply["start"], hex(&digits.as_bytes()[..64]));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[actix_rt::test]
async fn the_event_of_an_invalid_frame_has_its_bytes() {
    let text = hex(b"ws-echo: invalid frame by request");
    for (fault, header, key, payload) in [
        ("length", "817e0021", None, &*text),
        ("masked", "81a137fa213d", Some("37fa213d"), &text),
        ("utf8", "8102", None, "c328"),
    ] {
        // Another server each time, because a watcher also receives the end of an earlier connection with its key.
        let echo = Echo::start();
        let mut watcher = Watcher::open(echo.addr(), KEY).await;
        let mut peer = echo.raw(&format!("/?wire={fault}&watch={KEY}")).await;
        let sent = peer.bytes(header.len() / 2).await;
        assert_eq!(hex(&sent), header);
        assert_eq!(watcher.event().await.0, "handshake");
        let (_, frame) = watcher.event().await;
        assert_eq!(frame["header"], header, "{frame}");
        assert_eq!(frame.get("maskingKey").and_then(Value::as_str), key, "{frame}");
        assert_eq!(
            (&frame["start"], &frame["wireStart"]),
            (&json!(payload), &json!(payload))
        );
    }
}

#[actix_rt::test]
async fn an_invalid_frame_is_published_unchanged() {
    let echo = Echo::start();
    let mut watcher = Watcher::open(echo.addr(), KEY).await;
    let mut peer = echo.raw(&format!("/?wire=rsv&watch={KEY}")).await;
    peer.bytes(2).await;
    assert_eq!(watcher.event().await.0, "handshake");
    let (_, frame) = watcher.event().await;
    assert_eq!(frame["rsv"], json!([false, false, true]));
}

#[actix_rt::test]
async fn a_new_watcher_receives_the_handshake_of_each_open_connection_with_its_key() {
    let echo = Echo::start();
    let path = format!("/?watch={KEY}");
    let (_one, _two) = (echo.raw(&path).await, echo.raw(&path).await);
    let mut watcher = Watcher::open(echo.addr(), KEY).await;
    let (first, second) = (watcher.event().await, watcher.event().await);
    assert_eq!((first.0.as_str(), second.0.as_str()), ("handshake", "handshake"));
    assert_ne!(first.1["connection"], second.1["connection"]);
}

#[actix_rt::test]
async fn a_watcher_with_another_key_receives_no_event_of_the_connection() {
    let server = Process::start(&[]).await;
    let mut other = Watcher::open(server.addr(), "0123456789abcdef_-XYz").await;
    let mut watcher = Watcher::open(server.addr(), KEY).await;
    let mut peer = server.raw(&format!("/?reply=verbatim&watch={KEY}")).await;
    peer.send(&raw::text("secret")).await;
    peer.frame().await;
    while watcher.event().await.1["direction"] != "sent" {}
    // The first event of the other watcher is of its own connection, so that none was before it.
    let _own = server.raw("/own?watch=0123456789abcdef_-XYz").await;
    assert_eq!(other.event().await.1["path"], "/own");
}

#[actix_rt::test]
async fn an_invalid_key_gets_400() {
    let echo = Echo::start();
    for path in ["/watch/short", "/watch/0123456789abcdef%20"] {
        let mut raw = Raw::connect(echo.addr()).await;
        raw.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
            .await;
        let (head, body) = raw.response().await;
        assert_eq!(head.status, 400, "{path}");
        assert!(body.contains("16 to 64"), "{body}");
    }
}

#[actix_rt::test]
async fn a_ninth_watcher_of_a_key_gets_503() {
    let echo = Echo::start();
    let mut watchers = Vec::new();
    for _ in 0..8 {
        watchers.push(Watcher::open(echo.addr(), KEY).await);
    }
    let mut ninth = Raw::connect(echo.addr()).await;
    ninth.send(raw::get(&format!("/watch/{KEY}")).as_bytes()).await;
    let (head, hint) = ninth.refusal(503).await;
    assert_eq!(head.get("retry-after"), Some("5"));
    assert_eq!(hint, "close another watcher of this key");
}

#[actix_rt::test]
async fn the_log_never_contains_the_key() {
    let mut command = crate::support::process::ws_echo();
    command.args(["--listen", "127.0.0.1:0"]).env("RUST_LOG", "trace");
    let server = Process::spawn(command, 1).await;
    let watcher = Watcher::open(server.addr(), KEY).await;
    let mut peer = server.raw(&format!("/watch/{KEY}?watch={KEY}")).await;
    peer.send(&raw::close(1000, "")).await;
    peer.closed().await;
    let mut refused = Raw::connect(server.addr()).await;
    refused
        .send(raw::upgrade(&format!("/watch/{KEY}?watch={KEY}&delay=x"), "").as_bytes())
        .await;
    assert_eq!(refused.head().await.status, 400);
    drop((watcher, refused));
    server.signal(crate::support::process::Signal::TERM);
    let (status, log) = server.exit().await;
    assert!(status.success());
    let leaks: Vec<_> = log
        .iter()
        .filter(|line| line.contains("ws_echo") && line.contains(&KEY[8..]))
        .collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[actix_rt::test]
async fn a_watch_ends_with_the_server_and_does_not_delay_its_exit() {
    let server = Process::start(&["--shutdown-grace", "1m"]).await;
    let mut watcher = Watcher::open(server.addr(), KEY).await;
    let mut peer = server.raw(&format!("/?watch={KEY}")).await;
    server.signal(crate::support::process::Signal::TERM);
    assert_eq!(peer.frame().await.closing().0, 1001);
    peer.send(&raw::close(1001, "")).await;
    while watcher.event().await.0 != "end" {}
    assert!(server.exit().await.0.success());
}
