//! The view of the checks: what it says of a ws-echo, of one that refuses, and of one that loses something.

use crate::{
    proxy,
    screens::assert_sound,
    support::{Browser, SETUP, Server, Setup},
};

/// Runs the checks for `url`, or for the one that is there. Returns each name with its verdict, in the order of the list.
async fn checked(browser: &Browser, url: Option<&str>) -> Vec<String> {
    browser.sees(".check-list [data-name=close]").await;
    if let Some(url) = url {
        browser.fill("#check-url", url).await;
    }
    browser.click("#check-run").await;
    browser.sees("#check-markdown").await;
    let rows = "return [...document.querySelectorAll('.check-list tbody tr')]\
                .map((row) => `${row.dataset.name} ${row.querySelector('.verdict').dataset.verdict}`)";
    serde_json::from_value(browser.run(rows).await).unwrap()
}

/// The checks of the page. Those of the command alone stand after them, as unknown.
const SOUND: [&str; 14] = [
    "handshake ok",
    "headers ok",
    "subprotocol ok",
    "compression ok",
    "messages ok",
    "size ok",
    // A page sends no Ping.
    "ping unknown",
    "close ok",
    "reset ok",
    "latency ok",
    "concurrency ok",
    // It takes minutes, and has a button of its own.
    "idle skipped",
    "faults ok",
    "polling ok",
];

#[actix_rt::test]
#[ignore = "needs a browser and axe-core"]
async fn nothing_is_broken_between_the_page_and_its_server_on_any_screen() {
    let server = Server::start().await;
    for width in [360, 768, 1440] {
        let setup = Setup {
            size: (width, if width == 360 { 740 } else { 900 }),
            touch: width == 360,
            ..SETUP
        };
        let browser = Browser::open_with(&server, "/#check", setup).await;
        let rows = checked(&browser, None).await;
        let (own, others) = rows.split_at(SOUND.len());
        let mut sound = SOUND;
        if browser.is_firefox() {
            // It ends the TCP connection on an invalid frame, and sends no Close frame.
            sound[12] = "faults unknown";
        }
        assert_eq!(own, sound, "{width}");
        assert!(others.contains(&"tls unknown".to_owned()), "{others:?}");
        assert!(others.iter().all(|row| row.ends_with(" unknown")), "{others:?}");
        // With the times of its messages, drawn.
        browser.click("[data-name=latency] button").await;
        browser.sees(".check-side .pace").await;
        for (language, headline) in [
            ("English", "Nothing is broken between this browser and ws-echo."),
            ("Chinese", "这个浏览器与 ws-echo 之间没有故障。"),
        ] {
            browser.text(".check-head h2", |text| text == headline).await;
            for dark in [false, true] {
                browser.dark(dark).await;
                assert_sound(&browser, &format!("checked: {language} {width} dark {dark}")).await;
            }
            if language == "English" {
                if width == 360 {
                    browser.click(".settings button").await;
                }
                browser.click("#lang").await;
                if width == 360 {
                    browser.press("\u{e00c}").await;
                }
            }
        }
        // What only the command does has its line.
        browser.click("[data-name=tls] button").await;
        let line = format!("ws-echo check {} --only tls", server.ws());
        browser.text(".check-side pre", |text| text == line).await;
        browser.close_after_failures().await;
    }
}

