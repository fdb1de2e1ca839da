//! `/healthz` and `/readyz`, and HEAD requests.

use crate::support::{
    Echo, in_time,
    raw::{self, Raw},
};

#[actix_rt::test]
async fn a_running_server_is_alive_and_ready() {
    let echo = Echo::start();
    for (path, body) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let mut response = in_time("the response", awc::Client::new().get(echo.url(path)).send())
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.body().await.unwrap(), body);
        assert_eq!(response.headers().get("cache-control").unwrap(), "no-store");
    }
}

#[actix_rt::test]
async fn several_checks_are_served_on_one_connection() {
    let echo = Echo::start();
    let mut peer = Raw::connect(echo.addr()).await;
    for path in ["/healthz", "/readyz", "/healthz"] {
        peer.send(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes())
            .await;
        assert_eq!(peer.response().await.0.status, 200);
    }
}

#[actix_rt::test]
async fn head_gets_the_response_of_get_without_its_body() {
    let echo = Echo::start();
    for path in ["/healthz", "/readyz", "/metrics"] {
        let mut peer = Raw::connect(echo.addr()).await;
        let (with_body, body) = peer.get(path).await;
        assert_eq!(with_body.status, 200, "{path}");
        assert!(!body.is_empty());
        // The next bytes after the header section are those of the next response.
        let requests = raw::get(path).replacen("GET", "HEAD", 1) + &raw::get("/healthz");
        peer.send(requests.as_bytes()).await;
        let head = peer.head().await;
        assert_eq!(head.status, 200, "HEAD {path}");
        assert_eq!(head.get("content-type"), with_body.get("content-type"), "{path}");
        assert_eq!(head.get("transfer-encoding"), None, "{path}");
        let len: usize = head.get("content-length").unwrap().parse().unwrap();
        if path == "/metrics" {
            // The values, and so the length, change between two requests.
            assert!(len > 0);
        } else {
            assert_eq!(len, body.len(), "{path}");
        }
        let (next, body) = peer.response().await;
        assert_eq!((next.status, body.as_str()), (200, "ok\n"), "after HEAD {path}");
    }
}
