//! deploy/haproxy.cfg with HAProxy (the version of Debian) in front of server processes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "a test that fails panics at the place of the failure"
)]

mod load;
mod site;
#[path = "../../it/support/mod.rs"]
#[allow(dead_code, reason = "the other tests use the unused parts")]
mod support;

use serde_json::{Value, json};

/// The support of the other tests finds the project and the server through this name.
use system_tests as project;

use load::{Clients, End};
use site::{CLIENT, Site};
use support::check::report;
use support::process::Signal;
use support::raw::{self, FIN, Frame, Raw, TEXT};

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn echoes_polls_and_events_pass_through() {
    let site = Site::start().await;
    let mut peer = site.raw("/some/path?reply=verbatim", "").await;
    peer.send(&raw::text("through the proxy")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "through the proxy"));
    // Larger than the buffers of the proxy.
    let large = raw::binary(&vec![7; 1 << 20]);
    peer.send(&large).await;
    assert_eq!(peer.frame().await.payload, vec![7; 1 << 20]);
    peer.send(&raw::close(1000, "done")).await;
    assert_eq!(peer.closed().await, (1000, "done".to_owned()));

    assert_eq!(site.get("/").await, 200);
    assert_eq!(site.get("/poll?message=x").await, 200);
    assert_eq!(site.get("/events?every=1h").await, 200);
    // HAProxy retries a 503 on the other replica. A 503 that the URL requests comes from the last replica.
    assert_eq!(site.get("/nothing-here").await, 404);
    assert_eq!(site.handshake("/?handshake-status=503").await, 503);
    assert_eq!(site.handshake("/?handshake-status=418").await, 418);
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn check_finds_nothing_but_the_fields_that_the_proxy_sets() {
    let site = Site::start().await;
    let checked = report(&[&format!("ws://{}/", site.addr())]).await;
    checked.assert_only(&[("headers", "differs")]);
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn the_server_gets_the_clients_address_and_no_forged_one() {
    let site = Site::start().await;
    for forged in [
        "",
        "X-Forwarded-For: 203.0.113.7\r\n",
        "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 203.0.113.8, 127.0.0.1\r\nX-Forwarded-Proto: https\r\n",
        "Forwarded: for=203.0.113.7;proto=https\r\n",
        // A proxy removes the fields that Connection lists (RFC 9110 section 7.6.1).
        "Connection: X-Forwarded-For, X-Forwarded-Proto\r\nX-Forwarded-For: 203.0.113.7\r\n",
    ] {
        let mut peer = site.raw("/?reply=json", forged).await;
        peer.send(&raw::text("x")).await;
        let reply: Value = serde_json::from_slice(&peer.frame().await.payload).unwrap();
        let client = &reply["connection"]["client"];
        assert_eq!(
            client,
            &json!({"address": CLIENT, "port": null, "proto": "http"}),
            "after {forged:?}"
        );
    }
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn clients_cannot_read_the_metrics() {
    let site = Site::start().await;
    let mut inside = Raw::connect(site.a.addr()).await;
    inside
        .send(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    assert_eq!(inside.head().await.status, 200);
    for path in [
        "/metrics",
        "/metrics?",
        "/%6Detrics",
        "//metrics",
        "/metrics/",
        "/%2fmetrics",
    ] {
        assert_eq!(site.get(path).await, 404, "{path}");
    }
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn a_replica_that_drains_loses_no_message_and_no_client() {
    // Longer than HAProxy needs to detect the failed health check.
    drain(Site::with(&["--shutdown-delay=3s"]).await).await;
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn a_replica_that_drains_at_once_loses_no_client_because_its_503_is_retried_on_the_other() {
    let site = Site::with(&["--shutdown-delay=0"]).await;
    // This client does not reply to the Close. The drain, in which the server refuses handshakes, lasts until its timeout.
    let _session = site.a.raw("/").await;
    drain(site).await;
}

async fn drain(site: Site) {
    let mut clients = Clients::connect(&site, 40).await;
    clients.rounds(5).await;
    let (a, b) = clients.split();
    assert!(a > 10 && b > 10, "{a} and {b} clients are not balanced");

    site.a.signal(Signal::TERM);
    // Each client of a gets a Close and reconnects. The clients of b are still served. All send messages all the time.
    clients.until_none_is_at_a().await;
    clients.rounds(5).await;
    let result = clients.stop().await;
    assert_eq!(result.ends.len(), a, "{:?}", result.ends);
    for end in &result.ends {
        assert_eq!(end, &End::Close(1001, "ws-echo: shutting down".to_owned()));
    }

    let (status, log) = site.a.exit().await;
    assert_eq!(status.code(), Some(0));
    // The number of messages in the log of a must be that of the replies of a.
    let messages: u64 = log
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|record| record["message"] == "connection closed")
        .map(|record| record["messages"].as_u64().unwrap())
        .sum();
    assert_eq!(messages, result.replies_of_a, "messages without a reply");
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn the_clients_of_a_killed_replica_reconnect_to_the_other() {
    let mut site = Site::start().await;
    let mut clients = Clients::connect(&site, 40).await;
    clients.rounds(5).await;
    let (a, _) = clients.split();

    site.a.signal(Signal::KILL);
    clients.until_none_is_at_a().await;
    clients.rounds(5).await;
    let result = clients.stop().await;
    assert_eq!(result.ends, vec![End::WithoutClose; a]);

    // After a restart at its address, the replica gets clients again. The proxy is not reconfigured.
    site.restart_a().await;
    let mut clients = Clients::connect(&site, 40).await;
    clients.rounds(1).await;
    assert!(clients.split().0 > 10);
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn an_added_replica_is_found_by_its_name() {
    let mut site = Site::start().await;
    let mut third = site.add_replica().await;
    let mut peers: Vec<Raw> = Vec::new();
    for _ in 0..9 {
        peers.push(site.raw("/", "").await);
    }
    // HAProxy selects the replica with the fewest connections, so that nine clients are three for each.
    for _ in 0..3 {
        third.logged("connection opened").await;
    }
}
