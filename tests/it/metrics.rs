//! `/metrics`, read by a parser that shares no code with the server.

use openmetrics_parser::{
    MetricsExposition, OpenMetricsType, OpenMetricsValue, openmetrics::parse_openmetrics,
};

use crate::support::{
    in_time,
    process::{Process, Signal},
    raw::{self, BINARY, CONTINUATION, FIN, RSV1, Raw, TEXT, frame, upgrade},
};

/// One response of `/metrics`.
pub(crate) struct Scrape(MetricsExposition<OpenMetricsType, OpenMetricsValue>);

impl Scrape {
    pub(crate) async fn of(server: &Process) -> Self {
        Self::over(&mut Raw::connect(server.addr()).await).await
    }

    /// Requests `/metrics` on an open connection.
    pub(crate) async fn over(peer: &mut Raw) -> Self {
        peer.send(b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n").await;
        let (head, body) = peer.response().await;
        assert_eq!(head.status, 200);
        assert_eq!(
            head.get("content-type"),
            Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
        );
        match parse_openmetrics(&body) {
            Ok(exposition) => Self(exposition),
            Err(error) => panic!("{error:?}\n{body}"),
        }
    }

    /// Returns the value of a counter or gauge with these labels.
    pub(crate) fn value(&self, family: &str, labels: &[(&str, &str)]) -> f64 {
        let family = self
            .0
            .families
            .get(family)
            .unwrap_or_else(|| panic!("no {family}"));
        assert!(family.help.ends_with('.'), "{}", family.help);
        let sample = family.iter_samples().find(|sample| {
            let set = sample.get_labelset().unwrap();
            set.iter().count() == labels.len()
                && labels
                    .iter()
                    .all(|(name, value)| set.get_label_value(name) == Some(value))
        });
        match sample.map(|sample| &sample.value) {
            Some(OpenMetricsValue::Counter(counter)) => counter.value.as_f64(),
            Some(OpenMetricsValue::Gauge(number)) => number.as_f64(),
            other => panic!("{} {labels:?}: {other:?}", family.family_name),
        }
    }

    /// Returns the received and the sent value of one type.
    fn both(&self, family: &str, kind: &str) -> (f64, f64) {
        let one = |direction| self.value(family, &[("direction", direction), ("type", kind)]);
        (one("received"), one("sent"))
    }

    fn replies(&self) -> u64 {
        let mut samples = self.0.families["ws_echo_reply_latency_seconds"].iter_samples();
        match &samples.next().unwrap().value {
            OpenMetricsValue::Histogram(histogram) => {
                let count = histogram.count.unwrap();
                assert_eq!(histogram.buckets.last().unwrap().count.as_f64(), count as f64);
                assert!(histogram.sum.unwrap().as_f64() >= 0.0);
                count
            }
            other => panic!("{other:?}"),
        }
    }
}

#[actix_rt::test]
async fn messages_bytes_and_frames_are_counted_in_both_directions() {
    let server = Process::start(&[]).await;
    let mut peer = server.raw("/?reply=verbatim").await;
    let mut other = server.raw("/?fragment=4&reply=verbatim").await;
    peer.send(&[raw::text("héllo"), raw::text(""), raw::binary(&[0; 300])].concat())
        .await;
    peer.send(
        &[
            frame(BINARY, b"ab"),
            raw::ping(b"!"),
            frame(CONTINUATION, b"c"),
            frame(FIN, b""),
        ]
        .concat(),
    )
    .await;
    // The replies are two texts, a binary message, the Pong, and the fragmented message.
    for _ in 0..5 {
        peer.frame().await;
    }
    other.send(&raw::text("0123456789")).await;
    for _ in 0..3 {
        other.frame().await;
    }
    let scrape = Scrape::of(&server).await;
    assert_eq!(scrape.value("ws_echo_connections", &[]), 2.0);
    assert_eq!(scrape.value("ws_echo_connections_opened", &[]), 2.0);
    assert_eq!(scrape.both("ws_echo_messages", "text"), (3.0, 3.0));
    assert_eq!(scrape.both("ws_echo_messages", "binary"), (2.0, 2.0));
    assert_eq!(scrape.both("ws_echo_message_bytes", "text"), (16.0, 16.0));
    assert_eq!(scrape.both("ws_echo_message_bytes", "binary"), (303.0, 303.0));
    assert_eq!(scrape.both("ws_echo_frames", "text"), (3.0, 3.0));
    assert_eq!(scrape.both("ws_echo_frames", "binary"), (2.0, 2.0));
    assert_eq!(scrape.both("ws_echo_frames", "continuation"), (2.0, 2.0));
    assert_eq!(scrape.both("ws_echo_frames", "ping"), (1.0, 0.0));
    assert_eq!(scrape.both("ws_echo_frames", "pong"), (0.0, 1.0));
    assert_eq!(scrape.replies(), 5);
}

#[actix_rt::test]
async fn bytes_before_and_after_compression_are_counted() {
    let server = Process::start(&[]).await;
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let (_, mut peer) = Raw::open(server.addr(), "/?reply=verbatim", offer).await;
    // RFC 7692 section 7.2.3.1: the compressed "Hello".
    peer.send(&frame(FIN | RSV1 | TEXT, b"\xF2\x48\xCD\xC9\xC9\x07\x00"))
        .await;
    peer.frame().await;
    peer.send(&frame(FIN | TEXT, &[b'a'; 1000])).await;
    let reply = peer.frame().await;
    assert_eq!(reply.first, FIN | RSV1 | TEXT);
    let scrape = Scrape::of(&server).await;
    let deflate = |direction, form| {
        scrape.value(
            "ws_echo_deflate_bytes",
            &[("direction", direction), ("form", form)],
        )
    };
    assert_eq!(
        (deflate("received", "plain"), deflate("received", "compressed")),
        (5.0, 7.0)
    );
    assert_eq!(deflate("sent", "plain"), 1000.0);
    assert_eq!(deflate("sent", "compressed"), reply.payload.len() as f64);
    assert_eq!(scrape.both("ws_echo_message_bytes", "text"), (1005.0, 1005.0));
}

#[actix_rt::test]
async fn closed_connections_are_counted_by_code_and_by_side() {
    let mut server = Process::start(&["--max-message-size=100"]).await;
    for (last, code, by) in [
        (raw::close(1000, "bye"), "1000", "peer"),
        (raw::close(3999, ""), "3000-3999", "peer"),
        (raw::close(4000, ""), "4000-4999", "peer"),
        (frame(FIN | raw::CLOSE, b""), "1005", "peer"),
        (b"\x81\x00".to_vec(), "1002", "server"),
        (raw::text(&"a".repeat(101)), "1009", "server"),
    ] {
        let mut peer = server.raw("/").await;
        peer.send(&last).await;
        peer.frame().await;
        drop(peer);
        server.logged("connection closed").await;
        let scrape = Scrape::of(&server).await;
        let labels = [("code", code), ("by", by)];
        assert_eq!(scrape.value("ws_echo_connections_closed", &labels), 1.0, "{code}");
        // The connection is logged before its socket is closed, and counts as open until then.
        in_time("no open connection", async {
            while Scrape::of(&server).await.value("ws_echo_connections", &[]) > 0.0 {}
        })
        .await;
    }
    server.raw("/").await.reset();
    server.logged("connection closed").await;
    let scrape = Scrape::of(&server).await;
    let labels = [("code", "1006"), ("by", "peer")];
    assert_eq!(scrape.value("ws_echo_connections_closed", &labels), 1.0);
    assert_eq!(
        scrape.value("ws_echo_limits_hit", &[("limit", "max_message_size")]),
        1.0
    );
}

#[actix_rt::test]
async fn refusals_are_counted_by_reason_and_limits_by_flag() {
    let args = [
        "--max-connections=1",
        "--max-fragments=2",
        "--max-messages-per-second=1",
    ];
    let server = Process::start(&args).await;
    let mut open = server.raw("/").await;
    for request in [
        upgrade("/", ""),
        upgrade("/", "").replace("Version: 13", "Version: 8"),
        upgrade("/?delay=soon", ""),
    ] {
        let mut peer = Raw::connect(server.addr()).await;
        peer.send(request.as_bytes()).await;
        peer.response().await;
    }
    open.send(
        &[
            raw::text("1"),
            raw::text("2"),
            frame(TEXT, b""),
            frame(0, b""),
            frame(0, b""),
        ]
        .concat(),
    )
    .await;
    open.frame().await;
    open.frame().await;
    assert_eq!(open.frame().await.closing().0, 1009);
    let scrape = Scrape::of(&server).await;
    for reason in ["max_connections", "version", "behaviour"] {
        assert_eq!(
            scrape.value("ws_echo_handshakes_refused", &[("reason", reason)]),
            1.0,
            "{reason}"
        );
    }
    assert_eq!(
        scrape.value("ws_echo_handshakes_refused", &[("reason", "key")]),
        0.0
    );
    for limit in ["max_connections", "max_fragments"] {
        assert_eq!(
            scrape.value("ws_echo_limits_hit", &[("limit", limit)]),
            1.0,
            "{limit}"
        );
    }
    assert!(scrape.value("ws_echo_limits_hit", &[("limit", "max_messages_per_second")]) >= 1.0);
}

#[actix_rt::test]
async fn delayed_replies_are_not_in_the_latency_histogram() {
    let server = Process::start(&[]).await;
    let mut peer = server.raw("/?delay=50ms").await;
    peer.send(&raw::text("later")).await;
    peer.frame().await;
    assert_eq!(Scrape::of(&server).await.replies(), 0);
}

#[actix_rt::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn the_process_and_build_metrics_have_their_standard_names() {
    let server = Process::start(&[]).await;
    let scrape = Scrape::of(&server).await;
    let build = scrape.0.families["ws_echo_build"].iter_samples().next().unwrap();
    let labels = build.get_labelset().unwrap();
    assert_eq!(labels.get_label_value("version"), Some(env!("CARGO_PKG_VERSION")));
    for (gauge, least) in [
        ("process_resident_memory_bytes", 1e6),
        ("process_virtual_memory_bytes", 1e6),
        ("process_open_fds", 5.0),
        ("process_max_fds", 5.0),
        // The year 2020.
        ("process_start_time_seconds", 1.6e9),
        ("process_cpu_seconds", 0.0),
    ] {
        assert!(scrape.value(gauge, &[]) >= least, "{gauge}");
    }
    server.signal(Signal::TERM);
    assert_eq!(server.exit().await.0.code(), Some(0));
}
