//! A client of `GET /watch/{key}`.

use std::net::SocketAddr;

use serde_json::Value;

use super::raw::Raw;

/// A watcher that reads Server-Sent Events over a chunked response.
pub(crate) struct Watcher {
    raw: Raw,
    text: String,
}

impl Watcher {
    /// Watches a key. The server has added the watcher when this returns.
    pub(crate) async fn open(addr: SocketAddr, key: &str) -> Self {
        let mut raw = Raw::connect(addr).await;
        raw.send(format!("GET /watch/{key} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
            .await;
        let head = raw.head().await;
        assert_eq!(head.status, 200);
        assert_eq!(head.get("content-type"), Some("text/event-stream"));
        let mut watcher = Self {
            raw,
            text: String::new(),
        };
        assert_eq!(watcher.block().await, ": watching");
        watcher
    }

    /// Returns the next event as sent, without the empty line at its end.
    async fn block(&mut self) -> String {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                return block.trim_end().to_owned();
            }
            let chunk = self.raw.chunk().await;
            assert!(!chunk.is_empty(), "the events ended");
            self.text.push_str(&String::from_utf8(chunk).unwrap());
        }
    }

    /// Returns the name and the data of the next event.
    pub(crate) async fn event(&mut self) -> (String, Value) {
        let block = self.block().await;
        let (name, data) = block.split_once('\n').unwrap();
        let data = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        (name.strip_prefix("event: ").unwrap().to_owned(), data)
    }

    /// Returns the data of the next event. Fails if it is not a handshake.
    pub(crate) async fn handshake(&mut self) -> Value {
        let (name, data) = self.event().await;
        assert_eq!(name, "handshake", "{data}");
        data
    }

    /// Returns the direction, the name and the start of the payload of the next event. Fails if it is not a
    /// frame.
    pub(crate) async fn frame(&mut self) -> (String, String, String) {
        let (name, data) = self.event().await;
        assert_eq!(name, "frame", "{data}");
        let field = |field: &str| data[field].as_str().unwrap().to_owned();
        (field("direction"), field("name"), field("start"))
    }
}
