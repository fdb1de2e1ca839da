//! The state of a session as one value: whether frames may be sent, and how the connection was closed. Pure:
//! each transition returns what the session must do.

use crate::protocol::CloseFrame;

/// The end of a connection, by the side that closed first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CloseOutcome {
    /// The client sent a Close frame, with this code.
    PeerClosed(Option<u16>),
    /// The server sent a Close frame first, with this body.
    ServerClosed(Option<CloseFrame<'static>>),
    /// The server sent an invalid Close frame (`wire=close-code`, `wire=close-length`).
    InvalidClose,
    /// The server reset the connection (`abort`).
    Reset,
    /// The server ended the TCP connection without a Close frame (`fin`).
    Fin,
    /// The server stopped reading and sending (`freeze`).
    Frozen,
    /// The server ended the TCP connection after an incomplete 101 (`handshake=garbage`, `handshake=truncated`).
    BrokenHandshake,
}

/// The state of a session. No frame follows a Close frame (RFC 6455 section 5.5.1), so the server sends
/// frames only while the session is open or draining.
#[derive(Debug, Default)]
pub(super) enum Lifecycle {
    /// The server receives messages and replies to them.
    #[default]
    Open,
    /// As [`Self::Open`], up to the last byte that had arrived when the drain began.
    Draining,
    /// The server has sent its Close frame and waits for the client's.
    Closing(CloseOutcome),
    /// The client sent a Close frame, and the server does not answer it, or answers later (`close-reply`).
    Unanswered(Option<u16>),
    /// The server reads nothing and sends nothing (`freeze`).
    Frozen,
    /// The session is over. The frames that it has sent are still written to the socket.
    Closed(Option<CloseOutcome>),
}

impl Lifecycle {
    /// Returns whether frames may be sent.
    pub(super) fn may_send(&self) -> bool {
        matches!(self, Self::Open | Self::Draining)
    }

    /// Returns whether the actor can stop.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// Returns whether the input must stay unread.
    pub(super) fn is_frozen(&self) -> bool {
        matches!(self, Self::Frozen)
    }

    /// Stops reading and sending. A drain does not wait for a frozen session, so this ends a draining one.
    pub(super) fn freeze(&mut self) {
        match self {
            Self::Open => *self = Self::Frozen,
            Self::Draining => *self = Self::Closed(Some(CloseOutcome::Frozen)),
            Self::Closing(_) | Self::Unanswered(_) | Self::Frozen | Self::Closed(_) => {}
        }
    }

    /// Returns whether the drain has begun and frames may be sent.
    pub(super) fn is_draining(&self) -> bool {
        matches!(self, Self::Draining)
    }

    /// Begins the drain. Returns whether the session must drain its input.
    pub(super) fn drain(&mut self) -> bool {
        match self {
            Self::Open => *self = Self::Draining,
            // The server sends nothing more to this client, so the drain does not wait for it.
            Self::Unanswered(code) => *self = Self::Closed(Some(CloseOutcome::PeerClosed(*code))),
            Self::Frozen => *self = Self::Closed(Some(CloseOutcome::Frozen)),
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
            // The drain does not wait for this client either.
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
            Self::Frozen => Self::Closed(Some(CloseOutcome::Frozen)),
            closed @ Self::Closed(_) => closed,
        };
    }

