//! The description of a query key.

use std::{ops::RangeInclusive, time::Duration};

use super::{Behaviour, param::Param};
use crate::protocol::CloseFrame;

/// A query key of the server.
#[derive(Debug)]
pub struct Key {
    /// The key as it stands in the URL.
    pub name: &'static str,
    /// The group in which the page's form shows it.
    pub group: Group,
    /// The forms of value that the key allows. A value needs one of them.
    pub forms: &'static [Form],
    /// The value that has the same effect as no key. `None` if no value has.
    pub default: Option<&'static str>,
    /// A value that is allowed.
    pub example: &'static str,
    /// The number of times that a URL may have the key.
    pub max_count: usize,
    /// Keys that must not be set beside this one. The key itself may be among them, so that a set of keys can
    /// share one list.
    pub excludes: &'static [&'static str],
    /// Keys of which one must be set too.
    pub needs: &'static [&'static str],
}

/// The part of a connection that the keys of a group change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The messages that the server sends.
    Reply,
    /// When the server sends them.
    Timing,
    /// Whether the server sends them, and how often.
    Loss,
    /// The end of the connection.
    Ending,
    /// Frames and messages.
    Wire,
    /// The response to the opening handshake.
    Handshake,
    /// The watchers of the connection.
    Observation,
}

/// A form of value, with the function that stores a value of this form in a behaviour.
#[derive(Debug)]
pub enum Form {
    /// No value: the key stands alone.
    Flag(fn(&mut Behaviour)),
    /// One of some values.
    Choice {
        /// The values.
        values: &'static [&'static str],
        /// Stores the value. Returns `None` if it is not one of them.
        set: fn(&mut Behaviour, &str) -> Option<()>,
    },
    /// A duration with its unit, or `0`.
    Duration {
        /// The durations that are allowed.
        range: RangeInclusive<Duration>,
        /// Stores the duration.
        set: fn(&mut Behaviour, Duration),
    },
    /// A number from 0 to 1.
    Probability(fn(&mut Behaviour, f64)),
    /// A whole number.
    Number {
        /// The quantity that is counted.
        quantity: Quantity,
        /// The numbers that are allowed.
        range: RangeInclusive<u64>,
        /// Stores the number.
        set: fn(&mut Behaviour, u64),
    },
    /// A number of bytes from 1 to the operator's `--max-message-size`, with or without a unit.
    Size(fn(&mut Behaviour, usize)),
    /// The same as a limit: the operator's is the default.
    SizeLimit(fn(&mut Behaviour, usize)),
    /// `CODE` or `CODE:REASON` of a Close frame.
    Close(fn(&mut Behaviour, CloseFrame<'static>)),
    /// A text.
    Text {
        /// The texts that are allowed, to follow "expected" in an error.
        expected: &'static str,
        /// A regular expression for the complete text, as in HTML's `pattern` attribute.
        pattern: &'static str,
        /// Whether the text is a secret. No error repeats a secret, because it may differ from the right one
        /// only by a typing error.
        secret: bool,
        /// Stores the text. Returns `None` if it is not allowed.
        set: fn(&mut Behaviour, &str) -> Option<()>,
    },
}

/// The quantity that a whole number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// None.
    Plain,
    /// Messages.
    Messages,
    /// Bytes.
    Bytes,
    /// Bytes a second.
    BytesPerSecond,
    /// An HTTP status.
    Status,
}

impl Key {
    /// A key that has neither a default nor relations to other keys.
    pub(super) const PLAIN: Self = Self {
        name: "",
        group: Group::Reply,
        forms: &[],
        default: None,
        example: "",
        max_count: 1,
        excludes: &[],
        needs: &[],
    };

    /// Returns the values that are allowed, to follow "expected" in an error. `max_message_size` is the
    /// operator's limit.
    pub fn expected(&self, max_message_size: usize) -> String {
        let forms: Vec<_> = self
            .forms
            .iter()
            .map(|form| form.expected(max_message_size))
            .collect();
        forms.join(", or ")
    }

    /// Whether the value is a secret.
    pub fn is_secret(&self) -> bool {
        let mut forms = self.forms.iter();
        forms.any(|form| matches!(form, Form::Text { secret: true, .. }))
    }

    /// Whether the durations of the key need a unit even if they are 0: `0` is then a number.
    pub fn needs_unit(&self) -> bool {
        let mut forms = self.forms.iter();
        forms.any(|form| matches!(form, Form::Number { .. }))
    }

    /// Stores a value in the behaviour. Returns `None` if no form allows it.
    pub(super) fn set(&self, param: &Param<'_>, behaviour: &mut Behaviour) -> Option<()> {
        let mut forms = self.forms.iter().filter(|form| {
            let is_number = param.value == "0" && self.needs_unit();
            !(is_number && matches!(form, Form::Duration { .. }))
        });
        forms.find_map(|form| form.set(param, behaviour))
    }
}

impl Form {
    fn set(&self, param: &Param<'_>, behaviour: &mut Behaviour) -> Option<()> {
        match self {
            Self::Flag(set) => param.value.is_empty().then(|| set(behaviour)),
            Self::Choice { values, set } => values
                .contains(&param.value)
                .then(|| set(behaviour, param.value))?,
            Self::Duration { range, set } => param.duration(range).map(|value| set(behaviour, value)),
            Self::Probability(set) => param.probability().map(|value| set(behaviour, value)),
            Self::Number { range, set, .. } => param.number(range).map(|value| set(behaviour, value)),
            Self::Size(set) | Self::SizeLimit(set) => param.size().map(|value| set(behaviour, value)),
            Self::Close(set) => param.close().map(|value| set(behaviour, value)),
            Self::Text { set, .. } => set(behaviour, param.value),
        }
    }

    fn expected(&self, max_message_size: usize) -> String {
        match self {
            Self::Flag(_) => "no value".to_owned(),
            Self::Choice { values, .. } => alternatives(values),
            Self::Duration { range, .. } => {
                let (min, max) = (duration(*range.start()), duration(*range.end()));
                format!("a duration from {min} to {max}")
            }
            Self::Probability(_) => "a probability from 0 to 1".to_owned(),
            Self::Number { quantity, range, .. } => {
                let quantity = match quantity {
                    Quantity::Plain => "a whole number",
                    Quantity::Messages => "a number of messages",
                    Quantity::Bytes => "a number of bytes",
                    Quantity::BytesPerSecond => "a number of bytes a second",
                    Quantity::Status => "a status",
                };
                format!("{quantity} from {} to {}", range.start(), range.end())
            }
            // The client has no other access to the operator's limit.
            Self::Size(_) | Self::SizeLimit(_) => format!("a size from 1 to {max_message_size} bytes"),
            Self::Close(_) => {
                "CODE or CODE:REASON, the code from 1000 to 1003, 1007 to 1014 or 3000 to 4999, \
                               the reason of at most 123 bytes"
                    .to_owned()
            }
            Self::Text { expected, .. } => (*expected).to_owned(),
        }
    }
}

/// Returns a duration as a query has it.
pub fn duration(duration: Duration) -> String {
    if duration.is_zero() {
        "0".to_owned()
    } else {
        humantime::format_duration(duration).to_string()
    }
}

/// Joins names, such as `close, abort or wire`.
pub(super) fn alternatives(names: &[&str]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        names => names.concat(),
    }
}
