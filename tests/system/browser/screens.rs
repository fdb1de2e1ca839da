//! The page on every screen, in each of its states, and with a screen reader's eyes: axe-core finds nothing.
//!
//! The file of axe-core (axe.min.js of the npm package) is named by the variable `AXE`.

use serde_json::Value;

use crate::support::{Browser, SETUP, Server, Setup};

/// Runs axe-core over a part of the page. Returns each violation, and each text whose contrast it could not measure, unless something lies
/// over the text, it stands in a drawing, or it is one character. tests/page/contrast.test.mjs computes the contrast of all pairs of colours.
async fn axe(browser: &Browser, part: &str) -> Vec<String> {
    let path = std::env::var("AXE").expect("AXE names the file axe.min.js of the npm package axe-core");
    let source = std::fs::read_to_string(path).unwrap();
    browser.run(&source).await;
    let script = "const { violations, incomplete } = await axe.run(PART);\
        const covered = (node) => [...node.any, ...node.all].some((check) => ['bgOverlap', 'elmPartiallyObscured', 'elmPartiallyObscuring', 'shortTextContent'].includes(check.data?.messageKey));\
        const drawn = ({ target }) => document.querySelector(target[0])?.closest('[role=img], .plot') != null;\
        const unmeasured = incomplete.filter(({ id }) => id === 'color-contrast')\
          .map((one) => ({ ...one, nodes: one.nodes.filter((node) => !covered(node) && !drawn(node)) }));\
        return [...violations, ...unmeasured].flatMap(({ id, nodes }) => nodes.map(({ html, none }) =>\
          [id, html, ...none.map(({ data }) => data?.message)].filter(Boolean).join(': ')));";
    let script = script.replace("PART", &Value::from(part).to_string());
    serde_json::from_value(browser.wait_for(&script).await).unwrap()
}

/// Texts that lie over each other, and texts that run out of what surrounds them, beyond the page's edge.
const COLLISIONS: &str = "
    const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    const clipped = (element) => {
      const clip = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
      for (let one = element; one !== document.body; one = one.parentElement) {
        if (getComputedStyle(one).overflow === 'visible') continue;
        const { left, top, right, bottom } = one.getBoundingClientRect();
        Object.assign(clip, { left: Math.max(clip.left, left), top: Math.max(clip.top, top), right: Math.min(clip.right, right), bottom: Math.min(clip.bottom, bottom) });
      }
      return clip;
    };
    const boxes = [];
    const walker = document.createTreeWalker(document.querySelector('#app'), NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const element = node.parentElement;
      if (!node.data.trim() || !shown(element) || element.closest('option, .hidden, .skip, [inert]')) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const clip = clipped(element);
      const layer = element.closest('.popover, .drawer, .inspector, .unseen-rows');
      for (const { left, top, right, bottom } of range.getClientRects()) {
        const box = { left: Math.max(left, clip.left), top: Math.max(top, clip.top), right: Math.min(right, clip.right), bottom: Math.min(bottom, clip.bottom), element, layer, text: node.data.trim() };
        if (box.right - box.left > 1 && box.bottom - box.top > 1) boxes.push(box);
      }
    }
    return boxes.flatMap((one, i) => boxes.slice(i + 1).filter((other) => one.layer === other.layer && one.element !== other.element
      && Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1 && Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 6)
      .map((other) => `${one.text} / ${other.text}`));";

/// Asserts what holds in every state: axe-core finds nothing, the page neither scrolls nor is wider than the screen, no text lies over
/// another, and at most one button is filled.
pub(crate) async fn assert_sound(browser: &Browser, state: &str) {
    assert_eq!(axe(browser, "html").await, [""; 0], "{state}");
    assert_in_shape(browser, state).await;
}

/// Asserts of it what needs no axe-core.
async fn assert_in_shape(browser: &Browser, state: &str) {
    let beyond = "const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.documentElement;\
                  return [scrollWidth - clientWidth, scrollHeight - clientHeight]";
    assert_eq!(browser.run(beyond).await, serde_json::json!([0, 0]), "{state}");
    assert_eq!(browser.run(COLLISIONS).await, serde_json::json!([]), "{state}");
    // What the state line has no room for is not there, rather than cut.
    let cut = "return [...document.querySelectorAll('.stateline :is(.figure, .news > *)')].filter((one) => {\
                 const line = one.parentElement.getBoundingClientRect(); const { right, top } = one.getBoundingClientRect();\
                 return !one.closest('[inert]') && (right > line.right + 1 || top > line.bottom);\
               }).map((one) => one.innerText)";
    assert_eq!(browser.run(cut).await, serde_json::json!([]), "{state}");
    let filled = "const accent = getComputedStyle(document.querySelector('.mark .icon')).color;\
                  return [...document.querySelectorAll('button:enabled')].filter((one) => one.checkVisibility({ visibilityProperty: true })\
                    && getComputedStyle(one).backgroundColor === accent).map((one) => one.innerText)";
    let filled = browser.run(filled).await;
    assert!(filled.as_array().unwrap().len() <= 1, "{state}: filled: {filled}");
}

