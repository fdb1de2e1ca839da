//! The keys of the group "Timing": the time at which the server sends and reads.

use std::{num::NonZeroU32, ops::RangeInclusive, time::Duration};

use super::{Form, Group, Key, Quantity};
use crate::config::Timer;

/// The durations that `delay`, `jitter`, `handshake-delay` and `after` allow. No URL makes the server hold a
/// reply or a handshake for longer.
pub(super) const WAIT: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(5 * 60);

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "delay",
        group: Group::Timing,
        forms: &[Form::Duration {
            range: WAIT,
            set: |behaviour, duration| behaviour.impairment.delay = duration,
        }],
        default: Some("0"),
        example: "250ms",
        ..Key::PLAIN
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
        ..Key::PLAIN
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
        ..Key::PLAIN
    },
    Key {
        name: "rate",
        group: Group::Timing,
        forms: &[Form::Number {
            quantity: Quantity::BytesPerSecond,
            range: 1..=1_000_000_000,
            set: |behaviour, number| behaviour.rate = u32::try_from(number).ok().and_then(NonZeroU32::new),
        }],
        example: "2000",
        ..Key::PLAIN
    },
    Key {
        name: "read-rate",
        group: Group::Timing,
        forms: &[Form::Number {
            quantity: Quantity::BytesPerSecond,
            range: 1..=1_000_000_000,
            set: |behaviour, number| {
                behaviour.read_rate = u32::try_from(number).ok().and_then(NonZeroU32::new)
            },
        }],
        example: "1000",
        ..Key::PLAIN
    },
    Key {
        name: "ping",
        group: Group::Timing,
        forms: &[
            Form::Choice {
                values: &["off"],
                set: |behaviour, _| {
                    behaviour.ping = Some(Timer::of(Duration::ZERO));
                    Some(())
                },
            },
            Form::Duration {
                range: Duration::from_secs(1)..=Duration::from_secs(60 * 60),
                set: |behaviour, duration| behaviour.ping = Some(Timer::of(duration)),
            },
        ],
        example: "5s",
        ..Key::PLAIN
    },
];
