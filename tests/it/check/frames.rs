//! A proxy in between that reads frames, or ends connections in its own way: the checks size, frames, ping, reset and faults.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{TcpListener, TcpStream},
};

use crate::support::{
    check::{Checked, report},
    middle::{Way, change, change_frames},
    process::Process,
    raw::{BINARY, CONTINUATION, FIN, Frame, PING, PONG, TEXT},
};

async fn checked(proxy: SocketAddr, name: &str, timeout: &str) -> Checked {
    let only = format!("--only={name}");
    report(&[&format!("ws://{proxy}/"), &only, &format!("--timeout={timeout}")]).await
}

/// Starts a proxy that passes bytes on, up to these numbers to the server and to the client, and then runs `end` on the connection
/// of the client.
async fn bytes<F: Future<Output = ()> + 'static>(
    server: SocketAddr,
    (up, down): (u64, u64),
    end: impl Fn(TcpStream) -> F + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let end = std::rc::Rc::new(end);
    actix_rt::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let end = std::rc::Rc::clone(&end);
            actix_rt::spawn(async move {
                let mut server = TcpStream::connect(server).await.unwrap();
                let (from_client, mut to_client) = client.split();
                let (from_server, mut to_server) = server.split();
                let (mut from_client, mut from_server) = (from_client.take(up), from_server.take(down));
                // The first way that ends, ends both.
                tokio::select! {
                    _ = copy(&mut from_client, &mut to_server) => {}
                    _ = copy(&mut from_server, &mut to_client) => {}
                }
                end(client).await;
            });
        }
    });
    addr
}

const NO_LIMIT: u64 = u64::MAX;

/// Returns the number before these words.
fn number_before(seen: &str, words: &str) -> usize {
    let (before, _) = seen
        .split_once(words)
        .unwrap_or_else(|| panic!("no {words:?}: {seen}"));
    let number = before.rsplit(' ').next().unwrap();
    number.replace(',', "").parse().unwrap()
}

#[actix_rt::test]
async fn messages_of_16_mib_pass_both_ways_without_a_proxy() {
    let server = Process::start(&[]).await;
    let checked = checked(server.addr(), "size", "60s").await;
    checked.assert(
        "size",
        "ok",
        &["16 MiB passed to the far end", "16 MiB passed from the far end"],
    );
    assert!(checked.peak < 64 << 20, "{checked:?}");
}

#[actix_rt::test]
async fn a_limit_of_ws_echo_is_its_own_choice() {
    let server = Process::start(&["--max-message-size=100000"]).await;
    let checked = checked(server.addr(), "size", "60s").await;
    checked.assert(
        "size",
        "ok",
        &[
            "100,000 B passed to the far end",
            "100,000 B passed from the far end",
        ],
    );
}

#[actix_rt::test]
async fn a_proxy_that_cuts_after_100_kb_is_named_with_its_way() {
    let server = Process::start(&[]).await;
    for (limits, way) in [
        ((100_000, NO_LIMIT), "to the far end"),
        ((NO_LIMIT, 100_000), "from the far end"),
    ] {
        let proxy = bytes(server.addr(), limits, |client| async { drop(client) }).await;
        let checked = checked(proxy, "size", "60s").await;
        checked.assert("size", "broken", &["was cut by "]);
        // The request or the response counts, too.
        let largest = number_before(checked.seen("size"), &format!(" B passed {way}"));
        assert!((98_000..100_000).contains(&largest), "{checked:?}");
    }
}

#[actix_rt::test]
async fn a_proxy_with_a_limit_for_messages_is_named_to_the_byte() {
    let server = Process::start(&[]).await;
    let close = |_, frame: Frame| {
        if frame.payload.len() > 70_000 {
            vec![(Way::Down, Frame::new(FIN | 0x8, 1009_u16.to_be_bytes()))]
        } else {
            vec![(Way::Up, frame)]
        }
    };
    let pass = move |way, frame: Frame| match way {
        Way::Up => close(way, frame),
        Way::Down => vec![(way, frame)],
    };
    let proxy = change(server.addr(), |_, head| head, pass).await;
    let checked = checked(proxy, "size", "60s").await;
    checked.assert(
        "size",
        "broken",
        &["70,000 B passed to the far end", "70,001 B was cut by Close 1009"],
    );
}