async fn click_text(browser: &Browser, css: &str, text: &str) {
    let script = format!(
        "const one = [...document.querySelectorAll({})].find((one) => one.innerText.trim() === {});\
         one?.click(); return Boolean(one)",
        Value::from(css),
        Value::from(text)
    );
    browser.until(&script, |clicked| *clicked == true).await;
}

#[actix_rt::test]
#[ignore = "needs a browser and axe-core"]
async fn the_page_fits_every_screen_in_both_themes_and_both_languages() {
    let server = Server::start().await;
    for language in ["en-GB", "zh-CN"] {
        for width in [360, 768, 1440] {
            let size = (width, if width == 360 { 740 } else { 900 });
            let setup = Setup {
                language,
                size,
                touch: width == 360,
                ..SETUP
            };
            let browser = Browser::open_with(&server, "/", setup).await;
            browser.sees("#state[data-state=open]").await;
            for dark in [false, true] {
                browser.dark(dark).await;
                for view in ["console", "check", "lab"] {
                    browser.run(&format!("location.hash = '#{view}'")).await;
                    browser.sees(&format!("main#{view}")).await;
                    if view != "console" {
                        browser.sees(&format!("#{view}-run")).await;
                    }
                    assert_sound(&browser, &format!("{language} {width} dark {dark} {view}")).await;
                }
            }
            browser.close().await;
        }
    }
}

#[actix_rt::test]
#[ignore = "needs a browser and axe-core"]
async fn every_end_of_a_connection_is_explained_and_sound() {
    let server = Server::start().await;
    for (query, state, title) in [
        (
            "handshake-status=503",
            "refused",
            "The handshake was refused, as the URL asked",
        ),
        (
            "abort&after=1",
            "lost",
            "The connection ended without a Close frame",
        ),
        (
            "close=4401:expired&after=1",
            "closed",
            "The server will not go on",
        ),
        (
            "close=1012:deploying&after=1",
            "closed",
            "The server restarts, come back later",
        ),
    ] {
        for (size, dark) in [((1440, 900), false), ((768, 900), true), ((360, 740), true)] {
            let setup = Setup { size, dark, ..SETUP };
            let browser = Browser::open_with(&server, &format!("/#console?{query}"), setup).await;
            browser.sees(&format!("#state[data-state={state}]")).await;
            browser.text(".callout h2", |text| text == title).await;
            assert_sound(&browser, &format!("{query} {size:?}")).await;
            browser.close_after_failures().await;
        }
    }
}

#[actix_rt::test]
#[ignore = "needs a browser and axe-core"]
async fn every_menu_the_drawer_and_each_tab_of_the_inspector_are_sound() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/#console?watch=abcdefghijklmnop0123").await;
    browser.send("hello").await;
    browser.send(r#"{"a":[1,2]}"#).await;
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
        // It covers other parts, whose contrast cannot be measured then.
        assert_eq!(axe(&browser, ".popover").await, [""; 0], "{button}");
        assert_in_shape(&browser, button).await;
        browser.click(button).await;
        browser.misses(".popover").await;
    }
    for view in ["text", "json", "hex", "frame"] {
        browser.click(&format!("#message-panel-{view}")).await;
        assert_sound(&browser, view).await;
    }
    for tab in ["Timing", "Connection"] {
        click_text(&browser, ".inspector [role=tab]", tab).await;
        assert_sound(&browser, tab).await;
    }
    browser.click("#fault").await;
    browser.sees(".drawer summary").await;
    assert_sound(&browser, "drawer").await;
    browser.click("#disconnect-menu").await;
    browser.sees("#close-with").await;
    assert_in_shape(&browser, "drawer and menu").await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser and axe-core"]