#[actix_rt::test]
#[ignore = "needs a browser and axe-core"]
async fn a_proxy_that_holds_events_back_and_cuts_silence_is_named_with_its_change() {
    let server = Server::start().await;
    let proxy = proxy::start(server.addr).await;
    let browser = Browser::open_through(proxy, "/#check").await;
    let rows = checked(&browser, None).await;
    let broken: Vec<_> = rows.iter().filter(|row| row.ends_with(" broken")).collect();
    assert_eq!(broken, ["polling broken"], "{rows:?}");
    browser
        .text(".check-side", |text| {
            text.contains("lumps, at most") && text.contains("proxy_buffering off;")
        })
        .await;
    browser.sees(".check-side .pace[data-verdict=broken]").await;
    assert_sound(&browser, "held back").await;
    // It waits for its button, and ends as soon as it knows.
    browser.click("#check-run-idle").await;
    browser
        .sees("[data-name=idle] .verdict[data-verdict=broken]")
        .await;
    browser
        .text(".check-side", |text| {
            text.contains("silence is cut after") && text.contains("from something in between")
        })
        .await;
    browser
        .text(".check-head h2", |text| text.starts_with("Two things are broken"))
        .await;
    assert_sound(&browser, "silence is cut").await;
    browser.close_after_failures().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn the_menus_of_the_form_are_those_of_the_console_and_a_check_can_be_stopped() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/#check").await;
    browser.sees(".check-list [data-name=close]").await;
    browser.click(".check-form [aria-label=More]").await;
    browser.sees(".popover.more").await;
    browser.press("\u{e00c}").await;
    browser.misses(".popover").await;
    browser.fill("#check-url", "localhost:1?delay=1s").await;
    browser.click(".check-form [aria-label=History]").await;
    browser.sees(".popover.history").await;
    browser.press("\u{e00c}").await;
    // It accepts the connection, and the run has a long way to go.
    let url = format!("{}?handshake-delay=5m", server.ws());
    browser.fill("#check-url", &url).await;
    browser.click("#check-run").await;
    browser
        .text(".check-head h2", |text| text.starts_with("Checking"))
        .await;
    browser.click("#check-run").await;
    browser
        .text(".check-head h2", |text| text == "The check was stopped.")
        .await;
    browser.text("#check-run", |text| text == "Check").await;
    browser.close_after_failures().await;
}

#[actix_rt::test]
#[ignore = "needs a browser and axe-core"]
async fn a_server_that_refuses_is_told_from_one_that_does_not_answer() {
    let server = Server::start().await;
    let other = Server::start().await;
    let gone = other.ws();
    other.kill().await;
    for (url, seen) in [
        (
            format!("{}?handshake-status=503", server.ws()),
            "/healthz answers, and a browser does not tell a page the response",
        ),
        (gone, "a browser does not tell a page the reason"),
    ] {
        let browser = Browser::open(&server, "/#check").await;
        let rows = checked(&browser, Some(&url)).await;
        assert_eq!(rows[0], "handshake broken", "{url}");
        for row in &rows[1..SOUND.len()] {
            assert!(row.ends_with(" skipped"), "{url}: {row}");
        }
        let headline = browser
            .text(".check-head h2", |text| text.starts_with("One thing is broken"))
            .await;
        assert!(headline.contains("between this browser and"), "{headline}");
        // The broken one is chosen, with the command that sees more.
        browser.text(".check-side", |text| text.contains(seen)).await;
        browser
            .text(".check-side pre", |text| text.ends_with("--only handshake"))
            .await;
        assert_sound(&browser, &url).await;
        browser.close_after_failures().await;
    }
}

#[actix_rt::test]
#[ignore = "needs a browser and axe-core"]
async fn a_subprotocol_that_does_not_come_back_has_its_change_beside_it() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/#check").await;
    let url = format!("{}?subprotocol=none", server.ws());
    let rows = checked(&browser, Some(&url)).await;
    assert!(rows.contains(&"subprotocol broken".to_owned()), "{rows:?}");
    browser
        .text(".check-side", |text| {
            text.contains("com.kaazing.echo offered, and none chosen")
                && text.contains("The server chooses a subprotocol, and the client does not see it.")
                && text.contains("# remove: proxy_hide_header Sec-WebSocket-Protocol;")
        })
        .await;
    browser.click(".programs [role=tab]:nth-child(2)").await;
    browser
        .text(".check-side pre", |text| {
            text.contains("http-response del-header")
        })
        .await;
    assert_sound(&browser, "a lost subprotocol").await;
    browser.close_after_failures().await;
}
