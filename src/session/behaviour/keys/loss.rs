//! The keys of the group "Loss": whether replies are sent, and how often.

use super::{Form, Group, Key, Quantity};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "drop",
        group: Group::Loss,
        forms: &[Form::Probability(|behaviour, drop| {
            behaviour.impairment.drop = drop
        })],
        default: Some("0"),
        example: "0.1",
        ..Key::PLAIN
    },
    Key {
        name: "duplicate",
        group: Group::Loss,
        forms: &[Form::Probability(|behaviour, duplicate| {
            behaviour.impairment.duplicate = duplicate
        })],
        default: Some("0"),
        example: "0.1",
        ..Key::PLAIN
    },
    Key {
        name: "seed",
        group: Group::Loss,
        forms: &[Form::Number {
            quantity: Quantity::Plain,
            range: 0..=u64::MAX,
            set: |behaviour, number| behaviour.impairment.seed = Some(number),
        }],
        example: "7",
        ..Key::PLAIN
    },
];
