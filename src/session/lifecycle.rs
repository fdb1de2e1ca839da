//! The state of a session as one value: whether frames may be sent, and how the connection was closed. Pure: each transition returns
//! what the session must do.

use crate::protocol::CloseFrame;

/// The end of a connection, by the side that closed first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CloseOutcome {
    /// The client sent a Close frame, with this code.
    PeerClosed(Option<u16>),
    /// The server sent a Close frame first.
    ServerClosed(CloseFrame<'static>),
    /// The server sent an invalid Close frame, on request.
    InvalidClose,
    /// The server reset the connection, on request.
    Reset,
}

/// The state of a session. No frame follows a Close frame (RFC 6455 section 5.5.1), so the server sends frames only while the session
/// is open or draining.
#[derive(Debug, Default)]
pub(super) enum Lifecycle {
    /// Messages are received and replied to.
    #[default]
    Open,
    /// The same, up to the last byte that had arrived when the drain began.
    Draining,
    /// The server has sent its Close frame and waits for the client's.
    Closing(CloseOutcome),
    /// The client sent a Close frame, and the server does not answer it, on request.
    Unanswered(Option<u16>),
    /// The session is over. The frames that it has sent are still written to the socket.
    Closed(Option<CloseOutcome>),
}

impl Lifecycle {
    /// Whether frames may be sent.
    pub(super) fn may_send(&self) -> bool {
        matches!(self, Self::Open | Self::Draining)
    }

    /// Whether the actor can stop.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// Begins the drain. Returns whether the session must drain its input.
    pub(super) fn drain(&mut self) -> bool {
        match self {
            Self::Open => *self = Self::Draining,
            // The server sends nothing more, so the shutdown does not wait for this client.
            Self::Unanswered(code) => *self = Self::Closed(Some(CloseOutcome::PeerClosed(*code))),
            Self::Draining | Self::Closing(_) | Self::Closed(_) => return false,
        }
        matches!(self, Self::Draining)
    }

    /// Begins a close by the server. Returns whether the server may send its Close frame.
    pub(super) fn close(&mut self, outcome: CloseOutcome) -> bool {
        let may = self.may_send();
        if may {
            *self = Self::Closing(outcome);
        }
        may
    }

    /// Records the client's Close frame. Returns whether the server must answer it.
    pub(super) fn peer_closed(&mut self, code: Option<u16>, answers: bool) -> bool {
        let (next, reply) = match std::mem::take(self) {
            Self::Open | Self::Draining if answers => {
                (Self::Closed(Some(CloseOutcome::PeerClosed(code))), true)
            }
            // The shutdown does not wait for this client either.
            Self::Draining => (Self::Closed(Some(CloseOutcome::PeerClosed(code))), false),
            Self::Open => (Self::Unanswered(code), false),
            Self::Closing(outcome) => (Self::Closed(Some(outcome)), false),
            other => (other, false),
        };
        *self = next;
        reply
    }

    /// Ends the session: the input has ended, or a timeout has expired.
    pub(super) fn end(&mut self) {
        *self = match std::mem::take(self) {
            Self::Open | Self::Draining => Self::Closed(None),
            Self::Closing(outcome) => Self::Closed(Some(outcome)),
            Self::Unanswered(code) => Self::Closed(Some(CloseOutcome::PeerClosed(code))),
            closed @ Self::Closed(_) => closed,
        };
    }

    /// Returns how the connection was closed, or None if it was lost without a Close frame.
    pub(super) fn outcome(&self) -> Option<CloseOutcome> {
        match self {
            Self::Open | Self::Draining => None,
            Self::Closing(outcome) => Some(outcome.clone()),
            Self::Unanswered(code) => Some(CloseOutcome::PeerClosed(*code)),
            Self::Closed(outcome) => outcome.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_closed() -> CloseOutcome {
        CloseOutcome::ServerClosed(CloseFrame {
            code: 1001,
            reason: "".into(),
        })
    }

    fn closing() -> Lifecycle {
        let mut life = Lifecycle::Open;
        assert!(life.close(server_closed()));
        life
    }

    #[test]
    fn a_close_is_sent_once_and_no_frame_after_it() {
        for mut life in [Lifecycle::Open, Lifecycle::Draining] {
            assert!(life.may_send());
            assert!(life.close(server_closed()));
            assert!(!life.may_send());
            assert!(!life.close(CloseOutcome::InvalidClose));
            assert_eq!(life.outcome(), Some(server_closed()));
        }
    }

    #[test]
    fn the_clients_close_is_answered_unless_the_server_closed_first() {
        let mut life = Lifecycle::Open;
        assert!(life.peer_closed(Some(1000), true));
        assert!(life.is_over());
        assert_eq!(life.outcome(), Some(CloseOutcome::PeerClosed(Some(1000))));

        let mut life = closing();
        assert!(!life.peer_closed(Some(1000), true));
        assert!(life.is_over());
        assert_eq!(life.outcome(), Some(server_closed()));
    }

    #[test]
    fn an_unanswered_client_keeps_its_connection_until_a_stop() {
        let mut life = Lifecycle::Open;
        assert!(!life.peer_closed(None, false));
        assert!(!life.is_over() && !life.may_send());
        assert!(!life.close(server_closed()));
        assert!(!life.drain());
        assert!(life.is_over());
        assert_eq!(life.outcome(), Some(CloseOutcome::PeerClosed(None)));

        let mut life = Lifecycle::Open;
        assert!(life.drain());
        assert!(!life.peer_closed(None, false));
        assert!(life.is_over());
    }

    #[test]
    fn a_drain_reads_on_and_comes_too_late_for_a_session_that_closes() {
        let mut life = Lifecycle::Open;
        assert!(life.drain() && life.may_send());
        assert!(!life.drain());
        let mut life = closing();
        assert!(!life.drain() && !life.is_over());
    }

    #[test]
    fn an_end_without_a_close_frame_has_no_outcome() {
        for (mut life, outcome) in [
            (Lifecycle::Open, None),
            (Lifecycle::Draining, None),
            (closing(), Some(server_closed())),
            (
                Lifecycle::Unanswered(Some(4000)),
                Some(CloseOutcome::PeerClosed(Some(4000))),
            ),
        ] {
            life.end();
            assert!(life.is_over());
            life.end();
            assert_eq!(life.outcome(), outcome);
        }
    }
}