#[actix_rt::test]
async fn a_proxy_that_drops_large_messages_is_named() {
    let server = Process::start(&[]).await;
    let pass = |way, frame: Frame| {
        if way == Way::Up && frame.payload.len() > 70_000 {
            Vec::new()
        } else {
            vec![(way, frame)]
        }
    };
    let proxy = change(server.addr(), |_, head| head, pass).await;
    // Whether that is a slow network depends on the time of the message before.
    let checked = checked(proxy, "size", "4s").await;
    assert!(
        checked.seen("size").contains("65,536 B passed to the far end")
            && checked.seen("size").contains("1 MiB did not arrive within"),
        "{checked:?}"
    );
}

#[actix_rt::test]
async fn a_proxy_that_joins_fragments_differs() {
    let server = Process::start(&[]).await;
    for (joins, way) in [(Way::Up, "to the far end"), (Way::Down, "from the far end")] {
        let mut joined = Vec::new();
        let mut first = 0;
        let pass = move |way, frame: Frame| {
            if way != joins || frame.first & 0x8 != 0 {
                return vec![(way, frame)];
            }
            if frame.first & 0xF != CONTINUATION {
                first = frame.first;
            }
            joined.extend_from_slice(&frame.payload);
            if frame.first & FIN == 0 {
                return Vec::new();
            }
            vec![(way, Frame::new(FIN | first, std::mem::take(&mut joined)))]
        };
        let proxy = change(server.addr(), |_, head| head, pass).await;
        let checked = checked(proxy, "frames", "10s").await;
        checked.assert("frames", "differs", &["came as one frame", way]);
    }
}

#[actix_rt::test]
async fn a_proxy_that_cuts_frames_differs() {
    let server = Process::start(&[]).await;
    for (cuts, way) in [(Way::Up, "to the far end"), (Way::Down, "from the far end")] {
        let pass = move |way, frame: Frame| {
            if way != cuts || frame.first != FIN | BINARY {
                return vec![(way, frame)];
            }
            let (start, end) = frame.payload.split_at(frame.payload.len() / 2);
            vec![
                (way, Frame::new(BINARY, start)),
                (way, Frame::new(FIN | CONTINUATION, end)),
            ]
        };
        let proxy = change(server.addr(), |_, head| head, pass).await;
        let seen = format!("one frame of 65,536 B came as 2 frames {way}");
        checked(proxy, "frames", "10s")
            .await
            .assert("frames", "differs", &[&seen]);
    }
}

#[actix_rt::test]
async fn a_proxy_that_fails_at_fragments_is_broken() {
    let server = Process::start(&[]).await;
    for (lost, seen) in [
        // Only the first fragment arrives.
        (FIN | CONTINUATION, "was not answered in time"),
        // The message is a new one without an end.
        (TEXT, "ended the connection by Close 1002"),
    ] {
        let pass = move |way, frame: Frame| {
            if way == Way::Up && frame.first == lost {
                Vec::new()
            } else {
                vec![(way, frame)]
            }
        };
        let proxy = change(server.addr(), |_, head| head, pass).await;
        let checked = checked(proxy, "frames", "2s").await;
        checked.assert("frames", "broken", &[seen]);
    }
}

#[actix_rt::test]
async fn a_proxy_that_answers_pings_itself_differs() {
    let server = Process::start(&[]).await;
    let pass = |way, frame: Frame| {
        if way == Way::Up && frame.first == FIN | PING {
            vec![(Way::Down, Frame::new(FIN | PONG, frame.payload))]
        } else {
            vec![(way, frame)]
        }
    };
    let proxy = change(server.addr(), |_, head| head, pass).await;
    checked(proxy, "ping", "10s")
        .await
        .assert("ping", "differs", &["something in between answered"]);
}

