//! `--max-handshakes-per-second` and `--max-messages-per-second`.

use crate::support::{
    process::{Process, Signal},
    raw::{self, FIN, Frame, Head, Raw, TEXT, upgrade},
};

async fn handshake(server: &Process, headers: &str) -> (Head, String) {
    let mut peer = Raw::connect(server.addr()).await;
    // A refused handshake counts as well. Its connection is closed, so that none stays open.
    let request = upgrade("/", headers).replace("Version: 13", "Version: 12");
    peer.send(request.as_bytes()).await;
    peer.response().await
}

#[actix_rt::test]
async fn an_address_past_its_handshake_rate_gets_429_and_other_addresses_are_accepted() {
    let server = Process::start(&["--max-handshakes-per-second=1", "--trusted-proxy=127.0.0.1"]).await;
    let flooding = "X-Forwarded-For: 203.0.113.1\r\n";
    // On a slow machine, the first handshakes may be more than a second apart.
    let (head, body) = 'flood: {
        for _ in 0..100 {
            let (head, body) = handshake(&server, flooding).await;
            if head.status != 426 {
                break 'flood (head, body);
            }
        }
        panic!("100 handshakes were accepted");
    };
    assert_eq!((head.status, head.get("retry-after")), (429, Some("1")), "{body}");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        body["error"],
        "203.0.113.1 has reached its handshake limit of 1 per second"
    );
    assert!(
        body["hint"]
            .as_str()
            .unwrap()
            .contains("--max-handshakes-per-second")
    );
    let (head, _peer) = Raw::open(server.addr(), "/", "X-Forwarded-For: 203.0.113.2\r\n").await;
    assert_eq!(head.status, 101);
}

#[actix_rt::test]
async fn messages_past_the_rate_are_delayed_and_none_is_lost() {
    // The idle timeout is shorter than the delay of the last message: a client with delayed messages is not idle.
    let args = [
        "--max-messages-per-second=4",
        "--idle-timeout=1s",
        "--ping-interval=0",
    ];
    let server = Process::start(&args).await;
    let mut peer = server.raw("/").await;
    let count = 16;
    let messages: Vec<_> = (0..count)
        .flat_map(|number| raw::text(&format!("<{number}>")))
        .collect();
    peer.send(&messages).await;
    let mut times = Vec::new();
    for number in 0..count {
        let reply = String::from_utf8(peer.frame().await.payload).unwrap();
        assert!(reply.contains(&format!("<{number}>")), "{reply}");
        let (_, ms) = reply.rsplit_once(',').unwrap();
        times.push(ms.parse::<u64>().unwrap());
    }
    // Four messages at once, and then one every 250 ms: 3 s for 16. The timestamps are rounded to milliseconds.
    assert!(times[15] - times[0] >= 2990, "{times:?}");
}

#[actix_rt::test]
async fn messages_delayed_by_the_rate_get_replies_during_a_drain() {
    let server = Process::start(&["--max-messages-per-second=1"]).await;
    let mut peer = server.raw("/?reply=verbatim").await;
    let count = 100;
    let messages: Vec<_> = (0..count)
        .flat_map(|number| raw::text(&number.to_string()))
        .collect();
    peer.send(&messages).await;
    // The messages are in one segment: the server has read all of them with the first.
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "0"));
    server.signal(Signal::TERM);
    for number in 1..count {
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, number.to_string()));
    }
    assert_eq!(peer.frame().await.closing(), (1001, "ws-echo: shutting down"));
    drop(peer);
    assert_eq!(server.exit().await.0.code(), Some(0));
}

#[actix_rt::test]
async fn the_message_rate_delays_no_ticks() {
    let server = Process::start(&["--max-messages-per-second=1"]).await;
    let mut peer = server.raw("/?reply=verbatim&tick=10ms").await;
    peer.send(&[raw::text("first"), raw::text("second")].concat())
        .await;
    let first = Frame::new(FIN | TEXT, "first");
    while peer.frame().await != first {}
    let second = Frame::new(FIN | TEXT, "second");
    for ticks in 0..5 {
        assert_ne!(peer.frame().await, second, "{ticks} ticks in a second");
    }
}
