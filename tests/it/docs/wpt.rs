//! The table of docs/wpt.md: each URL is one that the server accepts.

use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use super::markdown::{Document, code_spans};
use crate::support::{
    in_time,
    process::Process,
    raw::{Raw, upgrade},
};

const HANDLERS: usize = 35;
const WITH_URL: usize = 32;

/// Fills in the client's values, and a delay that the test need not wait for.
fn filled(url: &str) -> String {
    let values = [
        ("{query}", "a=1"),
        ("{name}", "foobar"),
        ("{code}", "4000"),
        ("{reason}", "bye"),
        ("handshake-delay=10s", "handshake-delay=0"),
        ("handshake-delay=2s", "handshake-delay=0"),
    ];
    values
        .iter()
        .fold(url.to_owned(), |url, (from, to)| url.replace(from, to))
}

/// Returns the first bytes of the response to a handshake.
async fn answer(server: &Process, url: &str) -> String {
    let mut raw = Raw::connect(server.addr()).await;
    raw.send(upgrade(url, "").as_bytes()).await;
    let mut start = [0; 16];
    in_time("a response", raw.stream.read_exact(&mut start))
        .await
        .unwrap();
    String::from_utf8_lossy(&start).into_owned()
}

#[actix_rt::test]
async fn the_server_accepts_each_url_for_a_handler_of_web_platform_tests() {
    // The binary, because `handshake=garbage` has no effect on actix's test server.
    let server = Process::start(&[]).await;
    let mut raw = Raw::connect(server.addr()).await;
    let (_, body) = raw.get("/behaviours.json").await;
    let known: Value = serde_json::from_str(&body).unwrap();
    let known: Vec<_> = known["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["name"])
        .collect();

    let table = Document::read("docs/wpt.md").table(&["Handler", "What it does", "URL", "Difference"]);
    let mut handlers = Vec::new();
    let mut with_url = Vec::new();
    for row in &table.rows {
        handlers.push(&row[0]);
        let Some(url) = code_spans(&row[2]).first().map(|url| filled(url)) else {
            assert_eq!(row[2], "none", "{}", row[0]);
            continue;
        };
        with_url.push(&row[0]);
        let (_, query) = url.split_once('?').unwrap();
        for pair in query.split('&') {
            let key = pair.split('=').next().unwrap();
            assert!(known.iter().any(|name| *name == key), "{}: {key}", row[0]);
        }
        let expected = match query {
            _ if query.starts_with("auth=") => "HTTP/1.1 401 ",
            "handshake=garbage" => "ws-echo: no HTTP",
            _ => "HTTP/1.1 101 ",
        };
        let answer = answer(&server, &url).await;
        assert!(answer.starts_with(expected), "{}: {answer}", row[0]);
    }
    handlers.dedup();
    with_url.dedup();
    assert_eq!((handlers.len(), with_url.len()), (HANDLERS, WITH_URL));
}
