//! The keys of the group "Wire": frames and messages.

use std::num::NonZeroUsize;

use super::{super::Action, Form, Group, Key, Quantity, ending::ACTIONS};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "wire",
        group: Group::Wire,
        forms: &[Form::Choice {
            values: &[
                "rsv",
                "opcode",
                "masked",
                "length",
                "utf8",
                "continuation",
                "close-code",
                "close-length",
            ],
            set: |behaviour, value| {
                value
                    .parse()
                    .ok()
                    .map(|fault| behaviour.action = Some(Action::Wire(fault)))
            },
        }],
        example: "utf8",
        excludes: ACTIONS,
        ..Key::PLAIN
    },
    Key {
        name: "fragment",
        group: Group::Wire,
        forms: &[Form::Number {
            quantity: Quantity::Bytes,
            range: 1..=16 * 1024 * 1024,
            set: |behaviour, number| {
                behaviour.fragment = usize::try_from(number).ok().and_then(NonZeroUsize::new)
            },
        }],
        example: "512",
        ..Key::PLAIN
    },
    Key {
        name: "compress",
        group: Group::Wire,
        forms: &[Form::Choice {
            values: &["off"],
            set: |behaviour, _| {
                behaviour.compress = false;
                Some(())
            },
        }],
        example: "off",
        ..Key::PLAIN
    },
    Key {
        name: "pong",
        group: Group::Wire,
        forms: &[Form::Choice {
            values: &["off"],
            set: |behaviour, _| {
                behaviour.pong = false;
                Some(())
            },
        }],
        example: "off",
        ..Key::PLAIN
    },
    Key {
        name: "max-message-size",
        group: Group::Wire,
        forms: &[Form::SizeLimit(|behaviour, size| {
            behaviour.max_message_size = Some(size)
        })],
        example: "64KiB",
        ..Key::PLAIN
    },
];
