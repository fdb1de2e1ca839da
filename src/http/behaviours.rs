//! `GET /behaviours.json`: the query keys, from which a page makes its form.

use std::{ops::RangeInclusive, time::Duration};

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::representation::Resource;

use crate::{
    config::Config,
    protocol::{SENDABLE_CLOSE_CODES, frame::MAX_CLOSE_REASON},
    session::behaviour::keys::{Form, Group, Key, Quantity, duration, keys},
};

/// The document, which is the same for all requests to one server.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    resource: Resource,
}

#[derive(Serialize)]
struct Content {
    /// Whether the server reads the query.
    behaviours: bool,
    keys: Vec<KeyEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyEntry {
    name: &'static str,
    group: &'static str,
    forms: Vec<FormEntry>,
    default: Option<String>,
    example: &'static str,
    /// The allowed values, as in an error.
    expected: String,
    excludes: Vec<&'static str>,
    requires_one_of: &'static [&'static str],
    /// Whether the key can be set more than once.
    repeatable: bool,
    secret: bool,
}

/// A form of value. Its bounds are values of this form.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum FormEntry {
    Flag,
    Choice {
        values: &'static [&'static str],
    },
    Duration {
        min: String,
        max: String,
    },
    Probability {
        min: &'static str,
        max: &'static str,
    },
    Integer {
        unit: Option<&'static str>,
        min: String,
        max: String,
    },
    Rate {
        unit: &'static str,
        min: String,
        max: String,
    },
    Size {
        unit: &'static str,
        min: &'static str,
        max: String,
    },
    Status {
        min: String,
        max: String,
    },
    Close {
        /// The first and the last code of each range.
        codes: Vec<(String, String)>,
        max_reason_bytes: usize,
    },
    Text {
        pattern: &'static str,
    },
}

impl KeyEntry {
    fn new(key: &Key, max_message_size: usize) -> Self {
        let is_limit = matches!(key.forms, [Form::SizeLimit(_)]);
        Self {
            name: key.name,
            group: group(key.group),
            forms: key
                .forms
                .iter()
                .map(|form| FormEntry::new(key, form, max_message_size))
                .collect(),
            default: key
                .default
                .map(str::to_owned)
                .or_else(|| is_limit.then(|| max_message_size.to_string())),
            example: key.example,
            expected: key.expected(max_message_size),
            excludes: key
                .excludes
                .iter()
                .copied()
                .filter(|other| *other != key.name)
                .collect(),
            requires_one_of: key.needs,
            repeatable: key.max_count > 1,
            secret: key.is_secret(),
        }
    }
}

impl FormEntry {
    fn new(key: &Key, form: &Form, max_message_size: usize) -> Self {
        match form {
            Form::Flag(_) => Self::Flag,
            Form::Choice { values, .. } => Self::Choice { values },
            Form::Duration { range, .. } => {
                let bound = |bound: Duration| match duration(bound) {
                    zero if zero == "0" && key.needs_unit() => "0s".to_owned(),
                    bound => bound,
                };
                Self::Duration {
                    min: bound(*range.start()),
                    max: bound(*range.end()),
                }
            }
            Form::Probability(_) => Self::Probability { min: "0", max: "1" },
            Form::Number { quantity, range, .. } => Self::number(*quantity, range),
            Form::Size(_) | Form::SizeLimit(_) => Self::Size {
                unit: "B",
                min: "1",
                max: max_message_size.to_string(),
            },
            Form::Close(_) => Self::Close {
                codes: SENDABLE_CLOSE_CODES
                    .iter()
                    .map(|codes| (codes.start().to_string(), codes.end().to_string()))
                    .collect(),
                max_reason_bytes: MAX_CLOSE_REASON,
            },
            Form::Text { pattern, .. } => Self::Text { pattern },
        }
    }

    fn number(quantity: Quantity, range: &RangeInclusive<u64>) -> Self {
        let (min, max) = (range.start().to_string(), range.end().to_string());
        let integer = |unit, min, max| Self::Integer { unit, min, max };
        match quantity {
            Quantity::Plain => integer(None, min, max),
            Quantity::Messages => integer(Some("messages"), min, max),
            Quantity::Bytes => integer(Some("B"), min, max),
            Quantity::BytesPerSecond => Self::Rate {
                unit: "B/s",
                min,
                max,
            },
            Quantity::Status => Self::Status { min, max },
        }
    }
}

fn group(group: Group) -> &'static str {
    match group {
        Group::Reply => "reply",
        Group::Timing => "timing",
        Group::Loss => "loss",
        Group::Ending => "ending",
        Group::Wire => "wire",
        Group::Handshake => "handshake",
        Group::Observation => "observation",
    }
}

impl Document {
    /// Creates the document of a server with this configuration.
    pub(crate) fn new(config: &Config) -> Self {
        let behaviours = config.behaviours.is_on();
        let entry = |key| KeyEntry::new(key, config.max_message_size.limit());
        let content = Content {
            behaviours,
            keys: keys().filter(|_| behaviours).map(entry).collect(),
        };
        Self {
            resource: Resource::json(&content),
        }
    }
}

/// Responds with the document, or with 304 if the client has it.
pub(crate) async fn behaviours(request: HttpRequest, document: web::Data<Document>) -> HttpResponse {
    document.resource.respond(&request)
}
