//! `GET /check.json`: the checks of `ws-echo check` in their order, with their texts. The page's view of the same name has no other
//! source for them.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::representation::Resource;
use crate::check::{
    checks::{all, definition},
    words::Words,
};

/// The document, which is the same for all requests.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    resource: Resource,
}

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

impl Document {
    /// Creates the document.
    pub(crate) fn new() -> Self {
        let checks = all().iter().map(|name| Entry {
            name: name.as_str(),
            words: Words::parse(definition(*name).words),
        });
        Self {
            resource: Resource::json(&Content {
                checks: checks.collect(),
            }),
        }
    }
}

/// Responds with the document, or with 304 if the client has it.
pub(crate) async fn checks(request: HttpRequest, document: web::Data<Document>) -> HttpResponse {
    document.resource.respond(&request)
}
