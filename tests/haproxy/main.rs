//! deploy/haproxy.cfg before real servers, with the HAProxy that Debian has.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "a test that cannot go on panics, and says where"
)]

mod load;
mod port;
mod site;
#[path = "../it/support/mod.rs"]
#[allow(dead_code, reason = "it is there for other tests too")]
mod support;

use rustix::process::Signal;
use serde_json::{Value, json};

use load::{Broken, Crowd};
use site::{CLIENT, Site};
use support::raw::{self, FIN, Frame, Raw, TEXT};

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn echoes_polls_and_events_pass_through() {
    let site = Site::start().await;
    let mut peer = site.raw("/some/path?reply=verbatim", "").await;
    peer.send(&raw::text("through the proxy")).await;
    assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "through the proxy"));
    // More than any buffer of the proxy.
    let large = raw::binary(&vec![7; 1 << 20]);
    peer.send(&large).await;
    assert_eq!(peer.frame().await.payload, vec![7; 1 << 20]);
    peer.send(&raw::close(1000, "done")).await;
    assert_eq!(peer.closed().await, (1000, "done".to_owned()));

    assert_eq!(site.get("/").await, 200);
    assert_eq!(site.get("/poll?message=x").await, 200);
    assert_eq!(site.get("/events?every=1h").await, 200);
    // What the URL asks for is told from what should be tried again: it comes from the last replica that was tried.
    assert_eq!(site.get("/nothing-here").await, 404);
    assert_eq!(site.handshake("/?handshake-status=503").await, 503);
    assert_eq!(site.handshake("/?handshake-status=418").await, 418);
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn the_client_arrives_and_cannot_name_itself_another() {
    let site = Site::start().await;
    for lie in [
        "",
        "X-Forwarded-For: 203.0.113.7\r\n",
        "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 203.0.113.8, 127.0.0.1\r\nX-Forwarded-Proto: https\r\n",
        "Forwarded: for=203.0.113.7;proto=https\r\n",
        // Headers that Connection names are for the next hop alone: a proxy may take them out.
        "Connection: X-Forwarded-For, X-Forwarded-Proto\r\nX-Forwarded-For: 203.0.113.7\r\n",
    ] {
        let mut peer = site.raw("/?reply=json", lie).await;
        peer.send(&raw::text("who am I?")).await;
        let reply: Value = serde_json::from_slice(&peer.frame().await.payload).unwrap();
        let client = &reply["connection"]["client"];
        assert_eq!(
            client,
            &json!({"address": CLIENT, "port": null, "proto": "http"}),
            "after {lie:?}"
        );
    }
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn the_metrics_are_not_for_clients() {
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
    // Longer than HAProxy needs to ask.
    drain(Site::with(&["--shutdown-delay=3s"]).await).await;
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn nor_does_one_that_drains_at_once_for_its_503_is_tried_again_on_the_other() {
    let site = Site::with(&["--shutdown-delay=0"]).await;
    // It answers no Close: the server is there until everybody else has come back, and lets nobody in.
    let _holding = site.a.raw("/").await;
    drain(site).await;
}

async fn drain(site: Site) {
    let mut crowd = Crowd::connect(&site, 40).await;
    crowd.rounds(5).await;
    let (a, b) = crowd.split();
    assert!(a > 10 && b > 10, "{a} and {b} are no balance");

    site.a.signal(Signal::TERM);
    // Each of a's clients sees its Close and comes back; b's notice nothing. All are busy all the time.
    crowd.until_none_is_at_a().await;
    crowd.rounds(5).await;
    let seen = crowd.leave().await;
    assert_eq!(seen.broken.len(), a, "{:?}", seen.broken);
    for broken in &seen.broken {
        assert_eq!(broken, &Broken::Close(1001, "ws-echo: shutting down".to_owned()));
    }

    let (status, log) = site.a.exit().await;
    assert_eq!(status.code(), Some(0));
    // What a says that it has taken against the replies of a that have come.
    let taken: u64 = log
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|record| record["message"] == "connection closed")
        .map(|record| record["messages"].as_u64().unwrap())
        .sum();
    assert_eq!(
        taken, seen.replies_of_a,
        "messages that were taken and not answered"
    );
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn the_clients_of_a_replica_that_is_killed_land_on_the_other() {
    let mut site = Site::start().await;
    let mut crowd = Crowd::connect(&site, 40).await;
    crowd.rounds(5).await;
    let (a, _) = crowd.split();

    site.a.signal(Signal::KILL);
    crowd.until_none_is_at_a().await;
    crowd.rounds(5).await;
    let seen = crowd.leave().await;
    assert_eq!(seen.broken, vec![Broken::WithoutAClose; a]);

    // It comes back at its address, and is taken in again without a word to the proxy.
    site.restart_a().await;
    let mut crowd = Crowd::connect(&site, 40).await;
    crowd.rounds(1).await;
    assert!(crowd.split().0 > 10);
}

#[actix_rt::test]
#[ignore = "needs haproxy"]
async fn a_replica_more_is_found_by_its_name() {
    let mut site = Site::start().await;
    let third = site.add_one_more().await;
    let mut peers: Vec<Raw> = Vec::new();
    for _ in 0..9 {
        peers.push(site.raw("/", "").await);
    }
    // Least connections: the ninth makes three each.
    let mut opened = third;
    for _ in 0..3 {
        opened.logged("connection opened").await;
    }
}
