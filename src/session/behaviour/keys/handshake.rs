//! The keys of the group "Handshake": the response to the opening handshake.

use super::{
    super::{BrokenHandshake, Credentials, ExtraFields, Subprotocol},
    Form, Group, Key, Quantity,
};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "handshake",
        group: Group::Handshake,
        forms: &[Form::Choice {
            values: &[
                "wrong-accept",
                "no-accept",
                "no-upgrade",
                "http10",
                "garbage",
                "truncated",
                "folded",
                "two-subprotocols",
                "unasked-extension",
                "glued",
            ],
            set: |behaviour, value| {
                let kind: BrokenHandshake = value.parse().ok()?;
                behaviour.handshake = Some(kind);
                Some(())
            },
        }],
        example: "wrong-accept",
        ..Key::PLAIN
    },
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
        name: "auth",
        group: Group::Handshake,
        forms: &[Form::Text {
            expected: "USER:PASSWORD in printable ASCII, a user of 1 to 64 bytes and a password of at most 64",
            pattern: "[ -9;-~]{1,64}:[ -~]{0,64}",
            secret: true,
            set: |behaviour, value| {
                Credentials::new(value).map(|credentials| behaviour.auth = Some(credentials))
            },
        }],
        example: "user:password",
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
    Key {
        name: "set-header",
        group: Group::Handshake,
        forms: &[Form::Text {
            expected: "NAME:VALUE in printable ASCII, at most 4096 bytes in all, and not Connection, Upgrade, \
                       Sec-WebSocket-*, Content-Length, Transfer-Encoding, X-Connection-Id, \
                       Strict-Transport-Security, Alt-Svc, Clear-Site-Data, NEL, Report-To, or a Set-Cookie \
                       with Domain",
            pattern: r"[!#$%&'*+\-.^_`\|~0-9A-Za-z]+:[ -~]*",
            secret: false,
            set: |behaviour, value| behaviour.set_header.push(value),
        }],
        example: "Retry-After:120",
        max_count: ExtraFields::MAX_FIELDS,
        ..Key::PLAIN
    },
];
