//! The first seconds: the page connects by itself, sends the time every two seconds, and shows each reply.

use fantoccini::{Locator, key::Key};

use crate::support::{Browser, PATIENCE, SETUP, Server, Setup};

/// The message and the time of a stamped reply.
fn stamped(text: &str) -> Option<(&str, u64)> {
    let (message, ms) = text.strip_prefix("客户端发送的信息：")?.rsplit_once(',')?;
    Some((message, ms.parse().ok()?))
}

#[actix_rt::test]
#[ignore = "needs a browser"]
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
    browser.sees("#state[data-state=open]").await;
    let figures = browser
        .text(".stateline", |text| {
            text.contains("Round trip") && text.contains(" ms")
        })
        .await;
    assert!(figures.contains("Open for"), "{figures}");
    let rows = browser.rows().await;
    assert_eq!(rows.len(), 1, "heartbeats are no rows: {rows:?}");
    assert!(rows[0].1.contains("com.kaazing.echo"), "{rows:?}");
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn the_heartbeat_can_be_switched_off_and_stays_off_on_the_next_visit() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/").await;
    browser.text("#mes", |text| stamped(text).is_some()).await;
    browser.click(".heartbeat [role=switch]").await;
    browser
        .text(".heartbeat", |text| text.contains("off since "))
        .await;
    browser.reload().await;
    browser.sees("#state[data-state=open]").await;
    browser.sees(".heartbeat [role=switch][aria-checked=false]").await;
    browser.send("not a heartbeat").await;
    let rows = browser.rows().await;
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert_eq!(browser.all("#mes", "textContent").await, [""]);
    browser.click(".heartbeat [role=switch]").await;
    browser.text("#mes", |text| stamped(text).is_some()).await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn heartbeats_stand_in_the_log_as_rows_if_they_are_unfolded() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/").await;
    browser.click(".heartbeat [aria-expanded=false]").await;
    browser
        .log(|rows| rows.iter().filter(|(kind, _)| kind == "received").count() >= 2)
        .await;
    browser.click(".heartbeat [aria-expanded=true]").await;
    browser.log(|rows| rows.len() == 1).await;
    // They are no exchange of the user's, folded or not.
    browser.text(".exchange", |text| text.contains("none yet")).await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn any_text_can_be_sent_and_is_shown_as_text() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    for (hostile, shown) in [
        ("hello", "hello"),
        (
            "<img src=x onerror=document.title='hacked'>",
            "<img src=x onerror=document.title='hacked'>",
        ),
        ("\u{202E}backwards\u{7}\u{0}", "⟨202E⟩backwards⟨0007⟩␀"),
        ("信息 🦀", "信息 🦀"),
    ] {
        browser.fill("#composer", hostile).await;
        browser.click("#send").await;
        let reply = browser
            .text(".exchange .line.received .said", |text| text.contains(shown))
            .await;
        assert_eq!(stamped(&reply).unwrap().0, shown);
    }
    assert!(browser.page.find(Locator::Css("#console img")).await.is_err());
    assert_ne!(browser.page.title().await.unwrap(), "hacked");
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn the_keyboard_alone_sends_a_message() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/").await;
    browser.sees("#state[data-state=open]").await;
    // The focus is where one types from the first second.
    assert_eq!(browser.focus().await, "#composer");
    browser.press("by hand").await;
    browser.press(&char::from(Key::Enter).to_string()).await;
    browser
        .text(".exchange .line.received .said", |text| text.contains("by hand,"))
        .await;
    assert_eq!(browser.all("#composer", "value").await, [""]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn where_one_types_with_a_finger_the_page_opens_no_keyboard() {
    let server = Server::start().await;
    let setup = Setup {
        touch: true,
        size: (360, 740),
        ..SETUP
    };
    let browser = Browser::open_with(&server, "/", setup).await;
    browser.sees("#state[data-state=open]").await;
    assert_eq!(
        browser
            .run("return matchMedia('(pointer: coarse)').matches")
            .await,
        true
    );
    assert_eq!(
        browser
            .run("return document.activeElement === document.body")
            .await,
        true
    );
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn the_page_speaks_the_browsers_language_and_changes_it_on_request() {
    let server = Server::start().await;
    for (language, first, second) in [("zh-CN", "zh", "en"), ("en-GB", "en", "zh")] {
        let browser = Browser::open_with(&server, "/", Setup { language, ..SETUP }).await;
        browser.sees(&format!("html[lang|={first}]")).await;
        browser.click("#lang").await;
        browser.sees(&format!("html[lang|={second}]")).await;
        let send = if second == "zh" { "发送" } else { "Send" };
        browser.text("#send", |text| text == send).await;
        // Remembered for the next visit.
        browser.reload().await;
        browser.sees(&format!("html[lang|={second}]")).await;
        browser.text("#send", |text| text == send).await;
        browser.close().await;
    }
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn over_https_the_page_connects_by_wss_and_shows_the_servers_view() {
    let server = Server::secure().await;
    let browser = Browser::open(&server, "/").await;
    browser.text("p#mes", |text| stamped(text).is_some()).await;
    assert_eq!(browser.all("#url", "value").await, [server.ws()]);
    browser.click(".heartbeat [role=switch]").await;
    browser.send("over TLS").await;
    // The Server-Sent Events of its view come the same way.
    browser.click("#watching").await;
    browser.click("#view-now").await;
    browser
        .log(|rows| rows.iter().filter(|(kind, _)| kind == "opened").count() == 2)
        .await;
    browser
        .text("#log-heads", |text| text.contains("Server’s view"))
        .await;
    browser.send("seen?").await;
    browser
        .log(|rows| {
            rows.iter()
                .any(|(kind, text)| kind == "sent" && text.contains("seen?") && text.contains("mask"))
        })
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_test_that_fails_leaves_no_browser_behind() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/").await;
    browser.sees("#state[data-state=open]").await;
    let folder = browser.folder().to_str().unwrap().to_owned();
    assert!(processes(&folder) > 0, "no process names {folder}");
    let failed = actix_rt::spawn(async move {
        let _browser = browser;
        panic!("this panic is part of the test");
    });
    assert!(failed.await.unwrap_err().is_panic());
    let waited = tokio::time::timeout(PATIENCE, async {
        while processes(&folder) > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "{} processes left", processes(&folder));
}

/// The number of processes whose command line names the folder.
fn processes(folder: &str) -> usize {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = all.filter_map(|one| std::fs::read(one.path().join("cmdline")).ok());
    lines
        .filter(|line| String::from_utf8_lossy(line).contains(folder))
        .count()
}
