//! The list of query keys. The parser works from it. tests/it/ compares `--help`, docs/behaviours.md and the page's form
//! with it.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    ops::RangeInclusive,
    time::Duration,
};

use super::{Action, WatchKey};

pub use super::key::{Group, Key, Kind};

/// The durations that `delay`, `jitter`, `handshake-delay` and `after` allow. No URL makes the server hold a reply or a handshake for
/// longer.
const WAIT: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(5 * 60);
const TICK: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(60 * 60);
const MESSAGES: RangeInclusive<u64> = 1..=1_000_000_000;
const FRAGMENT: RangeInclusive<usize> = 1..=16 * 1024 * 1024;
const RATE: RangeInclusive<u32> = 1..=1_000_000_000;
const SEED: RangeInclusive<u64> = 0..=u64::MAX;
const STATUS: RangeInclusive<u16> = 300..=599;

/// The keys of which a connection has at most one.
const ACTIONS: &[&str] = &["close", "abort", "wire"];

const OFF: Kind = Kind::Words(&["off"]);

/// Every query key, in the order of the groups.
pub const KEYS: &[Key] = &[
    Key {
        name: "reply",
        group: Group::Reply,
        kind: Kind::Words(&["stamped", "verbatim", "json", "none"]),
        expected: "stamped, verbatim, json or none",
        example: "json",
        excludes: &[],
        needs: &[],
        set: |behaviour, param| param.reply().map(|reply| behaviour.reply = reply),
    },
    Key {
        name: "tick",
        group: Group::Reply,
        kind: Kind::Duration,
        expected: "a duration from 10ms to 1h",
        example: "2s",
        excludes: &[],
        needs: &[],
        set: |behaviour, param| param.duration(&TICK).map(|tick| behaviour.tick = Some(tick)),
    },
    Key {
        name: "delay",
        group: Group::Timing,
        kind: Kind::Duration,
        expected: "a duration from 0 to 5m",
        example: "250ms",
        excludes: &[],
        needs: &[],
        set: |behaviour, param| {
            param
                .duration(&WAIT)
                .map(|delay| behaviour.impairment.delay = delay)
        },
    },
    Key {
        name: "jitter",
        group: Group::Timing,
        kind: Kind::Duration,
        expected: "a duration from 0 to 5m",
        example: "1s",
        excludes: &[],
        needs: &[],
        set: |behaviour, param| {
            param
                .duration(&WAIT)
                .map(|jitter| behaviour.impairment.jitter = jitter)
        },
    },
    Key {
        name: "handshake-delay",
        group: Group::Timing,
        kind: Kind::Duration,
        expected: "a duration from 0 to 5m",
        example: "10s",
        excludes: &[],
        needs: &[],
        set: |behaviour, param| {
            param
                .duration(&WAIT)
                .map(|delay| behaviour.handshake_delay = Some(delay))
        },
    },
    Key {
        name: "rate",
        group: Group::Timing,
        kind: Kind::Number,
        expected: "a number of bytes a second from 1 to 1000000000",
        example: "2000",
        excludes: &[],
        needs: &[],
        set: |behaviour, param| {
            param
                .number(&RATE)
                .map(|rate| behaviour.rate = NonZeroU32::new(rate))
        },
    },
    Key {
        name: "drop",
        group: Group::Loss,
        kind: Kind::Probability,
        expected: "a probability from 0 to 1",
        example: "0.1",
        excludes: &[],
        needs: &[],
        set: |behaviour, param| param.probability().map(|drop| behaviour.impairment.drop = drop),
    },
    Key {
        name: "duplicate",
        group: Group::Loss,
        kind: Kind::Probability,
        expected: "a probability from 0 to 1",
        example: "0.1",
        excludes: &[],
        needs: &[],
        set: |behaviour, param| {
            param
                .probability()
                .map(|duplicate| behaviour.impairment.duplicate = duplicate)
        },
    },
    Key {
        name: "seed",
        group: Group::Loss,
        kind: Kind::Number,
        expected: "a whole number from 0 to 18446744073709551615",
        example: "7",
        excludes: &[],
        needs: &[],
        set: |behaviour, param| {
            param
                .number(&SEED)
                .map(|seed| behaviour.impairment.seed = Some(seed))
        },
    },
    Key {
        name: "close",
        group: Group::Ending,
        kind: Kind::Close,
        expected: "CODE or CODE:REASON, the code from 1000 to 1003, 1007 to 1014 or 3000 to 4999, the reason of at most 123 bytes",
        example: "1012:deploying",
        excludes: ACTIONS,
        needs: &[],
        set: |behaviour, param| {
            param
                .close()
                .map(|close| behaviour.action = Some(Action::Close(close)))
        },
    },
    Key {
        name: "abort",
        group: Group::Ending,
        kind: Kind::NoValue,
        expected: "no value",
        example: "",
        excludes: ACTIONS,
        needs: &[],
        set: |behaviour, _| {
            behaviour.action = Some(Action::Abort);
            Some(())
        },
    },
    Key {
        name: "close-reply",
        group: Group::Ending,
        kind: OFF,
        expected: "off",
        example: "off",
        excludes: &[],
        needs: &[],
        set: |behaviour, _| {
            behaviour.close_reply = false;
            Some(())
        },
    },
    Key {
        name: "after",
        group: Group::Ending,
        kind: Kind::Trigger,
        expected: "a number of messages from 1 to 1000000000, or a duration from 0 to 5m",
        example: "3",
        excludes: &[],
        needs: ACTIONS,
        set: |behaviour, param| {
            param
                .trigger(&MESSAGES, &WAIT)
                .map(|trigger| behaviour.trigger = trigger)
        },
    },
    Key {
        name: "wire",
        group: Group::Wire,
        kind: Kind::Words(&[
            "rsv",
            "opcode",
            "masked",
            "length",
            "utf8",
            "continuation",
            "close-code",
            "close-length",
        ]),
        expected: "rsv, opcode, masked, length, utf8, continuation, close-code or close-length",
        example: "utf8",
        excludes: ACTIONS,
        needs: &[],
        set: |behaviour, param| {
            param
                .value
                .parse()
                .ok()
                .map(|fault| behaviour.action = Some(Action::Wire(fault)))
        },
    },
    Key {
        name: "fragment",
        group: Group::Wire,
        kind: Kind::Number,
        expected: "a number of bytes from 1 to 16777216",
        example: "512",
        excludes: &[],
        needs: &[],
        set: |behaviour, param| {
            param
                .number(&FRAGMENT)
                .map(|most| behaviour.fragment = NonZeroUsize::new(most))
        },
    },
    Key {
        name: "compress",
        group: Group::Wire,
        kind: OFF,
        expected: "off",
        example: "off",
        excludes: &[],
        needs: &[],
        set: |behaviour, _| {
            behaviour.compress = false;
            Some(())
        },
    },
    Key {
        name: "pong",
        group: Group::Wire,
        kind: OFF,
        expected: "off",
        example: "off",
        excludes: &[],
        needs: &[],
        set: |behaviour, _| {
            behaviour.pong = false;
            Some(())
        },
    },
    Key {
        name: "max-message-size",
        group: Group::Wire,
        kind: Kind::Size,
        expected: "a size from 1 byte to the server's --max-message-size",
        example: "64KiB",
        excludes: &[],
        needs: &[],
        set: |behaviour, param| param.size().map(|size| behaviour.max_message_size = Some(size)),
    },
    Key {
        name: "handshake-status",
        group: Group::Handshake,
        kind: Kind::Number,
        expected: "a status from 300 to 599",
        example: "503",
        excludes: &[],
        needs: &[],
        set: |behaviour, param| {
            param
                .number(&STATUS)
                .map(|status| behaviour.handshake_status = Some(status))
        },
    },
    Key {
        name: "subprotocol",
        group: Group::Handshake,
        kind: Kind::Subprotocol,
        expected: "none, or a name of 1 to 64 letters, digits and !#$%&'*+-.^_`|~",
        example: "none",
        excludes: &[],
        needs: &[],
        set: |behaviour, param| param.subprotocol().map(|name| behaviour.subprotocol = Some(name)),
    },
    Key {
        name: "watch",
        group: Group::View,
        kind: Kind::Secret,
        expected: "a key of 16 to 64 letters, digits, _ and -",
        example: "rKkW6PmUqfPS0zDx",
        excludes: &[],
        needs: &[],
        set: |behaviour, param| WatchKey::new(param.value).map(|key| behaviour.watch = Some(key)),
    },
];
