//! The classic page: it connects by itself, sends the time every two seconds, and shows each reply.

use fantoccini::{Locator, key::Key};

use crate::support::{Browser, PATIENCE, Server};

/// What the page shows of a stamped reply: the message and the time.
fn stamped(text: &str) -> Option<(&str, u64)> {
    let (message, ms) = text.strip_prefix("客户端发送的信息：")?.rsplit_once(',')?;
    Some((message, ms.parse().ok()?))
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn a_page_that_is_opened_shows_the_time_come_back() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/").await;
    let first = browser.text("p#mes", |text| stamped(text).is_some()).await;
    let (sent, _) = stamped(&first).unwrap();
    let sent: u64 = sent.parse().unwrap();
    // The next one comes by itself, two seconds later by the page's own clock; timers are never early.
    let second = browser
        .text("p#mes", |text| stamped(text).is_some() && text != first)
        .await;
    let (next, _) = stamped(&second).unwrap();
    assert!(next.parse::<u64>().unwrap() >= sent + 1900, "{first} {second}");
    browser
        .text("#rtt", |text| text.contains("ms") || text.contains(" s"))
        .await;
    browser.sees("#state[data-state=open]").await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn any_text_can_be_sent_and_is_shown_as_text() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/").await;
    browser.sees("#state[data-state=open]").await;
    browser.click("#classic").await;
    for hostile in [
        "hello",
        "<img src=x onerror=document.title='hacked'>",
        "\u{202E}backwards\u{7}\u{0}",
        "信息 🦀",
    ] {
        browser.fill("#message", hostile).await;
        browser.click("#send").await;
        let script = "return document.querySelector('#mes').textContent";
        let shown = tokio::time::timeout(PATIENCE, async {
            loop {
                let shown = browser.page.execute(script, vec![]).await.unwrap();
                if stamped(shown.as_str().unwrap()).is_some_and(|(message, _)| message == hostile) {
                    break;
                }
            }
        });
        assert!(shown.await.is_ok(), "{hostile:?} was not shown as it is");
    }
    assert!(browser.page.find(Locator::Css("#mes img")).await.is_err());
    assert_ne!(browser.page.title().await.unwrap(), "hacked");
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn the_connection_can_be_closed_and_opened_again() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/").await;
    browser.sees("#state[data-state=open]").await;
    browser.click("#close").await;
    browser.sees("#state[data-state=closed]").await;
    // The log names the code of the close event.
    browser
        .text("#log", |text| text.contains("1000") || text.contains("1005"))
        .await;
    browser.click("#connect").await;
    browser.sees("#state[data-state=open]").await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn a_server_that_is_gone_is_said_to_be_and_its_return_is_noticed() {
    let server = Server::start().await;
    let addr = server.addr;
    let browser = Browser::open(&server, "/").await;
    browser.sees("#state[data-state=open]").await;
    server.kill().await;
    browser.sees("#state[data-state=gone]").await;
    let _again = Server::listening(&addr.to_string(), &[]).await;
    browser.sees("#state[data-state=open]").await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn the_page_speaks_the_browsers_language_and_changes_it_on_request() {
    let server = Server::start().await;
    for (language, first, second) in [("zh-CN", "zh", "en"), ("en-GB", "en", "zh")] {
        let browser = Browser::open_as(&server, "/", language, (1280, 900)).await;
        browser.sees(&format!("html[lang|={first}]")).await;
        browser.click("#lang").await;
        browser.sees(&format!("html[lang|={second}]")).await;
        // Remembered for the next visit.
        browser.page.refresh().await.unwrap();
        browser.sees(&format!("html[lang|={second}]")).await;
        assert_eq!(browser.console().await, [""; 0]);
        browser.close().await;
    }
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn the_page_fits_360_pixels() {
    let server = Server::start().await;
    let browser = Browser::open_as(&server, "/", "en", (360, 740)).await;
    browser.sees("#state[data-state=open]").await;
    let overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.page.execute(overflow, vec![]).await.unwrap(), 0);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn the_keyboard_alone_sends_a_message() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/").await;
    browser.sees("#state[data-state=open]").await;
    browser.click("#classic").await;
    let message = browser.page.find(Locator::Css("#message")).await.unwrap();
    message.send_keys("by hand").await.unwrap();
    message
        .send_keys(&char::from(Key::Enter).to_string())
        .await
        .unwrap();
    browser.text("#mes", |text| text.contains("by hand,")).await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn over_https_the_page_connects_by_wss_and_shows_what_the_server_sees() {
    let server = Server::secure().await;
    let browser = Browser::open(&server, "/").await;
    let own = format!("wss://{}/", server.addr);
    browser.text("p#mes", |text| stamped(text).is_some()).await;
    browser.text("#why", |text| text.starts_with(&own)).await;
    browser.click("#classic").await;
    browser.fill("#message", "over TLS").await;
    browser.click("#send").await;
    browser
        .text("p#mes", |text| {
            stamped(text).is_some_and(|(message, _)| message == "over TLS")
        })
        .await;
    // The Server-Sent Events of its own view come the same way.
    browser.click("#watching").await;
    browser
        .text("#log", |log| {
            log.contains("Server's view") && log.matches("handshake").count() == 2
        })
        .await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}
