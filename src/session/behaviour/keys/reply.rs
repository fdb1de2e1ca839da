//! The keys of the group "Reply": messages that the server sends.

use std::{ops::RangeInclusive, time::Duration};

use super::{
    super::{Hello, ReplyMode, param::prefixed_text},
    {Form, Group, Key},
};

const TICK: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(60 * 60);

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "reply",
        group: Group::Reply,
        forms: &[Form::Choice {
            values: &["stamped", "verbatim", "json", "none"],
            set: |behaviour, value| {
                behaviour.reply = match value {
                    "stamped" => ReplyMode::Stamped,
                    "verbatim" => ReplyMode::Verbatim,
                    "json" => ReplyMode::Json,
                    "none" => ReplyMode::None,
                    _ => return None,
                };
                Some(())
            },
        }],
        default: Some("stamped"),
        example: "json",
        ..Key::PLAIN
    },
    Key {
        name: "hello",
        group: Group::Reply,
        forms: &[
            Form::Choice {
                values: &["json", "time"],
                set: |behaviour, value| {
                    behaviour.hello = match value {
                        "json" => Some(Hello::Json),
                        "time" => Some(Hello::Time),
                        _ => return None,
                    };
                    Some(())
                },
            },
            Form::Text {
                expected: "text:TEXT with a TEXT of at most 4096 bytes",
                pattern: r"text:[\s\S]*",
                secret: false,
                set: |behaviour, value| {
                    prefixed_text(value).map(|text| behaviour.hello = Some(Hello::Text(text)))
                },
            },
        ],
        example: "json",
        ..Key::PLAIN
    },
    Key {
        name: "tick",
        group: Group::Reply,
        forms: &[Form::Duration {
            range: TICK,
            set: |behaviour, duration| behaviour.tick = Some(duration),
        }],
        example: "2s",
        ..Key::PLAIN
    },
    Key {
        name: "push",
        group: Group::Reply,
        forms: &[Form::Size(|behaviour, bytes| behaviour.push = Some(bytes))],
        example: "1MiB",
        ..Key::PLAIN
    },
];
