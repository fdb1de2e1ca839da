//! `GET /behaviours.json`: the query keys, compared with the parser.

use serde_json::{Value, json};
use ws_echo::session::behaviour::{Behaviour, keys};

use crate::support::{
    Echo,
    raw::{self, Raw, get},
};

const MAX_MESSAGE_SIZE: usize = 16 * 1024 * 1024;

async fn document(echo: &Echo) -> Value {
    let (head, body) = Raw::connect(echo.addr()).await.get("/behaviours.json").await;
    assert_eq!(head.status, 200);
    assert_eq!(head.get("content-type"), Some("application/json"));
    serde_json::from_str(&body).unwrap()
}

/// The keys of a server without flags.
async fn keys() -> Vec<Value> {
    let document = document(&Echo::start()).await;
    assert_eq!(document["behaviours"], true);
    document["keys"].as_array().unwrap().clone()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field}: {value}"))
}

fn texts<'v>(value: &'v Value, field: &str) -> Vec<&'v str> {
    let values = value[field].as_array();
    let values = values.unwrap_or_else(|| panic!("no {field}: {value}"));
    values.iter().map(|value| value.as_str().unwrap()).collect()
}

fn pair(name: &str, value: &str) -> String {
    form_urlencoded(&[(name, value)])
}

fn form_urlencoded(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn parse(query: &str) -> Result<Behaviour, String> {
    Behaviour::from_query(query, MAX_MESSAGE_SIZE, |unknown| panic!("{query}: {unknown}"))
        .map_err(|invalid| invalid.error)
}

/// Whether the parser takes this value, beside a key that `key` requires.
fn is_allowed(keys: &[Value], key: &Value, value: &str) -> bool {
    let required = texts(key, "requiresOneOf").first().map(|name| {
        let required = keys.iter().find(|other| other["name"] == *name).unwrap();
        (*name, text(required, "example"))
    });
    let pairs: Vec<_> = required.into_iter().chain([(text(key, "name"), value)]).collect();
    parse(&form_urlencoded(&pairs)).is_ok()
}

#[actix_rt::test]
async fn the_document_has_every_key_in_order() {
    let keys = keys().await;
    let names: Vec<_> = keys.iter().map(|key| text(key, "name")).collect();
    assert_eq!(names, keys::keys().map(|key| key.name).collect::<Vec<_>>());
    let mut groups: Vec<_> = keys.iter().map(|key| text(key, "group")).collect();
    groups.dedup();
    assert_eq!(
        groups,
        [
            "reply",
            "timing",
            "loss",
            "ending",
            "wire",
            "handshake",
            "observation"
        ]
    );
    let secret: Vec<_> = keys.iter().filter(|key| key["secret"] == true).collect();
    let secret: Vec<_> = secret.into_iter().map(|key| text(key, "name")).collect();
    assert_eq!(secret, ["auth", "watch"]);
    assert_eq!(
        keys[names.iter().position(|name| *name == "after").unwrap()],
        json!({
            "name": "after",
            "group": "ending",
            "forms": [
                {"kind": "integer", "unit": "messages", "min": "1", "max": "1000000000"},
                {"kind": "duration", "min": "0s", "max": "5m"},
                {"kind": "text", "pattern": "text:[\\s\\S]*"},
            ],
            "default": null,
            "example": "3",
            "expected": "a number of messages from 1 to 1000000000, or a duration from 0 to 5m, or text:TEXT with a \
                         TEXT of at most 4096 bytes",
            "excludes": [],
            "requiresOneOf": ["close", "abort", "fin", "freeze", "wire"],
            "repeatable": false,
            "secret": false,
        })
    );
}

#[actix_rt::test]
async fn the_parser_takes_each_example_and_each_value_and_no_other_one() {
    let keys = keys().await;
    for key in &keys {
        assert!(is_allowed(&keys, key, text(key, "example")), "{key}");
        assert!(!is_allowed(&keys, key, "no such value"), "{key}");
        for form in key["forms"].as_array().unwrap() {
            if form["kind"] == "choice" {
                for value in texts(form, "values") {
                    assert!(is_allowed(&keys, key, value), "{value}: {key}");
                }
            }
        }
        let mut forms = key["forms"].as_array().unwrap().iter();
        let is_flag = forms.any(|form| form["kind"] == "flag");
        assert_eq!(is_allowed(&keys, key, ""), is_flag, "no value: {key}");
        // The errors of the server have the same text.
        let invalid = parse(&pair(text(key, "name"), "no such value")).unwrap_err();
        assert!(invalid.ends_with(text(key, "expected")), "{invalid}: {key}");
    }
}

#[actix_rt::test]
async fn a_default_has_the_effect_of_no_key() {
    let mut defaults = 0;
    for key in keys().await {
        let Some(default) = key["default"].as_str() else {
            continue;
        };
        let name = text(&key, "name");
        let mut behaviour = parse(&pair(name, default)).unwrap();
        // The behaviour stores these two, and the server treats them as no value.
        match name {
            "max-message-size" => {
                assert_eq!(behaviour.max_message_size.take(), Some(MAX_MESSAGE_SIZE));
            }
            "handshake-delay" => assert!(behaviour.handshake_delay.take().unwrap().is_zero()),
            _ => {}
        }
        assert_eq!(behaviour, Behaviour::default(), "{key}");
        defaults += 1;
    }
    assert_eq!(defaults, 8);
}

#[actix_rt::test]
async fn the_parser_takes_each_bound_and_refuses_what_is_beyond() {
    let keys = keys().await;
    let mut bounds = 0;
    for key in &keys {
        for form in key["forms"].as_array().unwrap() {
            let beyond = match text(form, "kind") {
                "flag" | "choice" => vec![],
                "close" => close_codes_beyond(form),
                "text" => continue,
                kind => {
                    let (min, max) = (text(form, "min"), text(form, "max"));
                    for bound in [min, max] {
                        assert!(is_allowed(&keys, key, bound), "{bound}: {key}");
                    }
                    bounds += 2;
                    match kind {
                        "duration" => durations_beyond(min, max),
                        "probability" => vec!["-0.000001".to_owned(), "1.000001".to_owned()],
                        _ => integers_beyond(min, max),
                    }
                }
            };
            for value in beyond {
                assert!(!is_allowed(&keys, key, &value), "{value}: {key}");
            }
        }
    }
    assert_eq!(bounds, 34);
}

fn integers_beyond(min: &str, max: &str) -> Vec<String> {
    let below = min.parse::<i128>().unwrap() - 1;
    let above = max.parse::<i128>().unwrap() + 1;
    vec![below.to_string(), above.to_string()]
}

fn durations_beyond(min: &str, max: &str) -> Vec<String> {
    let mut beyond = vec![format!("{max} 1ns")];
    if min != "0" && min != "0s" {
        let min = humantime::parse_duration(min).unwrap();
        let below = min - std::time::Duration::from_nanos(1);
        beyond.push(humantime::format_duration(below).to_string());
    }
    beyond
}

/// Checks the first and the last code of each range, and returns their neighbours.
fn close_codes_beyond(form: &Value) -> Vec<String> {
    let mut beyond = Vec::new();
    for range in form["codes"].as_array().unwrap() {
        let code = |index: usize| range[index].as_str().unwrap().parse::<u16>().unwrap();
        for code in [code(0), code(1)] {
            assert!(parse(&pair("close", &code.to_string())).is_ok(), "{code}");
        }
        beyond.extend([code(0) - 1, code(1) + 1].map(|code| code.to_string()));
    }
    let longest = usize::try_from(form["maxReasonBytes"].as_u64().unwrap()).unwrap();
    let reason = |len: usize| format!("1000:{}", "r".repeat(len));
    assert!(parse(&pair("close", &reason(longest))).is_ok());
    beyond.push(reason(longest + 1));
    beyond
}

#[actix_rt::test]
async fn a_pattern_matches_the_texts_that_the_parser_takes() {
    let mut patterns = 0;
    let keys = keys().await;
    for key in &keys {
        for form in key["forms"].as_array().unwrap() {
            if form["kind"] != "text" {
                continue;
            }
            patterns += 1;
            // HTML anchors a pattern so.
            let pattern = regex::Regex::new(&format!("^(?:{})$", text(form, "pattern"))).unwrap();
            let characters = (0..=0x7FF).filter_map(char::from_u32);
            let of_one = characters.map(|character| character.to_string().repeat(20));
            let of_a_length = (0..=70).map(|len| "a".repeat(len));
            for value in of_one.chain(of_a_length) {
                let is_allowed = is_allowed(&keys, key, &value);
                let is_of_another_form = is_allowed && value.bytes().all(|byte| byte.is_ascii_digit());
                if is_of_another_form && text(key, "name") == "after" {
                    continue;
                }
                assert_eq!(pattern.is_match(&value), is_allowed, "{value:?}: {key}");
            }
        }
    }
    assert_eq!(patterns, 6);
}

#[actix_rt::test]
async fn the_parser_refuses_what_excludes_each_other_and_what_lacks_a_required_key() {
    let keys = keys().await;
    let example = |name: &str| {
        let key = keys.iter().find(|key| key["name"] == name).unwrap();
        text(key, "example")
    };
    let mut refused = 0;
    for key in &keys {
        let name = text(key, "name");
        for other in &keys {
            let other = text(other, "name");
            if name == other {
                continue;
            }
            let is_excluded = texts(key, "excludes").contains(&other);
            let requirement = [name, other].map(|name| {
                let key = keys.iter().find(|key| key["name"] == name).unwrap();
                texts(key, "requiresOneOf")
            });
            let lacks_a_key = requirement.iter().any(|required| {
                !required.is_empty() && !required.contains(&name) && !required.contains(&other)
            });
            let query = form_urlencoded(&[(name, example(name)), (other, example(other))]);
            assert_eq!(parse(&query).is_err(), is_excluded || lacks_a_key, "{query}");
            refused += usize::from(is_excluded);
        }
        assert!(!texts(key, "excludes").contains(&name), "{key}");
        let alone = parse(&pair(name, example(name)));
        assert_eq!(alone.is_ok(), texts(key, "requiresOneOf").is_empty(), "{key}");
        let twice = form_urlencoded(&[(name, example(name)), (name, example(name))]);
        match parse(&twice) {
            Ok(_) => assert_eq!(key["repeatable"], true, "{twice}"),
            Err(error) if key["requiresOneOf"] == json!([]) => {
                assert!(
                    error.contains("twice") && key["repeatable"] == false,
                    "{twice}: {error}"
                );
            }
            Err(_) => assert_eq!(key["repeatable"], false, "{twice}"),
        }
    }
    assert_eq!(refused, 20);
}

#[actix_rt::test]
async fn the_document_has_the_size_limit_of_the_operator() {
    let echo = Echo::with(|config| config.max_message_size = "64KiB".parse().unwrap());
    let document = document(&echo).await;
    let keys = document["keys"].as_array().unwrap();
    let size = keys.iter().find(|key| key["name"] == "max-message-size").unwrap();
    assert_eq!(
        size["forms"],
        json!([{"kind": "size", "unit": "B", "min": "1", "max": "65536"}])
    );
    assert_eq!(size["default"], "65536");
    assert_eq!(size["expected"], "a size from 1 to 65536 bytes");
}

#[actix_rt::test]
async fn without_behaviours_the_document_has_no_keys() {
    let echo = Echo::with(|config| config.behaviours = ws_echo::config::Switch::Off);
    assert_eq!(document(&echo).await, json!({"behaviours": false, "keys": []}));
}

#[actix_rt::test]
async fn the_document_is_revalidated_by_its_etag() {
    let echo = Echo::start();
    let mut raw = Raw::connect(echo.addr()).await;
    let (head, _) = raw.get("/behaviours.json").await;
    assert_eq!(head.get("cache-control"), Some("no-cache"));
    let tag = head.get("etag").unwrap().to_owned();
    for (condition, status) in [
        (tag.clone(), 304),
        (format!("\"x\", W/{tag}"), 304),
        ("*".to_owned(), 304),
        ("\"x\"".to_owned(), 200),
    ] {
        let request = get("/behaviours.json");
        let request = format!(
            "{}If-None-Match: {condition}\r\n\r\n",
            &request[..request.len() - 2]
        );
        raw.send(request.as_bytes()).await;
        let head = raw.head().await;
        assert_eq!(head.status, status, "{condition}");
        assert_eq!(head.get("etag"), Some(&*tag));
        let length = head.get("content-length").map(|length| length.parse().unwrap());
        match status {
            200 => drop(raw.bytes(length.unwrap()).await),
            _ => assert_eq!(length, None),
        }
    }
    raw.send(b"HEAD /behaviours.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    let head = raw.head().await;
    assert_eq!((head.status, head.get("etag")), (200, Some(&*tag)));
    raw.send(raw::post("/behaviours.json", 0).as_bytes()).await;
    assert_eq!(raw.head().await.status, 405);
}

#[actix_rt::test]
async fn a_handshake_on_the_path_of_the_document_opens_a_session() {
    let echo = Echo::start();
    let mut peer = echo.raw("/behaviours.json?reply=verbatim").await;
    peer.send(&raw::text("hello")).await;
    assert_eq!(peer.frame().await.payload, b"hello");
}

/// The page's own tests read the list from a file.
#[actix_rt::test]
async fn the_list_of_the_pages_tests_is_the_servers() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/page/behaviours.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(file, document(&Echo::start()).await);
}
