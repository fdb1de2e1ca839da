//! `GET /check.json`: the checks of `ws-echo check` in their order, with their texts. The page's view of the same name has no other
//! source for them.

use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::representation::Resource;
use crate::check::{
    checks::{all, definition},
    words::Words,
};

/// The document, which is the same for all requests. It is made for the first one: a start need not wait for it.
static DOCUMENT: LazyLock<Resource> = LazyLock::new(|| {
    let checks = all().iter().map(|name| Entry {
        name: name.as_str(),
        words: Words::parse(definition(*name).words),
    });
    Resource::json(&Content {
        checks: checks.collect(),
    })
});

#[derive(Serialize)]
struct Content {
    checks: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    #[serde(flatten)]
    words: Option<Words>,
}

/// Responds with the document, or with 304 if the client has it.
pub(crate) async fn checks(request: HttpRequest) -> HttpResponse {
    DOCUMENT.respond(&request)
}
