//! A connection: its URL, its state, its end and what is done about it.

use fantoccini::key::Key;
use serde_json::json;

use crate::support::{Browser, Server};

const OPEN: &str = "#state[data-state=open]";

fn count(rows: &[(String, String)], kind: &str) -> usize {
    rows.iter().filter(|(one, _)| one == kind).count()
}

/// The kinds of the rows, in order. Whether an end has an error event before it, browsers decide differently.
fn kinds(rows: &[(String, String)]) -> Vec<&str> {
    let kinds = rows.iter().map(|(kind, _)| kind.as_str());
    kinds.filter(|kind| *kind != "error").collect()
}

async fn type_url(browser: &Browser, url: &str) {
    browser.fill("#url", url).await;
    browser.keys("#url", &char::from(Key::Enter).to_string()).await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn the_connection_can_be_closed_and_opened_again() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.text("#connect", |text| text == "Disconnect").await;
    browser.click("#connect").await;
    browser.sees("#state[data-state=closed]").await;
    let rows = browser.log(|rows| count(rows, "ended") == 1).await;
    assert!(rows[1].1.contains("Close 1000, by this page"), "{rows:?}");
    assert!(
        rows[2].1.contains("1000, by this page, answered, clean"),
        "{rows:?}"
    );
    // A normal closure needs no explanation.
    assert!(browser.all(".callout", "innerText").await.is_empty());
    browser.text("#connect", |text| text == "Reconnect").await;
    browser.click("#connect").await;
    browser.sees(OPEN).await;
    browser.log(|rows| count(rows, "opened") == 2).await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_server_that_is_gone_is_said_to_be_and_its_return_is_noticed() {
    let server = Server::start().await;
    let addr = server.addr;
    let browser = Browser::open(&server, "/").await;
    browser.sees(OPEN).await;
    server.kill().await;
    browser.sees("#state[data-state=gone]").await;
    browser
        .text(".callout h2", |text| text == format!("Nothing answers at {addr}"))
        .await;
    assert_eq!(browser.page.title().await.unwrap(), "Server gone: ws-echo");
    browser
        .text(".stateline", |text| {
            text.contains("Trying again") && text.contains("Try now")
        })
        .await;
    let _again = Server::listening(&addr.to_string(), &[]).await;
    browser.sees(OPEN).await;
    assert_eq!(browser.page.title().await.unwrap(), "ws-echo");
    browser.close_after_failures().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn attempts_that_fail_are_one_row_that_counts() {
    let server = Server::start().await;
    let addr = server.addr;
    let browser = Browser::quiet(&server, "/").await;
    server.kill().await;
    let rows = browser
        .log(|rows| {
            rows.last()
                .is_some_and(|(kind, text)| kind == "retries" && text.contains("3 attempts failed"))
        })
        .await;
    assert_eq!(kinds(&rows), ["opened", "ended", "retries"]);
    browser.click(".callout [data-next=stop]").await;
    browser.misses(".callout [data-next=stop]").await;
    let _again = Server::listening(&addr.to_string(), &[]).await;
    // Nothing is tried any more until the button is pressed.
    browser.sees("#state[data-state=gone]").await;
    browser.click(".callout [data-next=retry]").await;
    browser.sees(OPEN).await;
    let rows = browser.rows().await;
    assert_eq!(kinds(&rows), ["opened", "ended", "retries", "opened"]);
    browser.close_after_failures().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_server_that_shuts_down_is_explained_without_alarm() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    server.shut_down().await;
    browser
        .log(|rows| {
            rows.iter()
                .any(|(kind, text)| kind == "close" && text.contains("1001"))
        })
        .await;
    browser.close_after_failures().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_url_without_its_scheme_is_completed_and_connected_with() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    type_url(&browser, &format!("{}/?reply=verbatim", server.addr)).await;
    browser.log(|rows| count(rows, "opened") == 2).await;
    browser.sees(OPEN).await;
    let full = format!("{}?reply=verbatim", server.ws());
    assert_eq!(browser.all("#url", "value").await, [full.as_str()]);
    browser.send("as it is").await;
    browser
        .text(".exchange .line.received .said", |text| text == "as it is")
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_text_that_is_no_url_is_named_and_not_tried() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    for (bad, named) in [
        ("ftp://example.org/", "ws:// or wss://"),
        ("ws://[a]/", "no URL"),
        ("", "Type a WebSocket URL"),
    ] {
        type_url(&browser, bad).await;
        browser.text("#url-error", |text| text.contains(named)).await;
        browser.sees("#url[aria-invalid=true]").await;
    }
    // The connection stays, and nothing was tried.
    browser.sees(OPEN).await;
    assert_eq!(browser.rows().await.len(), 1);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn the_query_of_a_typed_url_stands_in_chips_until_it_is_removed() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    type_url(&browser, &format!("{}?delay=20ms&reply=json&mine=1", server.ws())).await;
    browser.log(|rows| count(rows, "opened") == 2).await;
    browser.sees(OPEN).await;
    assert_eq!(
        browser.all(".chip.used .chip-text", "innerText").await,
        ["delay=20ms", "reply=json"]
    );
    browser.click(".chip-remove").await;
    // Removed from the URL, not yet from the connection.
    browser.misses(".chip + .chip").await;
    assert_eq!(
        browser.all("#url", "value").await,
        [format!("{}?reply=json&mine=1", server.ws())]
    );
    browser.text("#connect", |text| text == "Reconnect").await;
    browser.sees(OPEN).await;
    assert_eq!(browser.rows().await.len(), 4);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_reconnect_has_its_close_in_the_log_before_the_next_opening() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.fill("#url", &format!("{}?reply=json", server.ws())).await;
    // A changed URL drops nothing: it waits for the button.
    browser.text("#connect", |text| text == "Reconnect").await;
    browser.sees(OPEN).await;
    assert_eq!(browser.rows().await.len(), 1);
    browser.click("#connect").await;
    let rows = browser.log(|rows| count(rows, "opened") == 2).await;
    assert_eq!(kinds(&rows), ["opened", "close", "ended", "opened"]);
    assert!(rows[1].1.contains("Close 1000, by this page"), "{rows:?}");
    assert!(
        rows[2].1.contains("1000, by this page, clean, to reconnect"),
        "{rows:?}"
    );
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn the_servers_view_waits_for_a_button_and_leaves_the_end_in_the_log() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.click("#watching").await;
    browser
        .text(".log", |text| text.contains("Shown from the next connection on."))
        .await;
    browser.sees(OPEN).await;
    browser.send("on the first connection").await;
    assert_eq!(count(&browser.rows().await, "ended"), 0);
    browser.click("#view-now").await;
    let rows = browser.log(|rows| count(rows, "opened") == 2).await;
    assert_eq!(kinds(&rows[3..6]), ["close", "ended", "opened"]);
    assert!(
        rows[4].1.contains("to connect with the server’s view"),
        "{rows:?}"
    );
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn the_code_and_the_reason_that_one_sends_are_in_the_log() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.click("#disconnect-menu").await;
    browser.fill("#close-code", "4401").await;
    browser.fill("#close-reason", "再见").await;
    browser.click("#close-with").await;
    let rows = browser.log(|rows| count(rows, "ended") == 1).await;
    assert!(rows[1].1.contains("Close 4401 “再见”, by this page"), "{rows:?}");
    assert!(
        rows[2].1.contains("4401 “再见”, by this page, answered, clean"),
        "{rows:?}"
    );
    browser.sees("#state[data-state=closed]").await;
    // One's own end needs no explanation.
    assert!(browser.all(".callout", "innerText").await.is_empty());
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_code_or_reason_that_a_page_may_not_send_cannot_be_sent() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.click("#disconnect-menu").await;
    browser.sees("#close-with:enabled").await;
    for code in ["1006", "1001", "2999", "5000", "", "x"] {
        browser.fill("#close-code", code).await;
        browser.sees("#close-with:disabled").await;
        browser.sees("#close-code[aria-invalid=true]").await;
    }
    browser.fill("#close-code", "3000").await;
    browser.sees("#close-with:enabled").await;
    // 42 times three bytes do not fit into a Close frame; 41 times do.
    browser.fill("#close-reason", &"好".repeat(42)).await;
    browser.sees("#close-with:disabled").await;
    browser
        .text("#close-hint", |text| text.contains("126 of 123 bytes"))
        .await;
    browser.fill("#close-reason", &"好".repeat(41)).await;
    browser.click("#close-with").await;
    browser
        .log(|rows| {
            rows.iter()
                .any(|(kind, text)| kind == "close" && text.contains("Close 3000 “好好"))
        })
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn close_and_reconnect_sends_the_code_and_opens_again() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.click("#disconnect-menu").await;
    browser.fill("#close-code", "4000").await;
    browser.fill("#close-reason", "again").await;
    browser.click("#close-with + button").await;
    let rows = browser.log(|rows| count(rows, "opened") == 2).await;
    assert_eq!(kinds(&rows), ["opened", "close", "ended", "opened"]);
    assert!(rows[2].1.contains("4000 “again”, by this page"), "{rows:?}");
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_connection_cut_on_request_is_explained_and_not_dialled_again() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/#console?abort&after=1").await;
    browser.sees("#state[data-state=lost]").await;
    browser
        .text(".callout h2", |text| {
            text == "The connection ended without a Close frame"
        })
        .await;
    let causes = browser.all(".callout .causes dt", "innerText").await;
    assert_eq!(causes, ["Certain", "Elsewhere"]);
    let why = browser.text(".callout .causes", |_| true).await;
    assert!(
        why.contains("abort") && why.contains("The URL asks for it"),
        "{why}"
    );
    browser
        .text(".callout .what", |text| {
            text.contains("Code 1006") && text.contains("never on the wire")
        })
        .await;
    assert_eq!(count(&browser.rows().await, "opened"), 1);
    assert_eq!(browser.page.title().await.unwrap(), "Lost: ws-echo");
    // Exactly one filled button: the next step.
    assert_eq!(
        browser.all("button.primary:enabled", "innerText").await,
        ["Connect without the fault"]
    );
    browser.click(".callout [data-next=without]").await;
    browser.sees(OPEN).await;
    assert_eq!(browser.all("#url", "value").await, [server.ws()]);
    assert!(browser.all(".callout", "innerText").await.is_empty());
    assert_eq!(browser.all("button.primary:enabled", "innerText").await, ["Send"]);
    browser.close_after_failures().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_refused_handshake_is_told_from_a_server_that_is_not_there() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/#console?handshake-status=503").await;
    browser.sees("#state[data-state=refused]").await;
    browser
        .text(".callout h2", |text| {
            text == "The handshake was refused, as the URL asked"
        })
        .await;
    browser
        .text(".stateline", |text| text.contains("Refused after"))
        .await;
    browser
        .text(".callout", |text| text.contains("handshake-status=503"))
        .await;
    let rows = browser.log(|rows| count(rows, "ended") == 1).await;
    assert_eq!(kinds(&rows), ["ended"]);
    assert!(rows.last().unwrap().1.contains("never open"), "{rows:?}");
    browser.close_after_failures().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_clean_close_by_the_server_is_explained_and_dismissed() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/#console?close=1013:overloaded&after=1").await;
    browser.sees("#state[data-state=closed]").await;
    browser.sees(".callout[data-tone=neutral]").await;
    browser
        .text(".callout h2", |text| text == "The server is overloaded")
        .await;
    let rows = browser.log(|rows| count(rows, "ended") == 1).await;
    assert!(
        rows.iter()
            .any(|(kind, text)| kind == "close" && text.contains("Close 1013 “overloaded”, by the server")),
        "{rows:?}"
    );
    browser.click(".callout .dismiss").await;
    browser.misses(".callout").await;
    // Without a callout the next step is to connect.
    assert_eq!(
        browser.all("button.primary:enabled", "innerText").await,
        ["Reconnect"]
    );
    browser.click("#connect").await;
    browser.sees(".callout").await;
    browser.press(&char::from(Key::Escape).to_string()).await;
    browser.misses(".callout").await;
    browser.close_after_failures().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn figures_and_reply_of_a_connection_that_ended_are_marked_as_old() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/").await;
    browser.sees(OPEN).await;
    browser.text("#mes", |text| !text.is_empty()).await;
    browser.send("the last one").await;
    browser.click("#connect").await;
    browser.sees("#state[data-state=closed]").await;
    browser
        .text(".figures.stale", |text| text.starts_with("As of "))
        .await;
    browser
        .text(".exchange.stale", |text| {
            text.contains("on the connection that ended") && text.contains("the last one")
        })
        .await;
    browser.sees(".heartbeat.stale #mes").await;
    let muted = "return [document.querySelector('#mes'), document.querySelector('.exchange .received .said'), document.querySelector('.figures b')]\
                 .map((one) => getComputedStyle(one).color)";
    let colours = browser.run(muted).await;
    assert_eq!(colours[0], "rgb(89, 99, 106)", "{colours}");
    assert_eq!(colours[1], "rgb(89, 99, 106)", "{colours}");
    assert_eq!(colours[2], "rgb(89, 99, 106)", "{colours}");
    // What is typed meanwhile is kept.
    browser.sees("#send:disabled").await;
    browser
        .text("#send-hint", |text| {
            text == "Not connected. What you type is kept."
        })
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn the_pages_address_keeps_the_connection_for_a_reload_and_a_link() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    type_url(&browser, &format!("{}?reply=json&delay=20ms", server.ws())).await;
    browser.log(|rows| count(rows, "opened") == 2).await;
    browser.send("told").await;
    browser
        .text(".exchange .received .said", |text| {
            text.contains(r#""data":"told""#) && text.contains("repliedAt")
        })
        .await;
    let address = browser.page.current_url().await.unwrap();
    assert_eq!(address.fragment(), Some("console?reply=json&delay=20ms"));
    browser.catch().await;
    browser.click("#more").await;
    browser.click("[data-copy=link]").await;
    assert_eq!(browser.caught().await, address.as_str());
    browser.reload().await;
    browser.sees(OPEN).await;
    assert_eq!(
        browser.all("#url", "value").await,
        [format!("{}?reply=json&delay=20ms", server.ws())]
    );
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn nonsense_in_the_pages_address_does_no_harm() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/#nowhere?delay=%3Cimg%20src=x%3E&%zz&url=ws%3A//").await;
    browser.sees("#console").await;
    browser.sees("#url[aria-invalid=true]").await;
    assert_eq!(
        browser
            .run("return document.querySelectorAll('img').length")
            .await,
        0
    );
    type_url(&browser, &server.ws()).await;
    browser.sees(OPEN).await;
    browser.close_after_failures().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn subprotocols_are_offered_in_their_order() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.fill("#protocols", "unknown.one, com.kaazing.echo").await;
    browser.click("#connect").await;
    let rows = browser.log(|rows| count(rows, "opened") == 2).await;
    browser.sees(OPEN).await;
    assert!(
        rows[3].1.contains("com.kaazing.echo") || rows[3].1.contains("unknown.one"),
        "{rows:?}"
    );
    let kept = browser.all("#protocol-list option", "value").await;
    assert_eq!(kept, ["com.kaazing.echo", "unknown.one, com.kaazing.echo"]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn earlier_urls_are_listed_with_their_ends_and_can_be_chosen_again() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    type_url(&browser, &format!("{}?close=4000&after=1", server.ws())).await;
    browser.sees("#state[data-state=open]").await;
    // The server waits for a message, then closes.
    browser.fill("#composer", "x").await;
    browser.click("#send:enabled").await;
    browser.sees(".callout").await;
    browser.click("[aria-label=History]").await;
    browser.sees(".history.popover").await;
    let urls = browser.all(".history li span:first-child", "innerText").await;
    let ends = browser.all(".history li .muted", "innerText").await;
    assert_eq!(urls, [format!("{}?close=4000&after=1", server.ws()), server.ws()]);
    assert_eq!(ends, ["4000", "1000"]);
    // The arrows move in the list, Enter chooses.
    browser.press(&char::from(Key::Down).to_string()).await;
    browser.press(&char::from(Key::Down).to_string()).await;
    browser.press(&char::from(Key::Enter).to_string()).await;
    browser.misses(".history.popover").await;
    let chosen = browser.all("#url", "value").await;
    assert!(urls.contains(&chosen[0]), "{chosen:?}");
    // Chosen is not connected.
    assert_eq!(count(&browser.rows().await, "opened"), 2);
    browser.click("[aria-label=History]").await;
    browser.click(".history .menu-head button").await;
    browser
        .text(".history.popover", |text| text.contains("No URL yet."))
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_second_connection_has_all_of_its_own() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    assert!(browser.all(".connection-tabs", "innerText").await.is_empty());
    browser.send("in the first").await;
    browser.fill("#composer", "a draft").await;
    browser.click("[aria-label='New connection']").await;
    browser
        .sees(".connection-tabs [role=tab] + [role=tab][aria-selected=true]")
        .await;
    // It waits for the button.
    browser.sees("#state[data-state=closed]").await;
    assert_eq!(browser.rows().await.len(), 0);
    assert_eq!(browser.all("#composer", "value").await, [""]);
    browser.fill("#url", &format!("{}?reply=json", server.ws())).await;
    browser.click("#connect").await;
    browser.sees(OPEN).await;
    browser.send("in the second").await;
    let names = browser.all(".connection-tabs [role=tab]", "innerText").await;
    assert!(names[0].contains(&server.addr.to_string()), "{names:?}");
    assert!(names[1].contains("1 fault"), "{names:?}");
    // The arrows go from tab to tab.
    browser
        .keys(
            ".connection-tabs [aria-selected=true]",
            &char::from(Key::Left).to_string(),
        )
        .await;
    browser
        .sees(".connection-tabs [role=tab]:first-child[aria-selected=true]")
        .await;
    assert_eq!(browser.all("#url", "value").await, [server.ws()]);
    assert_eq!(browser.all("#composer", "value").await, ["a draft"]);
    let rows = browser.rows().await;
    assert!(
        rows.iter().all(|(_, text)| !text.contains("in the second")),
        "{rows:?}"
    );
    assert!(
        rows.iter().any(|(_, text)| text.contains("in the first")),
        "{rows:?}"
    );
    // Closing a tab leaves the other alone; one connection needs no strip.
    browser
        .keys(
            ".connection-tabs [aria-selected=true]",
            &char::from(Key::Delete).to_string(),
        )
        .await;
    browser.misses(".connection-tabs").await;
    browser.sees(OPEN).await;
    browser
        .log(|rows| rows.iter().any(|(_, text)| text.contains("in the second")))
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn closing_a_tab_closes_its_connection_with_1000() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.click("[aria-label='New connection']").await;
    // Another page watches the connection that is about to be closed.
    let watch = "window.seen = []; const source = new EventSource('watch/0123456789abcdef0123456789abcdef');\
                 for (const name of ['frame', 'end']) source.addEventListener(name, (event) => window.seen.push(event.data));\
                 await new Promise((resolve) => source.addEventListener('open', resolve));";
    browser.wait_for(watch).await;
    browser
        .fill(
            "#url",
            &format!("{}?watch=0123456789abcdef0123456789abcdef", server.ws()),
        )
        .await;
    browser.click("#connect").await;
    browser.sees(OPEN).await;
    browser
        .click(".connection-tabs [aria-selected=true] .tab-close")
        .await;
    browser.misses(".connection-tabs").await;
    // 03e8 is 1000.
    browser
        .until("return window.seen.join('\\n')", |seen| {
            seen.as_str().unwrap().contains("\"start\":\"03e8")
        })
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_slow_handshake_is_counted_and_can_be_given_up() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/#console?handshake-delay=30s").await;
    browser.sees("#state[data-state=connecting]").await;
    browser
        .text(".stateline", |text| {
            text.contains("Handshake for 1") && text.contains("Cancel")
        })
        .await;
    assert_eq!(browser.page.title().await.unwrap(), "Connecting: ws-echo");
    browser.click(".stateline button.link").await;
    browser.sees("#state[data-state=closed]").await;
    browser.close_after_failures().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_link_is_followed_though_the_page_writes_its_address_before_the_event() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    for view in ["lab", "console", "lab"] {
        // The page draws in the same frame, after this: the resize is what asks it to.
        let link = format!(
            "requestAnimationFrame(() => (location.hash = '#{view}')); dispatchEvent(new Event('resize'))"
        );
        browser.run(&link).await;
        browser.sees(&format!("main#{view}")).await;
    }
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn reset_brings_back_the_pages_own_connection() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.fill("#url", "wss://example.org/?delay=1s").await;
    browser.fill("#protocols", "x").await;
    browser.click("#more").await;
    browser.click(".more.popover hr + .menu button").await;
    browser.misses(".more.popover").await;
    let own = format!("{} com.kaazing.echo", server.ws());
    browser
        .until(
            "return [...document.querySelectorAll('#url, #protocols')].map((field) => field.value).join(' ')",
            |fields| fields == own.as_str(),
        )
        .await;
    browser.text("#connect", |text| text == "Disconnect").await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn escape_and_a_click_elsewhere_close_a_menu_and_the_focus_goes_back() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    for button in [
        "[aria-label=History]",
        "#disconnect-menu",
        "#more",
        "#export",
        "#saved",
        "#repeat",
    ] {
        browser.click(button).await;
        browser.sees(".popover").await;
        let inside = "return document.querySelector('.popover').contains(document.activeElement)";
        browser.until(inside, |inside| *inside == true).await;
        browser.press(&char::from(Key::Escape).to_string()).await;
        browser.misses(".popover").await;
        let back = format!(
            "return document.activeElement === document.querySelector({})",
            json!(button)
        );
        browser.until(&back, |back| *back == true).await;
        browser.click(button).await;
        browser.sees(".popover").await;
        browser.click(".mark").await;
        browser.misses(".popover").await;
    }
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn the_drawer_shows_every_header_field_and_takes_a_close_without_a_value() {
    let url = "return document.querySelector('#url').value";
    let hidden = "const lines = document.querySelector('#fault-set-header');\
                  return lines.scrollHeight - lines.clientHeight";
    let fields = "set-header=Server:a&set-header=Via:b";
    let server = Server::start().await;
    let browser = Browser::quiet(&server, &format!("/#console?{fields}")).await;
    browser.click("#fault").await;
    browser.keys("#fault-set-header", "\nX-New:c").await;
    let wanted = format!("{fields}&set-header=X-New:c");
    browser
        .until(url, |url| url.as_str().unwrap().ends_with(&wanted))
        .await;
    assert_eq!(browser.run(hidden).await, json!(0), "pixels of the lines");
    browser.click("details:has(#fault-close) summary").await;
    browser.click(".field:has(#fault-close) [role=switch]").await;
    let wanted = format!("{wanted}&close");
    browser
        .until(url, |url| url.as_str().unwrap().ends_with(&wanted))
        .await;
    browser.close().await;
}
