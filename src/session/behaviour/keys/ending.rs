//! The keys of the group "Ending": the end of the connection.

use super::{
    super::{Action, CloseReply, Trigger, param::prefixed_text},
    {Form, Group, Key, Quantity, timing::WAIT},
};

/// The keys of which a connection has at most one.
pub(super) const ACTIONS: &[&str] = &["close", "abort", "fin", "freeze", "wire"];

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "close",
        group: Group::Ending,
        forms: &[
            Form::Flag(|behaviour| behaviour.action = Some(Action::Close(None))),
            Form::Close(|behaviour, close| behaviour.action = Some(Action::Close(Some(close)))),
        ],
        example: "1012:deploying",
        excludes: ACTIONS,
        ..Key::PLAIN
    },
    Key {
        name: "abort",
        group: Group::Ending,
        forms: &[Form::Flag(|behaviour| behaviour.action = Some(Action::Abort))],
        excludes: ACTIONS,
        ..Key::PLAIN
    },
    Key {
        name: "fin",
        group: Group::Ending,
        forms: &[Form::Flag(|behaviour| behaviour.action = Some(Action::Fin))],
        excludes: ACTIONS,
        ..Key::PLAIN
    },
    Key {
        name: "freeze",
        group: Group::Ending,
        forms: &[Form::Flag(|behaviour| behaviour.action = Some(Action::Freeze))],
        excludes: ACTIONS,
        ..Key::PLAIN
    },
    Key {
        name: "close-reply",
        group: Group::Ending,
        forms: &[
            Form::Choice {
                values: &["off", "fin", "abort"],
                set: |behaviour, value| {
                    behaviour.close_reply = match value {
                        "off" => CloseReply::Off,
                        "fin" => CloseReply::Fin,
                        "abort" => CloseReply::Abort,
                        _ => return None,
                    };
                    Some(())
                },
            },
            Form::Duration {
                range: WAIT,
                set: |behaviour, duration| {
                    behaviour.close_reply = if duration.is_zero() {
                        CloseReply::Echo
                    } else {
                        CloseReply::Late(duration)
                    }
                },
            },
        ],
        default: Some("0"),
        example: "off",
        ..Key::PLAIN
    },
    Key {
        name: "after",
        group: Group::Ending,
        forms: &[
            Form::Number {
                quantity: Quantity::Messages,
                range: 1..=1_000_000_000,
                set: |behaviour, number| behaviour.trigger = Trigger::Messages(number),
            },
            Form::Duration {
                range: WAIT,
                set: |behaviour, duration| behaviour.trigger = Trigger::Time(duration),
            },
            Form::Text {
                expected: "text:TEXT with a TEXT of at most 4096 bytes",
                pattern: r"text:[\s\S]*",
                secret: false,
                set: |behaviour, value| {
                    prefixed_text(value).map(|text| behaviour.trigger = Trigger::Text(text))
                },
            },
        ],
        example: "3",
        needs: ACTIONS,
        ..Key::PLAIN
    },
];
