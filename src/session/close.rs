//! The close codes (RFC 6455 section 7.4) and close reasons that the server chooses.

use actix_web_actors::ws::CloseCode;

use crate::{
    config::Timer,
    metrics::Limit,
    protocol::{CloseFrame, Violation, frame::MAX_CLOSE_REASON},
};

/// Prefix of every close reason that the server generates. It distinguishes them from a proxy's.
const REASON_PREFIX: &str = "ws-echo: ";

/// The cause of a close by the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CloseCause {
    /// The server shuts down.
    ShuttingDown,
    /// The client was idle for this time.
    Idle(Timer),
    /// The client broke the protocol or a limit of this connection.
    Violation(Violation),
    /// This session would exceed the memory budget of all sessions.
    MaxBuffered,
}

impl CloseCause {
    fn code(&self) -> CloseCode {
        match self {
            Self::ShuttingDown | Self::Idle(_) => CloseCode::Away,
            Self::Violation(violation) => violation.close_code().into(),
            Self::MaxBuffered => CloseCode::Again,
        }
    }

    /// Returns the configured limit that was reached.
    pub(super) fn limit(&self) -> Option<Limit> {
        match self {
            Self::Idle(_) => Some(Limit::IdleTimeout),
            Self::Violation(Violation::TooBig { .. }) => Some(Limit::MaxMessageSize),
            Self::Violation(Violation::TooManyFragments { .. }) => Some(Limit::MaxFragments),
            Self::MaxBuffered => Some(Limit::MaxBuffered),
            Self::Violation(_) | Self::ShuttingDown => None,
        }
    }

    /// Returns the body of the Close frame.
    pub(super) fn to_frame(&self) -> CloseFrame<'static> {
        let reason = match self {
            Self::ShuttingDown => "shutting down".to_owned(),
            Self::Idle(timeout) => format!("idle for {timeout}"),
            Self::Violation(violation) => violation.to_string(),
            Self::MaxBuffered => "memory limit --max-buffered reached".to_owned(),
        };
        CloseFrame {
            code: self.code().into(),
            reason: with_prefix(&reason).into(),
        }
    }
}

/// Returns the reason with its prefix, cut between characters at 123 bytes, the maximum in a Close frame.
fn with_prefix(reason: &str) -> String {
    let mut reason = format!("{REASON_PREFIX}{reason}");
    reason.truncate(reason.floor_char_boundary(MAX_CLOSE_REASON));
    reason
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_reason_names_the_server_and_fits() {
        for (cause, code, text) in [
            (CloseCause::ShuttingDown, 1001, "ws-echo: shutting down"),
            (
                CloseCause::Idle(Timer::of(Duration::from_secs(60))),
                1001,
                "ws-echo: idle for 60s",
            ),
            (
                CloseCause::Violation(Violation::ReservedBits),
                1002,
                "ws-echo: reserved bits are set",
            ),
            (
                CloseCause::Violation(Violation::Utf8),
                1007,
                "ws-echo: text is not UTF-8",
            ),
            (
                CloseCause::Violation(Violation::TooBig { limit: 1024 }),
                1009,
                "ws-echo: a message of more than 1024 bytes",
            ),
            (
                CloseCause::MaxBuffered,
                1013,
                "ws-echo: memory limit --max-buffered reached",
            ),
        ] {
            let reason = cause.to_frame();
            assert_eq!(reason.code, code);
            assert_eq!(reason.reason, text);
        }
        let long = with_prefix(&"é".repeat(200));
        assert_eq!(long.len(), 123);
    }
}
