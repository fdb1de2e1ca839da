//! The view of the checks: what it says of a ws-echo, of one that refuses, and of one that loses something.

use crate::{
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
const SOUND: [&str; 6] = [
    "handshake ok",
    "headers ok",
    "subprotocol ok",
    "compression ok",
    "messages ok",
    "close ok",
];

#[actix_rt::test]
#[ignore = "needs a browser and axe-core"]
async fn nothing_is_broken_between_the_page_and_its_server_on_any_screen() {
    let server = Server::start().await;
    for language in ["en-GB", "zh-CN"] {
        for width in [360, 768, 1440] {
            let setup = Setup {
                language,
                size: (width, if width == 360 { 740 } else { 900 }),
                touch: width == 360,
                ..SETUP
            };
            let browser = Browser::open_with(&server, "/#check", setup).await;
            let rows = checked(&browser, None).await;
            let (own, others) = rows.split_at(SOUND.len());
            assert_eq!(own, SOUND, "{language} {width}");
            assert!(others.contains(&"tls unknown".to_owned()), "{others:?}");
            assert!(others.iter().all(|row| row.ends_with(" unknown")), "{others:?}");
            let headline = match language {
                "en-GB" => "Nothing is broken between this browser and ws-echo.",
                _ => "这个浏览器与 ws-echo 之间没有故障。",
            };
            browser.text(".check-head h2", |text| text == headline).await;
            for dark in [false, true] {
                browser.dark(dark).await;
                assert_sound(&browser, &format!("checked: {language} {width} dark {dark}")).await;
            }
            // What only the command does has its line.
            browser.click("[data-name=tls] button").await;
            let line = format!("ws-echo check {} --only tls", server.ws());
            browser.text(".check-side pre", |text| text == line).await;
            browser.close().await;
        }
    }
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
        for row in &rows[1..6] {
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
