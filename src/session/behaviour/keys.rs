//! The list of query keys. The parser works from it, and `/behaviours.json` is made from it. tests/it/
//! compares `--help`, docs/behaviours.md and the page's form with it.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    ops::RangeInclusive,
    time::Duration,
};

use super::{Action, ReplyMode, Subprotocol, Trigger, WatchKey};

pub use super::key::{Form, Group, Key, Quantity, duration};

/// The durations that `delay`, `jitter`, `handshake-delay` and `after` allow. No URL makes the server hold a
/// reply or a handshake for longer.
const WAIT: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(5 * 60);
const TICK: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(60 * 60);

/// The keys of which a connection has at most one.
const ACTIONS: &[&str] = &["close", "abort", "wire"];

/// Every query key, in the order of the groups.
pub const KEYS: &[Key] = &[
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
        excludes: &[],
        needs: &[],
    },
    Key {
        name: "tick",
        group: Group::Reply,
        forms: &[Form::Duration {
            range: TICK,
            set: |behaviour, duration| behaviour.tick = Some(duration),
        }],
        default: None,
        example: "2s",
        excludes: &[],
        needs: &[],
    },
    Key {
        name: "delay",
        group: Group::Timing,
        forms: &[Form::Duration {
            range: WAIT,
            set: |behaviour, duration| behaviour.impairment.delay = duration,
        }],
        default: Some("0"),
        example: "250ms",
        excludes: &[],
        needs: &[],
    },
    Key {
        name: "jitter",
        group: Group::Timing,
        forms: &[Form::Duration {
            range: WAIT,
            set: |behaviour, duration| behaviour.impairment.jitter = duration,
        }],
        default: Some("0"),
        example: "1s",
        excludes: &[],
        needs: &[],
    },
    Key {
        name: "handshake-delay",
        group: Group::Timing,
        forms: &[Form::Duration {
            range: WAIT,
            set: |behaviour, duration| behaviour.handshake_delay = Some(duration),
        }],
        default: Some("0"),
        example: "10s",
        excludes: &[],
        needs: &[],
    },
    Key {
        name: "rate",
        group: Group::Timing,
        forms: &[Form::Number {
            quantity: Quantity::BytesPerSecond,
            range: 1..=1_000_000_000,
            set: |behaviour, number| behaviour.rate = u32::try_from(number).ok().and_then(NonZeroU32::new),
        }],
        default: None,
        example: "2000",
        excludes: &[],
        needs: &[],
    },
    Key {
        name: "drop",
        group: Group::Loss,
        forms: &[Form::Probability(|behaviour, drop| {
            behaviour.impairment.drop = drop
        })],
        default: Some("0"),
        example: "0.1",
        excludes: &[],
        needs: &[],
    },
    Key {
        name: "duplicate",
        group: Group::Loss,
        forms: &[Form::Probability(|behaviour, duplicate| {
            behaviour.impairment.duplicate = duplicate
        })],
        default: Some("0"),
        example: "0.1",
        excludes: &[],
        needs: &[],
    },
    Key {
        name: "seed",
        group: Group::Loss,
        forms: &[Form::Number {
            quantity: Quantity::Plain,
            range: 0..=u64::MAX,
            set: |behaviour, number| behaviour.impairment.seed = Some(number),
        }],
        default: None,
        example: "7",
        excludes: &[],
        needs: &[],
    },
    Key {
        name: "close",
        group: Group::Ending,
        forms: &[Form::Close(|behaviour, close| {
            behaviour.action = Some(Action::Close(close))
        })],
        default: None,
        example: "1012:deploying",
        excludes: ACTIONS,
        needs: &[],
    },
    Key {
        name: "abort",
        group: Group::Ending,
        forms: &[Form::Flag(|behaviour| behaviour.action = Some(Action::Abort))],
        default: None,
        example: "",
        excludes: ACTIONS,
        needs: &[],
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
        default: None,
        example: "off",
        excludes: &[],
        needs: &[],
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
        default: None,
        example: "3",
        excludes: &[],
        needs: ACTIONS,
    },
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
        default: None,
        example: "utf8",
        excludes: ACTIONS,
        needs: &[],
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
        default: None,
        example: "512",
        excludes: &[],
        needs: &[],
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
        default: None,
        example: "off",
        excludes: &[],
        needs: &[],
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
        default: None,
        example: "off",
        excludes: &[],
        needs: &[],
    },
    Key {
        name: "max-message-size",
        group: Group::Wire,
        forms: &[Form::Size(|behaviour, size| {
            behaviour.max_message_size = Some(size)
        })],
        default: None,
        example: "64KiB",
        excludes: &[],
        needs: &[],
    },
    Key {
        name: "handshake-status",
        group: Group::Handshake,
        forms: &[Form::Number {
            quantity: Quantity::Status,
            range: 300..=599,
            set: |behaviour, number| behaviour.handshake_status = u16::try_from(number).ok(),
        }],
        default: None,
        example: "503",
        excludes: &[],
        needs: &[],
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
        default: None,
        example: "none",
        excludes: &[],
        needs: &[],
    },
    Key {
        name: "watch",
        group: Group::Observation,
        forms: &[Form::Text {
            expected: "a key of 16 to 64 letters, digits, _ and -",
            pattern: r"[0-9A-Za-z_\-]{16,64}",
            secret: true,
            set: |behaviour, value| WatchKey::new(value).map(|key| behaviour.watch = Some(key)),
        }],
        default: None,
        example: "rKkW6PmUqfPS0zDx",
        excludes: &[],
        needs: &[],
    },
];
