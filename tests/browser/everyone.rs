//! What is kept, copied and downloaded, and the page on every screen.

use fantoccini::Locator;
use serde_json::{Value, json};

use crate::support::{Browser, Server};

async fn run(browser: &Browser, script: &str) -> Value {
    browser.page.execute(script, vec![]).await.unwrap()
}

async fn choose(browser: &Browser, css: &str, value: &str) {
    let script = "const field = document.querySelector(arguments[0]); field.value = arguments[1];\
                  field.dispatchEvent(new Event('change', { bubbles: true }));";
    browser
        .page
        .execute(script, vec![json!(css), json!(value)])
        .await
        .unwrap();
}

/// Opens the page and keeps it from sending by itself.
async fn quiet(server: &Server) -> Browser {
    let browser = Browser::open(server, "/").await;
    browser.sees("#state[data-state=open]").await;
    browser.click("#classic").await;
    browser
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn a_saved_message_is_there_on_the_next_visit() {
    let server = Server::start().await;
    let browser = quiet(&server).await;
    choose(&browser, "#mode", "hex").await;
    browser.fill("#message", "ca fe").await;
    run(&browser, "document.querySelector('#save').click()").await;
    browser.page.refresh().await.unwrap();
    browser.sees("#state[data-state=open]").await;
    choose(&browser, "#saved", "0").await;
    let restored = run(
        &browser,
        "return [document.querySelector('#mode').value, document.querySelector('#message').value]",
    )
    .await;
    assert_eq!(restored, json!(["hex", "ca fe"]));
    run(&browser, "document.querySelector('#unsave').click()").await;
    browser.page.refresh().await.unwrap();
    browser.sees("#state[data-state=open]").await;
    assert_eq!(
        run(
            &browser,
            "return document.querySelectorAll('#saved option').length"
        )
        .await,
        1
    );
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn a_file_is_sent_as_its_bytes() {
    let server = Server::start().await;
    let browser = quiet(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bytes.bin");
    std::fs::write(&path, [0xDE, 0xAD, 0x00, 0xBE, 0xEF]).unwrap();
    choose(&browser, "#mode", "file").await;
    let field = browser.page.find(Locator::Css("#file")).await.unwrap();
    field.send_keys(path.to_str().unwrap()).await.unwrap();
    browser.click("#send").await;
    browser
        .text("#mes", |text| text.starts_with("de ad 00 be ef 00 00 01"))
        .await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn json_is_checked_and_pretty_printed() {
    let server = Server::start().await;
    let browser = quiet(&server).await;
    browser.fill("#message", r#"{"a":[1,2"#).await;
    browser.sees("#send-check.error").await;
    browser.fill("#message", r#"{"a":[1]}"#).await;
    browser.sees("#pretty:not([hidden])").await;
    browser.click("#pretty").await;
    let pretty = run(&browser, "return document.querySelector('#message').value").await;
    assert_eq!(pretty, "{\n  \"a\": [\n    1\n  ]\n}");
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn the_log_is_downloaded_as_json_lines() {
    let server = Server::start().await;
    let browser = quiet(&server).await;
    browser.fill("#message", "line\nbreak").await;
    browser.click("#send").await;
    browser.text("#mes", |text| text.contains("break,")).await;
    // What the browser is given to save, read where it is given.
    let catch = "window.given = []; const made = URL.createObjectURL;\
                 URL.createObjectURL = (blob) => { blob.text().then((text) => window.given.push(text)); return made.call(URL, blob); };";
    run(&browser, catch).await;
    browser.click("#download").await;
    let text = loop {
        if let Value::String(text) = run(&browser, "return window.given[0] ?? null").await {
            break text;
        }
    };
    let rows: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(rows.len() >= 3, "{text}");
    assert!(text.contains(r"line\nbreak"), "{text}");
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs chromium"]
async fn the_page_fits_every_screen_in_both_themes_and_both_languages() {
    let server = Server::start().await;
    let pictures = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&pictures).unwrap();
    for (theme, dark) in [("light", false), ("dark", true)] {
        for language in ["en", "zh-CN"] {
            for width in [360, 768, 1280] {
                let browser = Browser::open_themed(&server, "/", language, (width, 900), dark).await;
                browser.sees("#state[data-state=open]").await;
                let prefers = "return matchMedia('(prefers-color-scheme: dark)').matches";
                assert_eq!(run(&browser, prefers).await, dark);
                for tab in ["console", "lab"] {
                    browser.click(&format!("#tab-{tab}")).await;
                    browser.sees(&format!("#{tab}:not([hidden])")).await;
                    let name = format!("{theme} {language} {width} {tab}");
                    let overflow =
                        "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
                    assert_eq!(
                        run(&browser, overflow).await,
                        0,
                        "{name} is wider than the screen"
                    );
                    // Every text has one in this language.
                    let missing = "return [...document.querySelectorAll('[data-i18n]')]\
                                   .filter((element) => !element.textContent.trim()).map((element) => element.outerHTML)";
                    assert_eq!(run(&browser, missing).await, json!([]), "{name}");
                    let picture = browser.page.screenshot().await.unwrap();
                    std::fs::write(pictures.join(format!("{}.png", name.replace(' ', "-"))), picture)
                        .unwrap();
                }
                assert_eq!(browser.console().await, [""; 0]);
                browser.close().await;
            }
        }
    }
}
