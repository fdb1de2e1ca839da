//! The value of one query key, parsed as one of the forms that [`super::key`] has.

use std::{ops::RangeInclusive, str::FromStr, time::Duration};

use crate::protocol::{CloseFrame, frame::MAX_CLOSE_REASON, is_sendable_close_code};

/// Longest text in bytes that a URL makes the server send or compare.
const MAX_TEXT: usize = 4096;

/// Returns the text of a value `text:TEXT`. Returns `None` if it is too long or no such value.
pub(super) fn prefixed_text(value: &str) -> Option<String> {
    let text = value.strip_prefix("text:")?;
    (text.len() <= MAX_TEXT).then(|| text.to_owned())
}

/// The value of a query key. Each method returns `None` if the value is not allowed.
pub(super) struct Param<'q> {
    /// The value, percent-decoded.
    pub(super) value: &'q str,
    /// The operator's `--max-message-size`, the upper limit of a size.
    pub(super) max_message_size: usize,
}

impl Param<'_> {
    pub(super) fn duration(&self, allowed: &RangeInclusive<Duration>) -> Option<Duration> {
        let duration = match self.value {
            // humantime requires a unit, also for 0.
            "0" => Duration::ZERO,
            value => humantime::parse_duration(value).ok()?,
        };
        allowed.contains(&duration).then_some(duration)
    }

    pub(super) fn probability(&self) -> Option<f64> {
        self.number(&(0.0..=1.0))
    }

    pub(super) fn number<N: FromStr + PartialOrd>(&self, allowed: &RangeInclusive<N>) -> Option<N> {
        self.value.parse().ok().filter(|number| allowed.contains(number))
    }

    pub(super) fn size(&self) -> Option<usize> {
        let size: bytesize::ByteSize = self.value.parse().ok()?;
        let size = usize::try_from(size.as_u64()).ok()?;
        (1..=self.max_message_size).contains(&size).then_some(size)
    }

    /// Parses `CODE` or `CODE:REASON`. The code must be allowed in a Close frame (RFC 6455 section 7.4).
    /// `wire=close-code` sends an invalid one.
    pub(super) fn close(&self) -> Option<CloseFrame<'static>> {
        let (code, reason) = self.value.split_once(':').unwrap_or((self.value, ""));
        let code = code.parse().ok()?;
        let is_valid = is_sendable_close_code(code) && reason.len() <= MAX_CLOSE_REASON;
        is_valid.then(|| CloseFrame {
            code,
            reason: reason.to_owned().into(),
        })
    }
}
