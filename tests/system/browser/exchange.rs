//! The last exchange and the composer.

use fantoccini::{Locator, key::Key};

use crate::support::{Browser, Server, control};

const REPLY: &str = ".exchange .line.received .said";

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn bytes_written_in_hex_come_back_with_the_stamp() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.click("#kind-hex").await;
    browser.fill("#composer", "48 65 6c 6c 6f 00 ff").await;
    browser.text("#send-hint", |text| text == "7 bytes").await;
    browser.click("#send").await;
    browser
        .text(REPLY, |text| text.starts_with("48 65 6c 6c 6f 00 ff 00 00 01"))
        .await;
    browser.fill("#composer", "4x").await;
    browser
        .text("#send-hint.error", |text| text.contains("Not hex at “x”"))
        .await;
    browser.click("#kind-base64").await;
    browser.fill("#composer", "SGk=").await;
    browser.click("#send").await;
    browser
        .text(REPLY, |text| text.starts_with("48 69 00 00 01"))
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_file_is_sent_as_its_bytes() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bytes.bin");
    std::fs::write(&path, [0xDE, 0xAD, 0x00, 0xBE, 0xEF]).unwrap();
    browser.click("#kind-file").await;
    browser.sees("#composer[type=file]").await;
    let field = browser.page.find(Locator::Css("#composer")).await.unwrap();
    field.send_keys(path.to_str().unwrap()).await.unwrap();
    browser
        .text(".composer .file", |text| text.contains("bytes.bin, 5 B"))
        .await;
    browser.click("#send").await;
    browser
        .text(REPLY, |text| text.starts_with("de ad 00 be ef 00 00 01"))
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn json_is_checked_and_set_out_on_lines() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.fill("#composer", r#"{"a":[1,2"#).await;
    browser
        .text("#send-hint.error", |text| {
            text.starts_with("Looks like JSON, but")
        })
        .await;
    browser.fill("#composer", r#"{"a":[1]}"#).await;
    browser
        .text("#send-hint", |text| text == "JSON, well formed")
        .await;
    browser.click("#pretty").await;
    browser
        .until("return document.querySelector('#composer').value", |text| {
            *text == "{\n  \"a\": [\n    1\n  ]\n}"
        })
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_saved_message_is_there_on_the_next_visit() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.click("#kind-hex").await;
    browser.fill("#composer", "ca fe").await;
    browser.click("#saved").await;
    browser.click("#save").await;
    browser.sees(".popover.saved li").await;
    browser.reload().await;
    browser.sees("#state[data-state=open]").await;
    browser.fill("#composer", "").await;
    browser.click("#kind-text").await;
    browser.click("#saved").await;
    browser.click(".popover.saved li button").await;
    browser.sees("#kind-hex[aria-checked=true]").await;
    assert_eq!(browser.all("#composer", "value").await, ["ca fe"]);
    browser.click("#saved").await;
    browser.click(".popover.saved [aria-label^=Remove]").await;
    browser.misses(".popover.saved li").await;
    browser.reload().await;
    browser.sees("#state[data-state=open]").await;
    browser.click("#saved").await;
    browser
        .text(".popover.saved", |text| text.contains("Nothing saved yet."))
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn the_draft_survives_a_reload() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.click("#kind-hex").await;
    browser.keys("#composer", "00 01").await;
    browser.reload().await;
    browser.sees("#state[data-state=open]").await;
    browser.sees("#kind-hex[aria-checked=true]").await;
    assert_eq!(browser.all("#composer", "value").await, ["00 01"]);
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn what_is_typed_while_not_connected_is_kept_and_can_be_sent_later() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.click("#connect").await;
    browser.sees("#state[data-state=closed]").await;
    browser.keys("#composer", "for later").await;
    browser.press(&char::from(Key::Enter).to_string()).await;
    browser
        .text("#send-hint", |text| {
            text == "Not connected. What you type is kept."
        })
        .await;
    assert_eq!(browser.all("#composer", "value").await, ["for later"]);
    browser.click("#connect").await;
    browser.click("#send:enabled").await;
    browser.text(REPLY, |text| text.contains("for later,")).await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn shift_and_enter_break_the_line_and_the_arrow_up_brings_the_message_back() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.keys("#composer", "one").await;
    let shift_enter: String = [char::from(Key::Shift), char::from(Key::Enter)].iter().collect();
    browser.press(&shift_enter).await;
    browser.press("two").await;
    assert_eq!(browser.all("#composer", "value").await, ["one\ntwo"]);
    browser.press(&char::from(Key::Enter).to_string()).await;
    // A line each, the break as a sign.
    browser.text(REPLY, |text| text.contains("one↵two,")).await;
    browser.press(&char::from(Key::Up).to_string()).await;
    browser
        .until("return document.querySelector('#composer').value", |value| {
            *value == "one\ntwo"
        })
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn the_examples_fill_the_composer() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser
        .text(".exchange", |text| {
            text.contains("none yet")
                && text
                    .contains("Type a message and press Enter. It comes back here, with the server’s time.")
        })
        .await;
    assert_eq!(browser.all(".examples button", "innerText").await.len(), 4);
    browser.click(".examples button:last-child").await;
    browser.sees("#kind-hex[aria-checked=true]").await;
    browser
        .until("return document.activeElement.id", |id| *id == "composer")
        .await;
    browser.press(&char::from(Key::Enter).to_string()).await;
    browser
        .text(REPLY, |text| text.starts_with("de ad be ef 00 00"))
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_reply_that_does_not_come_is_waited_for_or_explained() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/#console?delay=30s").await;
    browser.fill("#composer", "slow").await;
    browser.click("#send").await;
    browser.text(REPLY, |text| text.starts_with("waiting, 0:0")).await;
    browser.text(".stateline", |text| text.contains("Waiting")).await;
    browser.fill("#url", &format!("{}?reply=none", server.ws())).await;
    browser.click("#connect").await;
    browser
        .log(|rows| rows.iter().filter(|(kind, _)| kind == "opened").count() == 2)
        .await;
    browser.sees("#state[data-state=open]").await;
    browser.fill("#composer", "silent").await;
    browser.click("#send").await;
    browser
        .text(REPLY, |text| text == "nothing, as the URL asks")
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn two_replies_to_one_message_are_counted() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/#console?duplicate=1").await;
    browser.fill("#composer", "twice").await;
    browser.click("#send").await;
    browser
        .text(REPLY, |text| {
            text.starts_with("2 replies, the last:") && text.contains("twice,")
        })
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_repetition_can_be_stopped() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.fill("#composer", "again").await;
    browser.click("#repeat").await;
    browser.fill("#repeat-every", "100").await;
    browser.fill("#repeat-times", "1000").await;
    browser.click("#repeat-start").await;
    browser.text("#repeat", |text| text.starts_with("Stop, ")).await;
    browser
        .log(|rows| rows.iter().filter(|(kind, _)| kind == "sent").count() > 3)
        .await;
    browser.click("#repeat").await;
    browser.text("#repeat", |text| text == "Repeat…").await;
    browser.close().await;
}

/// Waits until the page has drawn itself anew, as it does each second.
async fn drawn_anew(browser: &Browser) {
    let seconds = "return document.querySelector('.figure b').innerText";
    let before = browser.run(seconds).await;
    browser.until(seconds, |now| *now != before).await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn what_is_typed_into_the_fields_of_a_repetition_stays_there() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.fill("#composer", "again").await;
    browser.click("#repeat").await;
    browser
        .until("return document.activeElement.id", |id| *id == "repeat-every")
        .await;
    for (field, text) in [("#repeat-every", "250"), ("#repeat-times", "2")] {
        browser.keys(field, &control('a')).await;
        browser.press(text).await;
    }
    drawn_anew(&browser).await;
    assert_eq!(
        browser.all("#repeat-every, #repeat-times", "value").await,
        ["250", "2"]
    );
    browser.press(&char::from(Key::Enter).to_string()).await;
    let sent = |rows: &[(String, String)]| rows.iter().filter(|(kind, _)| kind == "sent").count();
    browser.log(|rows| sent(rows) == 2).await;
    // And are there the next time.
    browser.click("#repeat").await;
    browser.sees("#repeat-every").await;
    assert_eq!(
        browser.all("#repeat-every, #repeat-times", "value").await,
        ["250", "2"]
    );
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_menu_with_nothing_to_press_takes_the_focus_once() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.click("#saved").await;
    browser.sees("#save:disabled").await;
    let inside = "return document.querySelector('.popover').contains(document.activeElement)";
    browser.until(inside, |inside| *inside == true).await;
    browser.run("document.querySelector('#composer').focus()").await;
    drawn_anew(&browser).await;
    assert_eq!(browser.focus().await, "#composer");
    browser.close().await;
}
