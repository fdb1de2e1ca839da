//! The log: rows, filters, what is chosen in it, and what the server saw.

use fantoccini::{Locator, key::Key};
use serde_json::{Value, json};

use crate::support::{Browser, SETUP, Server, Setup, control};

fn key(key: Key) -> String {
    char::from(key).to_string()
}

/// Sends the draft `times` times, as fast as the network takes it, and waits until all replies are there.
async fn repeat(browser: &Browser, text: &str, times: u32) {
    browser.fill("#composer", text).await;
    browser.click("#repeat").await;
    browser.fill("#repeat-every", "0").await;
    browser.fill("#repeat-times", &times.to_string()).await;
    browser.click("#repeat-start").await;
    let received = "return Number(/Received\\s([\\d,]+)/.exec(document.querySelector('.stateline').innerText)[1].replace(/,/g, ''))";
    browser
        .until(received, |count| count.as_u64().unwrap() >= u64::from(times))
        .await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_hundred_thousand_rows_are_a_few_dozen_nodes() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    repeat(&browser, "x", 50_000).await;
    browser.text("#log-count", |text| text == "100,000 rows").await;
    let nodes = browser
        .run("return document.querySelectorAll('.log *').length")
        .await;
    assert!(nodes.as_u64().unwrap() < 1000, "{nodes}");
    // Scrolled up, it stays where it is; the way back is one button, once there is something new.
    browser
        .run("document.querySelector('#log-grid').scrollTop = 1000")
        .await;
    browser.send("new").await;
    browser
        .text(".unseen-rows", |text| {
            text.contains("2 new") && text.contains("Not following: scrolled up")
        })
        .await;
    let nodes = browser
        .run("return document.querySelectorAll('.log *').length")
        .await;
    assert!(nodes.as_u64().unwrap() < 1000, "{nodes}");
    browser.click("#follow").await;
    browser.misses("#follow").await;
    browser
        .log(|rows| rows.last().is_some_and(|(_, text)| text.contains("new")))
        .await;
    browser.click("#export").await;
    browser
        .text(".export.popover", |text| {
            text.contains("100,000 rows shown, of 100,000") && text.contains("older rows were discarded")
        })
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn copy_takes_every_row_shown_and_says_how_many() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    repeat(&browser, "x", 6000).await;
    browser.catch().await;
    browser.click("#export").await;
    browser.click("#copy-log").await;
    browser
        .text("#copy-log", |text| text.contains("Copied 12,001 rows"))
        .await;
    assert_eq!(browser.caught().await.lines().count(), 12_001);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn the_log_is_filtered_paused_and_cleared() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    for text in ["apple 1", "pear 22"] {
        browser.send(text).await;
    }
    browser.fill("#find", "PEAR").await;
    browser.text("#log-count", |text| text == "2 of 5 rows").await;
    browser.click("#regex").await;
    browser.sees("#regex[aria-pressed=true]").await;
    browser.fill("#find", r"\d\d,\d+$").await;
    browser.text("#log-count", |text| text == "1 of 5 rows").await;
    browser
        .log(|rows| rows.len() == 1 && rows[0].1.contains("pear 22,"))
        .await;
    browser.fill("#find", "(").await;
    browser
        .text("#find-error", |text| text.contains("Not a regular expression"))
        .await;
    browser.fill("#find", "").await;
    browser.fill("#kinds", "sent").await;
    browser.text("#log-count", |text| text == "2 of 5 rows").await;
    browser.fill("#kinds", "").await;
    browser.fill("#types", "binary").await;
    browser.text("#log-count", |text| text == "0 of 5 rows").await;
    browser.fill("#types", "").await;
    browser.click("#pause").await;
    browser.send("unseen").await;
    browser
        .text("#log-count", |text| text == "paused, 2 rows since")
        .await;
    assert_eq!(browser.rows().await.len(), 5);
    browser.click("#pause").await;
    browser
        .log(|rows| rows.last().is_some_and(|(_, text)| text.contains("unseen")))
        .await;
    browser.click("#clear").await;
    browser
        .text(".log-empty", |text| text == "Nothing has happened yet.")
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_search_without_a_hit_says_so_and_offers_to_clear_the_filter() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.fill("#find", "nowhere to be found").await;
    browser
        .text(".log-empty", |text| {
            text.contains("No row matches.") && !text.contains("Nothing")
        })
        .await;
    browser.click("#unfilter").await;
    browser.text("#log-count", |text| text == "1 row").await;
    assert_eq!(browser.all("#find", "value").await, [""]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn an_expression_that_backtracks_without_end_is_stopped_and_the_page_goes_on() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.send("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!").await;
    browser.click("#regex").await;
    browser.fill("#find", "(a+)+b").await;
    browser
        .text("#find-error", |text| {
            text == "Took longer than 200 ms: stopped. Rows are not filtered."
        })
        .await;
    browser.sees("#find[aria-invalid=true]").await;
    browser.text("#log-count", |text| text == "3 rows").await;
    browser.send("still here").await;
    // The next expression is taken again.
    browser.fill("#find", "^still").await;
    browser.text("#log-count", |text| text == "1 of 5 rows").await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_chosen_rows_detail_is_in_sight_and_the_log_says_that_it_does_not_follow() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    for n in 0..30 {
        browser.send(&format!("message {n}")).await;
    }
    browser.click("#log-grid [data-kind=sent]").await;
    let chosen = browser
        .text("#log-grid [aria-selected=true]", |text| text.contains("message"))
        .await;
    let message = chosen.split_whitespace().find(|word| word.parse::<u32>().is_ok());
    let message = format!("message {}", message.unwrap_or_default());
    // The whole of the inspector's first content is within the window, and so is the row.
    browser
        .text(".inspector", |text| text.contains("sent, text"))
        .await;
    let seen = "return ['.inspector h2', '#log-grid [aria-selected=true]'].map((css) => {\
                const box = document.querySelector(css).getBoundingClientRect();\
                return box.top >= 0 && box.bottom <= innerHeight && box.height > 0; })";
    assert_eq!(browser.run(seen).await, json!([true, true]), "{message}");
    browser.send("after the choice").await;
    browser
        .text(".unseen-rows", |text| {
            text.contains("2 new") && text.contains("Not following: a row is chosen")
        })
        .await;
    browser.sees("#log-grid [aria-selected=true]").await;
    // Escape follows again.
    browser.press(&key(Key::Escape)).await;
    browser.misses("#log-grid [aria-selected=true]").await;
    browser.misses(".unseen-rows").await;
    browser
        .log(|rows| {
            rows.last()
                .is_some_and(|(_, text)| text.contains("after the choice"))
        })
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn the_other_half_of_an_exchange_is_marked_and_one_arrow_away() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.send("first").await;
    browser.send("second").await;
    let chosen = async |part: &str| {
        browser
            .text("#log-grid [aria-selected=true]", |text| text.contains(part))
            .await
    };
    browser.keys("#log-grid", &key(Key::Up)).await;
    chosen("second,").await;
    browser.sees("#log-grid [data-kind=sent].pair").await;
    browser.press(&key(Key::Left)).await;
    chosen("sent").await;
    browser.press(&key(Key::Right)).await;
    chosen("received").await;
    browser.press(&key(Key::Home)).await;
    chosen("opened").await;
    browser.press(&key(Key::Down)).await;
    chosen("first").await;
    browser.press(&key(Key::End)).await;
    browser.misses("#log-grid [aria-selected=true]").await;
    browser.press(&key(Key::PageUp)).await;
    browser.sees("#log-grid [aria-selected=true]").await;
    // Enter goes to the inspector, Control and F to the search.
    browser.press(&key(Key::Enter)).await;
    let inside = "return document.querySelector('.inspector').contains(document.activeElement)";
    browser.until(inside, |inside| *inside == true).await;
    browser.keys("#log-grid", &control('f')).await;
    browser
        .until("return document.activeElement.id", |id| *id == "find")
        .await;
    // Control and C copies the row.
    browser.catch().await;
    browser.keys("#log-grid", &key(Key::Home)).await;
    browser.press(&control('c')).await;
    assert!(browser.caught().await.contains("\"opened\""));
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn with_the_servers_view_all_rows_stand_in_the_order_of_time() {
    let server = Server::listening("127.0.0.1:0", &["--ping-interval=1s"]).await;
    let watch = "watch=abcdefghijklmnopqrstuvwxyz012345";
    let browser = Browser::quiet(&server, &format!("/#console?jitter=40ms&delay=10ms&{watch}")).await;
    for n in 0..20 {
        browser.send(&format!("message {n}")).await;
    }
    let control = |(kind, _): &&(String, String)| kind == "control";
    browser.log(|rows| rows.iter().filter(control).count() >= 4).await;
    browser.send("the last").await;
    browser
        .log(|rows| {
            rows.iter()
                .any(|(kind, text)| kind == "sent" && text.contains("the last") && text.contains("mask"))
        })
        .await;
    browser.catch().await;
    browser.click("#export").await;
    browser.click("#copy-log").await;
    let lines = browser.caught().await;
    let times: Vec<f64> = lines
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["at"]
                .as_f64()
                .unwrap_or_default()
        })
        .collect();
    assert!(times.len() > 40 && times.is_sorted(), "{lines}");
    // A Ping of the server stands before the Pong of this browser, and no frame before the opening.
    assert!(lines.lines().next().unwrap().contains("opened"), "{lines}");
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn whatever_comes_over_the_wire_stays_text() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    for hostile in [
        "<img src=x onerror=\"document.title='hacked'\">",
        r#"{"__proto__":{"x":1},"<b>":"</script><script>document.title='hacked'</script>"}"#,
        "\u{202E}evil\u{2066}\u{0}\u{1b}[2J\u{FEFF}",
        &"W".repeat(1 << 20),
        &"[".repeat(50_000),
    ] {
        browser.fill("#composer", hostile).await;
        browser.click("#send").await;
        let length = hostile.len() + "客户端发送的信息：".len() + 14;
        let script = "const { length } = document.querySelectorAll('#log-grid [data-kind=received]');\
                      return length && [...document.querySelectorAll('#log-grid [data-kind=received]')].at(-1).innerText";
        let size = match length {
            0..1024 => format!("{length} B"),
            // Rounded, as the page does.
            1024..1_048_576 => format!("{} KiB", (length + 512) / 1024),
            _ => "1.0 MiB".to_owned(),
        };
        browser
            .until(script, |text| {
                text.as_str().is_some_and(|text| text.contains(&size))
            })
            .await;
        // Its row, opened in each of the four ways.
        browser
            .run("[...document.querySelectorAll('#log-grid [data-kind=received]')].at(-1).click()")
            .await;
        browser
            .text(".inspector", |text| text.contains("received, text"))
            .await;
        for way in ["text", "json", "hex", "frame"] {
            browser.click(&format!("#message-panel-{way}")).await;
            browser
                .sees(&format!("#message-panel-{way}[aria-selected=true]"))
                .await;
        }
        browser.click("#message-panel-text").await;
    }
    browser
        .misses("#console img, #console b b, #console script")
        .await;
    assert_ne!(browser.page.title().await.unwrap(), "hacked");
    let overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.run(overflow).await, 0);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn on_a_narrow_screen_a_row_opens_as_a_sheet_and_goes_back() {
    let server = Server::start().await;
    let setup = Setup {
        size: (360, 740),
        ..SETUP
    };
    let browser = Browser::open_with(&server, "/", setup).await;
    browser.sees("#state[data-state=open]").await;
    browser.send("small").await;
    browser.click("#log-grid [data-kind=received]").await;
    browser
        .text(".inspector", |text| text.contains("received, text"))
        .await;
    // The clock's difference and its uncertainty stand on one line, beside a title that is wider than the rest of the screen.
    browser.click("#inspector-panel-timing").await;
    browser
        .text(".inspector .block-head b", |text| text.contains(", ± "))
        .await;
    let lines = "const title = document.querySelector('.inspector .block-head b'); const range = document.createRange();\
                 range.selectNodeContents(title);\
                 return new Set([...range.getClientRects()].map(({ top }) => top)).size";
    assert_eq!(browser.run(lines).await, 1);
    browser.press(&key(Key::Escape)).await;
    browser.misses(".inspector").await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_har_file_has_the_messages_as_devtools_writes_them_and_opens_as_a_new_tab() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.send("hello").await;
    browser.catch().await;
    browser.click("#export").await;
    browser.click("#save-har").await;
    let text = browser.caught().await;
    let har: Value = serde_json::from_str(&text).unwrap();
    let messages = har["log"]["entries"][0]["_webSocketMessages"].as_array().unwrap();
    let sent = messages.iter().find(|one| one["data"] == "hello").unwrap();
    assert_eq!((&sent["type"], &sent["opcode"]), (&json!("send"), &json!(1)));
    assert!(sent["time"].is_f64(), "{sent}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved.har");
    std::fs::write(&path, text).unwrap();
    // Saving has closed the menu.
    browser.misses("#import-file").await;
    browser.click("#export").await;
    browser.sees("#import-file").await;
    let field = browser.page.find(Locator::Css("#import-file")).await.unwrap();
    field.send_keys(path.to_str().unwrap()).await.unwrap();
    browser.text("#state", |text| text == "Imported").await;
    browser
        .log(|rows| {
            rows.iter()
                .any(|(kind, text)| kind == "sent" && text.contains("hello"))
        })
        .await;
    // There is no connection to send by.
    browser.sees("#send:disabled").await;
    browser.close().await;
}
