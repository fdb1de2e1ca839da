//! The reasons to refuse a connection or a session.

use thiserror::Error;

use crate::metrics::Limit;

/// The reason to refuse a connection or a session. The number is the limit that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AdmissionError {
    /// The server is shutting down: a drain has begun.
    #[error("the server is shutting down")]
    Draining,
    /// `--max-connections` sessions are open.
    #[error("the server has reached its connection limit of {0}")]
    MaxConnections(usize),
    /// `--max-connections-per-ip` connections of this client are open.
    #[error("the client address has reached its connection limit of {0}")]
    MaxConnectionsPerIp(usize),
    /// `--max-http-connections` HTTP connections are open.
    #[error("the server has reached its HTTP connection limit of {0}")]
    MaxHttpConnections(usize),
}

impl AdmissionError {
    /// Returns the configured limit that was reached.
    pub fn limit(&self) -> Option<Limit> {
        match self {
            Self::Draining => None,
            Self::MaxConnections(_) => Some(Limit::MaxConnections),
            Self::MaxConnectionsPerIp(_) => Some(Limit::MaxConnectionsPerIp),
            Self::MaxHttpConnections(_) => Some(Limit::MaxHttpConnections),
        }
    }

    /// Returns one sentence for the client: what to do, and the flag that sets the limit.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Draining => "retry after the time in Retry-After, or connect to another server",
            Self::MaxConnections(_) => {
                "retry after the time in Retry-After, or ask the operator to raise --max-connections"
            }
            Self::MaxConnectionsPerIp(_) => {
                "close another connection first, or ask the operator to raise --max-connections-per-ip"
            }
            Self::MaxHttpConnections(_) => {
                "retry after the time in Retry-After, or ask the operator to raise --max-http-connections"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_named_with_its_number_and_its_flag() {
        for (error, text, flag) in [
            (
                AdmissionError::MaxConnections(1),
                "the server has reached its connection limit of 1",
                "--max-connections",
            ),
            (
                AdmissionError::MaxConnectionsPerIp(2),
                "the client address has reached its connection limit of 2",
                "--max-connections-per-ip",
            ),
            (
                AdmissionError::MaxHttpConnections(3),
                "the server has reached its HTTP connection limit of 3",
                "--max-http-connections",
            ),
        ] {
            assert_eq!(error.to_string(), text);
            assert!(error.hint().ends_with(flag), "{}", error.hint());
        }
    }
}
