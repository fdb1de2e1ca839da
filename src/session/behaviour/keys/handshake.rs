//! The keys of the group "Handshake": the response to the opening handshake.

use super::{super::Subprotocol, Form, Group, Key, Quantity};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "handshake-status",
        group: Group::Handshake,
        forms: &[Form::Number {
            quantity: Quantity::Status,
            range: 300..=599,
            set: |behaviour, number| behaviour.handshake_status = u16::try_from(number).ok(),
        }],
        example: "503",
        ..Key::PLAIN
    },
    Key {
        name: "subprotocol",
        group: Group::Handshake,
        forms: &[
            Form::Choice {
                values: &["none"],
                set: |behaviour, _| {
                    behaviour.subprotocol = Some(Subprotocol::None);
                    Some(())
                },
            },
            Form::Text {
                expected: "a name of 1 to 64 letters, digits and !#$%&'*+-.^_`|~",
                pattern: r"[!#$%&'*+\-.^_`\|~0-9A-Za-z]{1,64}",
                secret: false,
                set: |behaviour, value| {
                    Subprotocol::named(value).map(|named| behaviour.subprotocol = Some(named))
                },
            },
        ],
        example: "none",
        ..Key::PLAIN
    },
];
