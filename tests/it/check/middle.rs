//! A proxy in between that changes something: the right check names it, and no other.

use std::net::SocketAddr;

use crate::support::{
    check::{Checked, report},
    middle::{Way, change, change_frames},
    process::Process,
    raw::{CLOSE, FIN, Frame},
};

/// What the proxy differs in besides: it decodes each frame and encodes it again.
const RECODED: (&str, &str) = ("faults", "differs");

async fn checked(proxy: SocketAddr) -> Checked {
    // This proxy parses each of the many megabytes of two of them. The others wait for the time to pass.
    report(&[
        &format!("ws://{proxy}/"),
        "--skip=size,backpressure,ping,latency,polling",
    ])
    .await
}

/// Removes the lines of a field from the header sections of one way.
async fn without(server: SocketAddr, way: Way, field: &'static str) -> SocketAddr {
    let head = move |of: Way, head: String| {
        let is_field = |line: &str| {
            line.split(':')
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case(field))
        };
        let lines = head
            .split_inclusive("\r\n")
            .filter(|line| of != way || !is_field(line));
        lines.collect()
    };
    change(server, head, |way, frame| vec![(way, frame)]).await
}

#[actix_rt::test]
async fn a_proxy_that_changes_nothing_is_not_blamed() {
    let server = Process::start(&[]).await;
    let proxy = change_frames(server.addr(), |_, frame| frame).await;
    let checked = report(&[&format!("ws://{proxy}/")]).await;
    checked.assert_only_broken(&[]);
    checked.assert("headers", "ok", &[]);
}

#[actix_rt::test]
async fn a_field_that_is_removed_is_named_by_its_check() {
    let server = Process::start(&[]).await;
    for (way, field, check, seen) in [
        (Way::Up, "Cookie", "headers", "Cookie went missing"),
        (Way::Up, "Sec-WebSocket-Protocol", "subprotocol", "none arrived"),
        (
            Way::Down,
            "Sec-WebSocket-Protocol",
            "subprotocol",
            "did not come back",
        ),
        (
            Way::Up,
            "Sec-WebSocket-Extensions",
            "compression",
            "did not arrive",
        ),
        (
            Way::Down,
            "Sec-WebSocket-Extensions",
            "compression",
            "did not come back",
        ),
        (Way::Up, "Upgrade", "handshake", "no Upgrade: websocket header"),
        (
            Way::Up,
            "Connection",
            "handshake",
            "no Connection: Upgrade header",
        ),
        (
            Way::Down,
            "Sec-WebSocket-Accept",
            "handshake",
            "no Sec-WebSocket-Accept",
        ),
    ] {
        let proxy = without(server.addr(), way, field).await;
        let checked = checked(proxy).await;
        checked.assert(check, "broken", &[seen]);
        match check {
            "handshake" => checked.assert_only(&[(check, "broken")]),
            _ => checked.assert_only(&[(check, "broken"), RECODED]),
        }
    }
}

#[actix_rt::test]
async fn a_field_that_is_added_differs() {
    let server = Process::start(&[]).await;
    let head = |way, head: String| match way {
        Way::Up => head.replacen("\r\n", "\r\nX-Forwarded-For: 192.0.2.1\r\nVia: 1.1 test\r\n", 1),
        Way::Down => head,
    };
    let proxy = change(server.addr(), head, |way, frame| vec![(way, frame)]).await;
    let checked = checked(proxy).await;
    checked.assert(
        "headers",
        "differs",
        &["X-Forwarded-For: 192.0.2.1, Via: 1.1 test were added"],
    );
    checked.assert_only(&[("headers", "differs"), RECODED]);
}

#[actix_rt::test]
async fn a_second_line_that_is_lost_differs() {
    let server = Process::start(&[]).await;
    let head = |_, head: String| {
        let mut seen = 0;
        let lines = head.split_inclusive("\r\n").filter(|line| {
            seen += usize::from(line.starts_with("Sec-WebSocket-Protocol"));
            seen < 2 || !line.starts_with("Sec-WebSocket-Protocol")
        });
        lines.collect()
    };
    let proxy = change(server.addr(), head, |way, frame| vec![(way, frame)]).await;
    checked(proxy)
        .await
        .assert("subprotocol", "differs", &["over two lines, check.one arrived"]);
}

#[actix_rt::test]
async fn a_close_code_that_is_rewritten_is_named_with_its_way() {
    let server = Process::start(&[]).await;
    for (rewritten, seen) in [
        (Way::Up, "4001 came as 1000 to the far end and back"),
        (Way::Down, "4999 came as 1000 from the far end"),
    ] {
        let proxy = change_frames(server.addr(), move |way, mut frame| {
            if way == rewritten && frame.first == FIN | CLOSE && frame.payload.len() >= 2 {
                frame.payload[..2].copy_from_slice(&1000_u16.to_be_bytes());
            }
            frame
        })
        .await;
        let checked = checked(proxy).await;
        checked.assert("close", "broken", &[seen]);
        checked.assert_only_broken(&["close"]);
    }
}

#[actix_rt::test]
async fn a_close_reason_that_is_lost_is_named() {
    let server = Process::start(&[]).await;
    let proxy = change_frames(server.addr(), |_, mut frame| {
        if frame.first == FIN | CLOSE {
            frame.payload.truncate(2);
        }
        frame
    })
    .await;
    checked(proxy)
        .await
        .assert("close", "broken", &["the reason of 1000"]);
}

#[actix_rt::test]
async fn a_close_that_never_arrives_is_1006() {
    let server = Process::start(&[]).await;
    let drop_close = |way, frame: Frame| {
        if way == Way::Down && frame.first == FIN | CLOSE {
            Vec::new()
        } else {
            vec![(way, frame)]
        }
    };
    let proxy = change(server.addr(), |_, head| head, drop_close).await;
    let checked = report(&[&format!("ws://{proxy}/"), "--timeout=1s", "--only=close"]).await;
    checked.assert("close", "broken", &["which is 1006 to a browser"]);
}

#[actix_rt::test]
async fn a_byte_that_is_dropped_is_named() {
    let server = Process::start(&[]).await;
    let proxy = change_frames(server.addr(), |way, mut frame| {
        if way == Way::Up && frame.payload.len() == 65_535 {
            frame.payload.remove(1000);
        }
        frame
    })
    .await;
    let checked = checked(proxy).await;
    checked.assert("messages", "broken", &["65,535 B: came back as 65,534 B"]);
    checked.assert_only_broken(&["messages"]);
}

#[actix_rt::test]
async fn the_server_without_the_proxy_shows_what_the_proxy_does() {
    let server = Process::start(&[]).await;
    let proxy = without(server.addr(), Way::Up, "Sec-WebSocket-Protocol").await;
    let (url, direct) = (format!("ws://{proxy}/"), format!("ws://{}/", server.addr()));
    let args = [&*url, "--direct", &direct, "--only=subprotocol,close"];
    let checked = report(&args).await;
    checked.assert_only_broken(&["subprotocol"]);
    let result = checked.result("subprotocol");
    assert!(
        result["direct"].as_str().unwrap().starts_with("ok: "),
        "{result:#}"
    );
    assert!(checked.result("close")["direct"].is_null());
    let text = crate::support::check::check(&args).await;
    assert!(text.out.contains("without the proxy ok: "), "{}", text.out);
    assert!(!text.out.contains("ok       close"), "{}", text.out);
}
