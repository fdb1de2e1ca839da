//! What operators ask over plain HTTP.

use crate::support::{Echo, raw::Raw, soon};

#[actix_rt::test]
async fn a_running_server_is_alive_and_ready() {
    let echo = Echo::start();
    for (path, said) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let mut response = soon("the answer", awc::Client::new().get(echo.url(path)).send())
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.body().await.unwrap(), said);
        assert_eq!(response.headers().get("cache-control").unwrap(), "no-store");
    }
}

#[actix_rt::test]
async fn both_answers_come_over_one_connection() {
    let echo = Echo::start();
    let mut peer = Raw::connect(echo.addr()).await;
    for path in ["/healthz", "/readyz", "/healthz"] {
        peer.send(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes())
            .await;
        assert_eq!(peer.response().await.0.status, 200);
    }
}
