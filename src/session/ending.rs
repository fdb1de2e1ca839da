//! The end of a session: the closing handshake from either side, an action of the URL's query, or a reset.

use std::time::{Duration, Instant};

use log::debug;

use super::{behaviour::Action, close::CloseCause, lifecycle::CloseOutcome, state::Session};
use crate::protocol::CloseFrame;

/// Time that the server waits for the client's Close frame after its own (RFC 6455 section 7.1.1).
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Delay from `abort` to the reset. In between, the connection's task writes pending replies.
const ABORT_DELAY: Duration = Duration::from_millis(1);

/// Time until the server ends a connection whose Close frame it does not answer (`close-reply=off`), if
/// `--idle-timeout` is 0.
const UNANSWERED_CLOSE_TIMEOUT: Duration = Duration::from_secs(60);

impl Session {
    /// Handles the client's Close frame.
    pub(super) fn on_close(&mut self, body: Option<&CloseFrame<'_>>) {
        let code = body.map(|body| body.code);
        if self.lifecycle.peer_closed(code, self.options.close_reply) {
            // RFC 6455 section 5.5.1: "it typically echos the status code it received". The server repeats
            // the reason too, so that the client sees whether a proxy changes it. The server then closes the
            // TCP connection first (section 7.1.1).
            self.outbound
                .close(body.map(|body| (body.code, body.reason.as_ref())));
        } else if !self.lifecycle.is_over() {
            let timeout = self.context.idle_timeout.duration();
            self.schedule
                .end_at(Instant::now() + timeout.unwrap_or(UNANSWERED_CLOSE_TIMEOUT));
        }
    }

    /// Closes the connection for a cause on the server's side, and counts the limit that was reached.
    pub(super) fn close_because(&mut self, cause: &CloseCause) {
        if let (Some(limit), true) = (cause.limit(), self.lifecycle.may_send()) {
            self.context
                .counters
                .count(|counters| &counters.limits[limit.index()]);
        }
        self.close_with(cause.to_frame());
    }

    /// Runs `close`, `abort` or `wire`.
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
        }
    }

    /// Resets the connection and ends the session.
    pub(super) fn reset(&mut self) {
        self.outbound.abort();
        self.lifecycle.end();
    }

    fn close_with(&mut self, frame: CloseFrame<'static>) {
        if self.lifecycle.may_send() {
            self.outbound.close(Some((frame.code, &frame.reason)));
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