#[actix_rt::test]
async fn a_proxy_that_swallows_pings_is_named_with_their_way() {
    let server = Process::start(&[]).await;
    for (swallows, seen) in [
        (Way::Up, "a Ping of 13 B got no Pong within 2"),
        (Way::Down, "no Ping of the far end came within 3"),
    ] {
        let pass = move |way, frame: Frame| {
            if way == swallows && frame.first == FIN | PING {
                Vec::new()
            } else {
                vec![(way, frame)]
            }
        };
        let proxy = change(server.addr(), |_, head| head, pass).await;
        checked(proxy, "ping", "2s")
            .await
            .assert("ping", "broken", &[seen]);
    }
}

#[actix_rt::test]
async fn a_pong_with_another_payload_is_named() {
    let server = Process::start(&[]).await;
    let proxy = change_frames(server.addr(), |way, mut frame| {
        if way == Way::Down && frame.first == FIN | PONG {
            frame.payload.clear();
        }
        frame
    })
    .await;
    checked(proxy, "ping", "10s")
        .await
        .assert("ping", "broken", &["a Ping of 13 B got a Pong of 0 B"]);
}

#[actix_rt::test]
async fn a_reset_that_comes_as_something_else_is_judged_by_what_an_application_sees() {
    let server = Process::start(&[]).await;
    let close = |code: Option<u16>| {
        move |mut client: TcpStream| async move {
            let payload = code.map(u16::to_be_bytes);
            let payload = payload.as_ref().map_or(&[][..], |code| &code[..]);
            let mut frame = vec![FIN | 0x8, payload.len() as u8];
            frame.extend_from_slice(payload);
            let _ = client.write_all(&frame).await;
        }
    };
    let no_limit = (NO_LIMIT, NO_LIMIT);
    let fin = bytes(server.addr(), no_limit, |client| async { drop(client) }).await;
    checked(fin, "reset", "10s").await.assert(
        "reset",
        "ok",
        &["a reset of the far end came as a FIN after "],
    );
    for (code, verdict, seen) in [
        (Some(1000), "broken", "a reset of the far end came as Close 1000"),
        (
            None,
            "broken",
            "a FIN of the far end came as a Close without a code",
        ),
        (Some(1011), "differs", "a FIN of the far end came as Close 1011"),
    ] {
        let proxy = bytes(server.addr(), no_limit, close(code)).await;
        checked(proxy, "reset", "10s")
            .await
            .assert("reset", verdict, &[seen]);
    }
}

#[actix_rt::test]
async fn an_end_that_is_not_passed_on_is_broken() {
    let server = Process::start(&[]).await;
    let hold = |mut client: TcpStream| async move {
        let mut block = [0; 1024];
        while matches!(client.read(&mut block).await, Ok(1..)) {}
    };
    let proxy = bytes(server.addr(), (NO_LIMIT, NO_LIMIT), hold).await;
    checked(proxy, "reset", "1s").await.assert(
        "reset",
        "broken",
        &["the connection was still open after 1000 ms"],
    );
}

#[actix_rt::test]
async fn invalid_frames_that_are_stopped_or_repaired_differ() {
    let server = Process::start(&[]).await;
    // It decodes frames and encodes them again, so that masking and lengths are its own.
    let proxy = change_frames(server.addr(), |_, frame| frame).await;
    checked(proxy, "faults", "10s").await.assert(
        "faults",
        "differs",
        &[
            "unmasked and length came as valid frames to the far end",
            "masked and length came as valid frames from the far end",
        ],
    );
    let stop = |way, frame: Frame| {
        let other = if way == Way::Up { Way::Down } else { Way::Up };
        if frame.first & 0x70 != 0 {
            let close = || Frame::new(FIN | 0x8, 1002_u16.to_be_bytes());
            vec![(way, close()), (other, close())]
        } else {
            vec![(way, frame)]
        }
    };
    let proxy = change(server.addr(), |_, head| head, stop).await;
    checked(proxy, "faults", "10s").await.assert(
        "faults",
        "differs",
        &[
            "rsv stopped to the far end by Close 1002",
            "rsv stopped from the far end by Close 1002",
        ],
    );
}
