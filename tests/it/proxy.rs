//! `--trusted-proxy`: who the client is, for the log, the caps and `?reply=json`.

use serde_json::{Value, json};

use crate::support::{
    process::Process,
    raw::{self, Raw, upgrade},
};

/// What a connection with these headers is told of itself, and its line in the log.
async fn ask(server: &mut Process, headers: &str) -> (Value, Value) {
    let (_, mut peer) = Raw::open(server.addr(), "/?reply=json", headers).await;
    peer.send(&raw::text("who am I?")).await;
    let reply: Value = serde_json::from_slice(&peer.frame().await.payload).unwrap();
    let logged = server.logged("connection opened").await;
    (
        reply["connection"].clone(),
        serde_json::from_str(&logged).unwrap(),
    )
}

#[actix_rt::test]
async fn a_trusted_proxy_names_the_client_for_the_log_and_for_the_reply() {
    let mut server = Process::start(&["--trusted-proxy=127.0.0.0/8", "--log-format=json"]).await;
    for (headers, client) in [
        (
            "X-Forwarded-For: 8.8.8.8, 203.0.113.7\r\nX-Forwarded-Proto: https\r\n",
            json!({"address": "203.0.113.7", "port": null, "proto": "https"}),
        ),
        (
            "Forwarded: for=\"[2001:db8::7]:4711\";proto=wss\r\n",
            json!({"address": "2001:db8::7", "port": 4711, "proto": "wss"}),
        ),
    ] {
        let (connection, logged) = ask(&mut server, headers).await;
        assert_eq!(connection["client"], client);
        assert_eq!(logged["client"], client["address"]);
        assert_eq!(logged["peer"], connection["peer"]);
        assert!(connection["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    }
    let (connection, logged) = ask(&mut server, "").await;
    assert_eq!(connection["client"]["address"], "127.0.0.1");
    assert_eq!(logged.get("client"), None, "there is nothing to add to the peer");
}

#[actix_rt::test]
async fn anybody_else_names_nobody() {
    for flags in [
        &["--log-format=json"][..],
        &["--log-format=json", "--trusted-proxy=10.0.0.0/8,::1"],
    ] {
        let mut server = Process::start(flags).await;
        let headers =
            "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\nForwarded: for=203.0.113.7\r\n";
        let (connection, logged) = ask(&mut server, headers).await;
        assert_eq!(connection["client"]["address"], "127.0.0.1");
        assert_eq!(connection["client"]["proto"], Value::Null);
        assert_eq!(logged.get("client"), None);
    }
}

#[actix_rt::test]
async fn the_cap_of_an_address_counts_the_clients_behind_a_proxy_one_by_one() {
    let server = Process::start(&["--trusted-proxy=127.0.0.1", "--max-connections-per-ip=1"]).await;
    let from = |client: u8| format!("X-Forwarded-For: 203.0.113.{client}\r\n");
    let (one, _one) = Raw::open(server.addr(), "/", &from(1)).await;
    let (two, _two) = Raw::open(server.addr(), "/", &from(2)).await;
    assert_eq!((one.status, two.status), (101, 101));
    let mut again = Raw::connect(server.addr()).await;
    again.send(upgrade("/", &from(1)).as_bytes()).await;
    let (head, body) = again.response().await;
    assert_eq!(head.status, 503, "{body}");
    assert!(body.contains("from your address"), "{body}");
}
