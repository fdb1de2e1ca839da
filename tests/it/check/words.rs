//! `GET /check.json`: the checks of the command with its texts, from which the page has them.

use clap::ValueEnum as _;
use serde_json::Value;
use ws_echo::{check::checks::definition, config::CheckName};

use crate::support::{Echo, raw::Raw};

#[actix_rt::test]
async fn the_page_gets_the_checks_of_the_command_in_their_order_with_their_texts() {
    let echo = Echo::start();
    let (head, body) = Raw::connect(echo.addr()).await.get("/check.json").await;
    assert_eq!(head.status, 200);
    assert_eq!(head.get("content-type"), Some("application/json"));
    let document: Value = serde_json::from_str(&body).unwrap();
    let checks = document["checks"].as_array().unwrap();
    let names: Vec<_> = checks
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    let expected: Vec<_> = CheckName::value_variants()
        .iter()
        .map(|name| name.as_str())
        .collect();
    assert_eq!(names, expected);
    for (name, check) in CheckName::value_variants().iter().zip(checks) {
        let words: Value = serde_json::from_str(definition(*name).words).unwrap();
        for text in ["asks", "ok", "unknown"] {
            assert_eq!(check[text], words[text], "{}", name.as_str());
        }
        for (finding, texts) in words["findings"].as_object().unwrap() {
            let (served, fix) = (&check["findings"][finding], &texts["fix"]);
            assert_eq!(served["meaning"], texts["meaning"], "{finding}");
            assert_eq!(
                served["fix"].as_array().unwrap(),
                fix.as_array().unwrap_or(&vec![])
            );
        }
    }
}