async fn with_the_drawer_open_or_a_measurement_done_no_screen_scrolls() {
    let server = Server::start().await;
    for size in [(360, 740), (768, 900)] {
        let setup = Setup {
            size,
            touch: size.0 == 360,
            ..SETUP
        };
        let browser = Browser::open_with(&server, "/#console?delay=1ms&jitter=1ms&seed=7", setup).await;
        browser.sees("#state[data-state=open]").await;
        if size.0 == 360 {
            browser.click(".parts [role=tab]:last-child").await;
        }
        browser.click("#fault").await;
        browser.sees(".drawer .count").await;
        assert_sound(&browser, &format!("drawer at {size:?}")).await;
        browser.run("location.hash = '#lab'").await;
        browser.sees("#lab-run").await;
        browser.fill("#lab-times", "10").await;
        browser.fill("#lab-every", "10").await;
        browser.click("#lab-run").await;
        browser.sees("#lab-classic tbody tr").await;
        assert_sound(&browser, &format!("measured laboratory at {size:?}")).await;
        browser.close().await;
    }
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_long_url_stays_in_its_field_and_no_figure_lies_over_another() {
    let server = Server::start().await;
    let long = format!("set-header=X-Long:{}", "abcdefghij".repeat(20));
    for language in ["en-GB", "zh-CN"] {
        for width in [360, 768, 1100] {
            let setup = Setup {
                language,
                size: (width, 740),
                ..SETUP
            };
            let state = format!("{language} {width}");
            // The delay makes the time of the refusal long, too.
            let path = format!("/#console?handshake-status=503&handshake-delay=100ms&{long}");
            let browser = Browser::open_with(&server, &path, setup).await;
            browser.sees("#state[data-state=refused]").await;
            assert_in_shape(&browser, &state).await;
            // Also while it is edited.
            browser.run("document.querySelector('#url').focus()").await;
            assert_in_shape(&browser, &state).await;
            let outside = "const field = document.querySelector('.url').getBoundingClientRect();\
                           return [...document.querySelectorAll('.url-text, .url-parts, #url')].map((one) => one.getBoundingClientRect())\
                             .filter(({ width, right }) => width > 0 && right > field.right).length";
            assert_eq!(browser.run(outside).await, 0, "{state}");
            browser.close_after_failures().await;
        }
    }
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn a_preset_is_chosen_connected_with_and_cleared() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/").await;
    browser.click("#fault").await;
    click_text(
        &browser,
        ".drawer b, .drawer strong, .drawer button b",
        "Slow backend",
    )
    .await;
    browser
        .until("return document.querySelector('#url').value", |url| {
            url.as_str().unwrap().ends_with("/?delay=800ms&jitter=400ms")
        })
        .await;
    // Nothing is connected with yet: the chips are outlined, and the log has one opening.
    assert_eq!(browser.all(".chip.used", "innerText").await, [""; 0]);
    click_text(&browser, ".drawer button", "Reconnect with these").await;
    browser
        .log(|rows| rows.iter().filter(|(kind, _)| kind == "opened").count() == 2)
        .await;
    // The end stands before the next opening.
    let kinds: Vec<_> = browser.rows().await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["opened", "close", "ended", "opened"]);
    browser.sees(".chip.used").await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn the_inspector_shows_the_handshake_and_the_bits_of_a_frame_as_the_server_saw_them() {
    let server = Server::start().await;
    let browser = Browser::quiet(&server, "/#console?watch=abcdefghijklmnop0123&compress=off").await;
    browser.send("hello").await;
    browser
        .run("[...document.querySelectorAll('#log-grid [data-kind=sent]')].at(-1).click()")
        .await;
    browser.click("#message-panel-frame").await;
    browser
        .text(".inspector", |text| {
            text.contains("masking key") && text.contains("68 65 6c 6c 6f") && text.contains("5 B")
        })
        .await;
    click_text(&browser, ".inspector [role=tab]", "Connection").await;
    browser
        .text(".inspector", |text| {
            text.contains("GET /?watch=abcdefghijklmnop0123&compress=off HTTP/1.1")
                && text.contains("HTTP/1.1 101 Switching Protocols")
                && text.contains("16 MiB")
        })
        .await;
    browser.close().await;
}

#[actix_rt::test]
#[ignore = "needs a browser"]
async fn the_laboratory_measures_polling_beside_websocket() {
    let server = Server::start().await;
    let browser = Browser::open(&server, "/#lab").await;
    browser.fill("#lab-times", "20").await;
    browser.fill("#lab-every", "20").await;
    browser.click("#lab-run").await;
    browser.sees("#lab-classic tbody tr").await;
    let cells = "return [...document.querySelectorAll('#lab-table tbody tr')].map((row) =>\
                 [...row.children].map((cell) => cell.innerText))";
    let rows: Vec<Vec<String>> = serde_json::from_value(browser.run(cells).await).unwrap();
    let row = |name: &str, size: &str| rows.iter().find(|row| row[0] == name && row[1] == size).unwrap();
    // 16 bytes and a masked header; the prefix, 16 bytes, a comma, thirteen digits and a header.
    let stamped = "客户端发送的信息：".len() + 16 + 1 + 13;
    assert_eq!(
        row("WebSocket", "16 B")[5..],
        ["22", &format!("{}", stamped + 2), "8"]
    );
    assert_eq!(row("WebSocket", "1 KiB")[5], "1,032");
    let polling = row("HTTP polling", "16 B");
    let (down, overhead): (usize, usize) = (polling[6].parse().unwrap(), polling[7].parse().unwrap());
    // The server's own count for a poll of the same browser.
    let counted = "const response = await fetch('poll', { method: 'POST', body: 'x'.repeat(16), cache: 'no-store' });\
                   return response.headers.get('x-head-bytes')";
    let counted = browser.wait_for(counted).await;
    let (request, response) = counted
        .as_str()
        .and_then(|text| text.strip_prefix("request="))
        .and_then(|text| text.split_once(", response="))
        .unwrap();
    let (request, response): (usize, usize) = (request.parse().unwrap(), response.parse().unwrap());
    assert_eq!(
        (down, overhead),
        (stamped + response, request + response),
        "{counted}"
    );
    assert_eq!(browser.all("#lab-sequence svg", "tagName").await.len(), 4);
    assert_eq!(browser.all("#lab-classic tbody tr", "tagName").await.len(), 3);
    browser.run("location.hash = '#console'").await;
    browser.sees("#state[data-state=open]").await;
    browser.close().await;
}
