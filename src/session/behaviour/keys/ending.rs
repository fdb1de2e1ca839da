//! The keys of the group "Ending": the end of the connection.

use super::{
    super::{Action, Trigger},
    {Form, Group, Key, Quantity, timing::WAIT},
};

/// The keys of which a connection has at most one.
pub(super) const ACTIONS: &[&str] = &["close", "abort", "wire"];

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "close",
        group: Group::Ending,
        forms: &[Form::Close(|behaviour, close| {
            behaviour.action = Some(Action::Close(close))
        })],
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
        name: "close-reply",
        group: Group::Ending,
        forms: &[Form::Choice {
            values: &["off"],
            set: |behaviour, _| {
                behaviour.close_reply = false;
                Some(())
            },
        }],
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
        ],
        example: "3",
        needs: ACTIONS,
        ..Key::PLAIN
    },
];