    /// Returns how the connection was closed, or None if it was lost without a Close frame.
    pub(super) fn outcome(&self) -> Option<CloseOutcome> {
        match self {
            Self::Open | Self::Draining => None,
            Self::Closing(outcome) => Some(outcome.clone()),
            Self::Unanswered(code) => Some(CloseOutcome::PeerClosed(*code)),
            Self::Frozen => Some(CloseOutcome::Frozen),
            Self::Closed(outcome) => outcome.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_closed() -> CloseOutcome {
        CloseOutcome::ServerClosed(Some(CloseFrame {
            code: 1001,
            reason: "".into(),
        }))
    }

    fn closing() -> Lifecycle {
        let mut lifecycle = Lifecycle::Open;
        assert!(lifecycle.close(server_closed()));
        lifecycle
    }

    #[test]
    fn a_close_is_sent_once_and_no_frame_after_it() {
        for mut lifecycle in [Lifecycle::Open, Lifecycle::Draining] {
            assert!(lifecycle.may_send());
            assert!(lifecycle.close(server_closed()));
            assert!(!lifecycle.may_send());
            assert!(!lifecycle.close(CloseOutcome::InvalidClose));
            assert_eq!(lifecycle.outcome(), Some(server_closed()));
        }
    }

    #[test]
    fn the_clients_close_is_answered_unless_the_server_closed_first() {
        let mut lifecycle = Lifecycle::Open;
        assert!(lifecycle.peer_closed(Some(1000), true));
        assert!(lifecycle.is_over());
        assert_eq!(lifecycle.outcome(), Some(CloseOutcome::PeerClosed(Some(1000))));

        let mut lifecycle = closing();
        assert!(!lifecycle.peer_closed(Some(1000), true));
        assert!(lifecycle.is_over());
        assert_eq!(lifecycle.outcome(), Some(server_closed()));
    }

    #[test]
    fn a_client_whose_close_is_not_answered_stays_connected_until_a_drain() {
        let mut lifecycle = Lifecycle::Open;
        assert!(!lifecycle.peer_closed(None, false));
        assert!(!lifecycle.is_over() && !lifecycle.may_send());
        assert!(!lifecycle.close(server_closed()));
        assert!(!lifecycle.drain());
        assert!(lifecycle.is_over());
        assert_eq!(lifecycle.outcome(), Some(CloseOutcome::PeerClosed(None)));

        let mut lifecycle = Lifecycle::Open;
        assert!(lifecycle.drain());
        assert!(!lifecycle.peer_closed(None, false));
        assert!(lifecycle.is_over());
    }

    #[test]
    fn a_drain_keeps_an_open_session_sending_and_does_not_affect_a_closing_one() {
        let mut lifecycle = Lifecycle::Open;
        assert!(lifecycle.drain() && lifecycle.may_send());
        assert!(!lifecycle.drain());
        let mut lifecycle = closing();
        assert!(!lifecycle.drain() && !lifecycle.is_over());
    }

    #[test]
    fn a_frozen_session_sends_nothing_and_ends_with_a_drain_or_a_timeout() {
        for end in [(|lifecycle| lifecycle.end()) as fn(&mut Lifecycle), |lifecycle| {
            assert!(!lifecycle.drain())
        }] {
            let mut lifecycle = Lifecycle::Open;
            lifecycle.freeze();
            assert!(lifecycle.is_frozen() && !lifecycle.may_send() && !lifecycle.is_over());
            assert!(!lifecycle.close(server_closed()));
            lifecycle.freeze();
            end(&mut lifecycle);
            assert!(lifecycle.is_over() && !lifecycle.is_frozen());
            assert_eq!(lifecycle.outcome(), Some(CloseOutcome::Frozen));
        }
        let mut lifecycle = Lifecycle::Open;
        assert!(lifecycle.drain());
        lifecycle.freeze();
        assert!(lifecycle.is_over());
        assert_eq!(lifecycle.outcome(), Some(CloseOutcome::Frozen));
    }

    #[test]
    fn an_end_without_a_close_frame_has_no_outcome() {
        for (mut lifecycle, outcome) in [
            (Lifecycle::Open, None),
            (Lifecycle::Draining, None),
            (closing(), Some(server_closed())),
            (
                Lifecycle::Unanswered(Some(4000)),
                Some(CloseOutcome::PeerClosed(Some(4000))),
            ),
        ] {
            lifecycle.end();
            assert!(lifecycle.is_over());
            lifecycle.end();
            assert_eq!(lifecycle.outcome(), outcome);
        }
    }
}
