//! Which close code for which event (RFC 6455 section 7.4), and who said it.

use actix_web_actors::ws::{CloseCode, CloseReason};

use crate::{config::Timer, metrics::Limit, wire::Violation};

/// What every reason of ours begins with, so that a reader can tell the server's words from a proxy's.
const SPEAKER: &str = "ws-echo: ";

/// Longest reason in bytes: a control frame has 125, the code takes 2 (RFC 6455 section 5.5).
const MAX_REASON: usize = 123;

/// A Close frame of the server's own, in answer to something other than the peer's Close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// The server is being stopped.
    ShuttingDown,
    /// Nothing came from the peer for so long.
    Idle(Timer),
    /// The peer broke the protocol or a limit.
    Violation(Violation),
}

impl Cause {
    fn code(&self) -> CloseCode {
        match self {
            Self::ShuttingDown | Self::Idle(_) => CloseCode::Away,
            Self::Violation(Violation::Utf8) => CloseCode::Invalid,
            // RFC 7692 gives no code for data that cannot be inflated; to RFC 6455 it is data that is not what the
            // message says that it is.
            Self::Violation(Violation::Deflate) => CloseCode::Invalid,
            Self::Violation(Violation::TooBig { .. } | Violation::TooManyFragments { .. }) => CloseCode::Size,
            Self::Violation(_) => CloseCode::Protocol,
        }
    }

    /// The limit that was hit.
    pub(super) fn limit(&self) -> Option<Limit> {
        match self {
            Self::Idle(_) => Some(Limit::IdleTimeout),
            Self::Violation(Violation::TooBig { .. }) => Some(Limit::MaxMessageSize),
            Self::Violation(Violation::TooManyFragments { .. }) => Some(Limit::MaxFragments),
            Self::Violation(_) | Self::ShuttingDown => None,
        }
    }

    /// The frame's body.
    pub(super) fn to_reason(&self) -> CloseReason {
        let said = match self {
            Self::ShuttingDown => "shutting down".to_owned(),
            Self::Idle(timeout) => format!("idle for {timeout}"),
            Self::Violation(violation) => violation.to_string(),
        };
        CloseReason {
            code: self.code(),
            description: Some(reason(&said)),
        }
    }
}

/// The reason that says so, cut at a character's end where it would not fit.
fn reason(said: &str) -> String {
    let mut reason = format!("{SPEAKER}{said}");
    let mut end = reason.len().min(MAX_REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.truncate(end);
    reason
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_reason_names_the_server_and_fits() {
        for (cause, code, said) in [
            (Cause::ShuttingDown, 1001, "ws-echo: shutting down"),
            (
                Cause::Idle(Timer::of(Duration::from_secs(60))),
                1001,
                "ws-echo: idle for 60s",
            ),
            (
                Cause::Violation(Violation::ReservedBits),
                1002,
                "ws-echo: reserved bits are set",
            ),
            (
                Cause::Violation(Violation::Utf8),
                1007,
                "ws-echo: text is not UTF-8",
            ),
            (
                Cause::Violation(Violation::TooBig { limit: 1024 }),
                1009,
                "ws-echo: a message of more than 1024 bytes",
            ),
        ] {
            let reason = cause.to_reason();
            assert_eq!(u16::from(reason.code), code);
            assert_eq!(reason.description.as_deref(), Some(said));
        }
        let long = reason(&"é".repeat(200));
        assert_eq!(long.len(), 123);
    }
}
