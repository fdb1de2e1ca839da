//! The end of a session: the closing handshake from either side, an action of the URL's query, or a reset.

use std::time::{Duration, Instant};

use log::debug;

use super::{
    behaviour::{Action, CloseReply},
    close::CloseCause,
    lifecycle::CloseOutcome,
    state::Session,
};
use crate::protocol::CloseFrame;

/// Time that the server waits for the client's Close frame after its own (RFC 6455 section 7.1.1).
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Delay from `abort` to the reset. In between, the connection's task writes pending replies.
const ABORT_DELAY: Duration = Duration::from_millis(1);

/// Time until the server ends a connection that `freeze` has stopped.
const FREEZE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Time until the server ends a connection whose Close frame it does not answer (`close-reply=off`), if
/// `--idle-timeout` is 0.
const UNANSWERED_CLOSE_TIMEOUT: Duration = Duration::from_secs(60);

impl Session {
    /// Handles the client's Close frame.
    pub(super) fn on_close(&mut self, body: Option<&CloseFrame<'_>>) {
        let code = body.map(|body| body.code);
        let answers_now = match self.options.close_reply {
            CloseReply::Echo | CloseReply::Fin | CloseReply::Abort => true,
            // A drain waits for no answer.
            CloseReply::Late(_) => self.lifecycle.is_draining(),
            CloseReply::Off => false,
        };
        if self.lifecycle.peer_closed(code, answers_now) {
            match self.options.close_reply {
                CloseReply::Fin => self.outbound.end_by_fin(),
                CloseReply::Abort => self.carrier.reset_on_close(),
                CloseReply::Echo | CloseReply::Late(_) | CloseReply::Off => self.send_close(body),
            }
        } else if !self.lifecycle.is_over() {
            let now = Instant::now();
            if let CloseReply::Late(delay) = self.options.close_reply {
                let body = body.cloned().map(CloseFrame::into_owned);
                self.schedule.answer_close_at(body, now + delay);
            } else {
                let timeout = self.context.idle_timeout.duration();
                self.schedule
                    .end_at(now + timeout.unwrap_or(UNANSWERED_CLOSE_TIMEOUT));
            }
        }
    }

    /// Answers the client's Close frame and ends the session.
    pub(super) fn answer_close(&mut self, body: Option<&CloseFrame<'_>>) {
        self.send_close(body);
        self.lifecycle.end();
    }

    /// Answers a Close frame at once whose answer was to come later.
    pub(super) fn answer_close_early(&mut self) {
        if let Some(body) = self.schedule.take_close_answer() {
            self.answer_close(body.as_ref());
        }
    }

    /// Sends a Close frame with the body of the client's. RFC 6455 section 5.5.1: "it typically echos the
    /// status code it received". The server repeats the reason too, so that the client sees whether a proxy
    /// changes it. The server then closes the TCP connection first (section 7.1.1).
    fn send_close(&self, body: Option<&CloseFrame<'_>>) {
        self.outbound
            .close(body.map(|body| (body.code, body.reason.as_ref())));
    }

    /// Closes the connection for a cause on the server's side, and counts the limit that was reached.
    pub(super) fn close_because(&mut self, cause: &CloseCause) {
        if let (Some(limit), true) = (cause.limit(), self.lifecycle.may_send()) {
            self.context
                .counters
                .count(|counters| &counters.limits[limit.index()]);
        }
        self.close_with(Some(cause.to_frame()));
    }

    /// Runs `close`, `abort`, `fin`, `freeze` or `wire`.
    pub(super) fn run_action(&mut self, action: Action) {
        if !self.lifecycle.may_send() {
            return;
        }
        debug!(
            target: "ws_echo::session",
            connection = self.details.permit.id(), key = action.key(), value = action.value().as_deref();
            "behaviour triggered"
        );
        match action {
            Action::Close(frame) => self.close_with(frame),
            Action::Wire(fault) => {
                self.outbound.send_invalid(fault);
                if fault.is_close() && self.lifecycle.close(CloseOutcome::InvalidClose) {
                    self.wait_for_close();
                }
            }
            Action::Abort => {
                self.lifecycle.close(CloseOutcome::Reset);
                // Set before the delay, so that the connection is reset even if the client closes it in
                // between.
                self.carrier.reset_on_close();
                self.schedule.reset_at(Instant::now() + ABORT_DELAY);
            }
            Action::Fin => self.end_by_fin(CloseOutcome::Fin),
            Action::Freeze => {
                self.lifecycle.freeze();
                drop(self.schedule.take_delayed());
                self.pause_input(true);
                self.schedule.end_at(Instant::now() + FREEZE_TIMEOUT);
            }
        }
    }

    /// Ends the TCP connection without a Close frame, after the frames that were sent.
    pub(super) fn end_by_fin(&mut self, outcome: CloseOutcome) {
        self.lifecycle.close(outcome);
        self.outbound.end_by_fin();
        self.lifecycle.end();
    }

    /// Resets the connection and ends the session.
    pub(super) fn reset(&mut self) {
        self.outbound.abort();
        self.lifecycle.end();
    }

    fn close_with(&mut self, frame: Option<CloseFrame<'static>>) {
        if self.lifecycle.may_send() {
            self.send_close(frame.as_ref());
            self.lifecycle.close(CloseOutcome::ServerClosed(frame));
            self.wait_for_close();
        }
    }

    /// Waits for the client's Close frame, up to [`CLOSE_TIMEOUT`].
    fn wait_for_close(&mut self) {
        // Delayed replies cannot be sent after the Close frame. They may have paused the input, so the
        // client's Close frame may still be unread.
        drop(self.schedule.take_delayed());
        self.pause_input(false);
        self.schedule.end_at(Instant::now() + CLOSE_TIMEOUT);
    }
}
