//! The console: what a person does while they build or debug a client.

use fantoccini::Locator;
use serde_json::{Value, json};

use crate::support::{Browser, PATIENCE, Server};

async fn run(browser: &Browser, script: &str) -> Value {
    browser.page.execute(script, vec![]).await.unwrap()
}

/// Waits until the script's answer is as wanted.
async fn until(browser: &Browser, script: &str, wanted: impl Fn(&Value) -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async { while !wanted(&run(browser, script).await) {} });
    assert!(waited.await.is_ok(), "waited in vain for {script}");
}

/// Opens the page and keeps it from sending by itself.
async fn quiet(server: &Server, path: &str) -> Browser {
    let browser = Browser::open(server, path).await;
    browser.sees("#state[data-state=open]").await;
    browser.click("#classic").await;
    browser
}

async fn choose(browser: &Browser, css: &str, value: &str) {
    let script = "const field = document.querySelector(arguments[0]); field.value = arguments[1];\
                  for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true }));";
    browser
        .page
        .execute(script, vec![json!(css), json!(value)])
        .await
        .unwrap();
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn the_form_builds_the_url_and_the_address_keeps_it() {
    let server = Server::start().await;
    let browser = quiet(&server, "/").await;
    choose(&browser, "#opt-reply", "json").await;
    choose(&browser, "#opt-delay", "20ms").await;
    browser
        .text("#built", |url| url.ends_with("/?reply=json&delay=20ms"))
        .await;
    browser.click("#connect-form [type=submit]").await;
    browser
        .text("#log", |log| log.matches("handshake").count() == 2)
        .await;
    browser.fill("#message", "told").await;
    browser.click("#send").await;
    browser
        .text("#mes", |text| {
            text.contains(r#""data":"told""#) && text.contains("repliedAt")
        })
        .await;
    let address = browser.page.current_url().await.unwrap();
    assert_eq!(address.fragment(), Some("console?reply=json&delay=20ms"));
    // Whoever is given this address gets the same connection.
    browser.page.refresh().await.unwrap();
    browser
        .text("#why", |url| url.ends_with("/?reply=json&delay=20ms"))
        .await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn a_value_that_the_server_would_refuse_is_named_before_it_is_sent() {
    let server = Server::start().await;
    let browser = quiet(&server, "/").await;
    choose(&browser, "#opt-drop", "2").await;
    browser.text("#built", |text| text.contains("0.1")).await;
    browser.sees("#opt-drop[aria-invalid=true]").await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn bytes_written_in_hex_come_back_with_the_stamp() {
    let server = Server::start().await;
    let browser = quiet(&server, "/").await;
    choose(&browser, "#mode", "hex").await;
    browser.fill("#message", "48 65 6c 6c 6f 00 ff").await;
    browser.click("#send").await;
    browser
        .text("#mes", |text| text.starts_with("48 65 6c 6c 6f 00 ff 00 00 01"))
        .await;
    browser.fill("#message", "4x").await;
    browser.text("#send-check", |text| text.contains('x')).await;
    choose(&browser, "#mode", "base64").await;
    browser.fill("#message", "SGk=").await;
    browser.click("#send").await;
    browser
        .text("#mes", |text| text.starts_with("48 69 00 00 01"))
        .await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn a_close_with_a_code_and_a_reason_is_reported_and_explained() {
    let server = Server::start().await;
    let browser = quiet(&server, "/").await;
    browser.fill("#close-code", "1006").await;
    browser.click("#close-with").await;
    browser
        .text("#explained", |text| text.contains("3000 to 4999"))
        .await;
    browser.fill("#close-code", "4401").await;
    browser.fill("#close-reason", "再见").await;
    browser.click("#close-with").await;
    browser
        .text("#explained", |text| {
            // The server sends the code back with its reason.
            text.contains("code 4401, reason 再见, wasClean true") && text.contains("Private use")
        })
        .await;
    browser.sees("#state[data-state=closed]").await;
    // 42 times three bytes do not fit into a Close frame.
    browser.fill("#close-reason", &"好".repeat(42)).await;
    browser.click("#connect").await;
    browser.sees("#state[data-state=open]").await;
    browser.click("#close-with").await;
    browser
        .text("#explained", |text| text.contains("this one has 126"))
        .await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn a_connection_cut_on_request_is_explained_and_not_dialled_again() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/#console?abort&after=1").await;
    browser
        .text("#explained", |text| {
            text.contains("code 1006") && text.contains("does not mean")
        })
        .await;
    browser.sees("#state[data-state=closed][data-why=broken]").await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn a_refused_handshake_is_told_from_a_server_that_is_not_there() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/#console?handshake-status=503").await;
    browser.sees("#state[data-state=closed][data-why=refused]").await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn the_servers_view_stands_beside_the_pages_own() {
    let server = Server::start().await;
    let browser = quiet(&server, "/").await;
    browser.click("#watching").await;
    browser
        .text("#log", |log| {
            log.contains("Server's view") && log.matches("handshake").count() == 2
        })
        .await;
    browser.fill("#message", "seen?").await;
    browser.click("#send").await;
    // Its frame was masked, and the server says so.
    let view = "const rows = [...document.querySelectorAll('.grid-row[data-kind=sent]')];\
                const row = rows.find((row) => row.textContent.includes('seen?'));\
                return row ? row.querySelector('.c-server').textContent : ''";
    until(&browser, view, |seen| seen.as_str().unwrap().contains("mask")).await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn a_hundred_thousand_rows_are_a_few_dozen_nodes() {
    let server = Server::start().await;
    let browser = quiet(&server, "/").await;
    browser.fill("#message", "x").await;
    let repeat = "document.querySelector('#repeat-every').value = 0;\
                  document.querySelector('#repeat-times').value = 50000;\
                  document.querySelector('#repeat-form').requestSubmit();";
    run(&browser, repeat).await;
    browser
        .text("#received-count", |text| text.starts_with("50,00"))
        .await;
    browser.text("#log-count", |text| text == "100,000 rows").await;
    browser.text("#log-cap", |text| text.contains("let go")).await;
    let nodes = run(&browser, "return document.querySelectorAll('#log *').length").await;
    assert!(nodes.as_u64().unwrap() < 1000, "{nodes}");
    // Scrolled up, it stays where it is; the way back is one button.
    run(&browser, "document.querySelector('.grid-body').scrollTop = 1000").await;
    browser.sees("#follow:not([hidden])").await;
    // In the middle of the rows no less than at their end.
    let nodes = run(&browser, "return document.querySelectorAll('#log *').length").await;
    assert!(nodes.as_u64().unwrap() < 1000, "{nodes}");
    browser.click("#follow").await;
    browser.sees("#follow[hidden]").await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn the_log_is_filtered_paused_and_cleared() {
    let server = Server::start().await;
    let browser = quiet(&server, "/").await;
    for text in ["apple 1", "pear 22"] {
        browser.fill("#message", text).await;
        browser.click("#send").await;
        browser.text("#mes", |shown| shown.contains(text)).await;
    }
    browser.fill("#find", "PEAR").await;
    browser.text("#log-count", |text| text.starts_with("2 of")).await;
    browser.click("#regex").await;
    browser.fill("#find", r"\d\d,\d+$").await;
    browser
        .text("#log", |log| log.contains("pear 22") && !log.contains("apple"))
        .await;
    browser.fill("#find", "(").await;
    browser
        .text("#find-error", |text| text.contains("regular expression"))
        .await;
    browser.fill("#find", "").await;
    browser.click("#pause").await;
    browser.fill("#message", "unseen").await;
    browser.click("#send").await;
    browser
        .text("#log-count", |text| text.contains("paused, 2 rows since"))
        .await;
    browser.click("#pause").await;
    browser.text("#log", |log| log.contains("unseen")).await;
    browser.click("#clear").await;
    browser
        .text("#log", |log| log.contains("Nothing has happened yet"))
        .await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn whatever_comes_over_the_wire_stays_text() {
    let server = Server::start().await;
    let browser = quiet(&server, "/").await;
    for hostile in [
        "<img src=x onerror=\"document.title='hacked'\">",
        r#"{"__proto__":{"x":1},"<b>":"</script><script>document.title='hacked'</script>"}"#,
        "\u{202E}evil\u{2066}\u{0}\u{1b}[2J\u{FEFF}",
        &"W".repeat(1 << 20),
    ] {
        browser.fill("#message", hostile).await;
        browser.click("#send").await;
        let start: String = hostile.chars().take(3).collect();
        let shown = format!(
            "return document.querySelector('#mes').textContent.includes({})",
            json!(start)
        );
        until(&browser, &shown, |shown| *shown == true).await;
        // Its row, opened in each of the three ways.
        run(
            &browser,
            "[...document.querySelectorAll('.grid-row[data-kind=received]')].at(-1).click()",
        )
        .await;
        for way in ["text", "json", "hex"] {
            choose(&browser, "#detail-as", way).await;
        }
    }
    assert!(
        browser
            .page
            .find(Locator::Css("#console img, #console b, #console script"))
            .await
            .is_err()
    );
    assert_ne!(browser.page.title().await.unwrap(), "hacked");
    let overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(run(&browser, overflow).await, 0);
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn round_trips_are_plotted_and_the_clock_is_compared() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/").await;
    browser.sees("#rtt-plot svg polyline").await;
    browser.sees("#rtt-histogram svg rect").await;
    // Both clocks are this machine's, so the offset is nothing within its uncertainty and a hair of rounding.
    let told = browser.text("#clock", |text| text.contains('±')).await;
    let numbers: Vec<f64> = told
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    assert!(numbers[0] <= numbers[1] + 1.0, "{told}");
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn the_laboratory_measures_polling_beside_websocket() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/#lab").await;
    browser.sees("#state[data-state=open]").await;
    run(
        &browser,
        "document.querySelector('#lab-times').value = 20; document.querySelector('#lab-every').value = 20",
    )
    .await;
    browser.click("#lab-run").await;
    browser.sees("#lab-results:not([hidden]) table").await;
    let cells = "return [...document.querySelectorAll('#lab-table tbody tr')].map((row) =>\
                 [...row.children].map((cell) => cell.textContent))";
    let rows: Vec<Vec<String>> = serde_json::from_value(run(&browser, cells).await).unwrap();
    let row = |name: &str, size: &str| rows.iter().find(|row| row[0] == name && row[1] == size).unwrap();
    // 16 bytes and a masked header; the prefix, 16 bytes, a comma, thirteen digits and a header.
    let stamped = "客户端发送的信息：".len() + 16 + 1 + 13;
    assert_eq!(
        row("WebSocket", "16 B")[6..],
        ["22", &format!("{}", stamped + 2), "8"]
    );
    assert_eq!(row("WebSocket", "1.0 KiB")[6], "1,032");
    let polling = row("HTTP polling", "16 B");
    let (down, overhead): (usize, usize) = (polling[7].parse().unwrap(), polling[8].parse().unwrap());
    // What the server itself counts of a poll, asked for once more by the same browser.
    let counted = "const done = arguments[0]; fetch('poll', { method: 'POST', body: 'x'.repeat(16), cache: 'no-store' })\
                   .then((response) => done(response.headers.get('x-head-bytes')))";
    let counted = browser.page.execute_async(counted, vec![]).await.unwrap();
    let counted = counted.as_str().unwrap();
    let (request, response) = counted
        .strip_prefix("request=")
        .and_then(|rest| rest.split_once(", response="))
        .unwrap();
    let (request, response): (usize, usize) = (request.parse().unwrap(), response.parse().unwrap());
    assert_eq!(
        (down, overhead),
        (stamped + response, request + response),
        "{counted}"
    );
    assert_eq!(
        browser
            .page
            .find_all(Locator::Css("#lab-sequence svg"))
            .await
            .unwrap()
            .len(),
        4
    );
    assert_eq!(
        browser
            .page
            .find_all(Locator::Css("#lab-classic tbody tr"))
            .await
            .unwrap()
            .len(),
        3
    );
    browser.click("#tab-console").await;
    browser
        .sees("#console:not([hidden]) #state[data-state=open]")
        .await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}
