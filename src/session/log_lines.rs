//! The log events of a session. Its start and end are also counted, and its end is published to watchers.

use log::{debug, info, log_enabled};

use super::{clock::now_ms, lifecycle::CloseOutcome, options::Opened, state::Session, watch};
use crate::{
    metrics::{CloseCodeLabel, ClosedBy, Label as _},
    protocol::{DataKind, Message},
};

/// Maximum number of payload bytes in the log event `message`.
const LOGGED_PAYLOAD: usize = 128;

impl Session {
    fn id(&self) -> u64 {
        self.details.permit.id()
    }

    /// Logs and counts the opening of the connection.
    pub(super) fn record_open(&mut self) {
        self.context.counters.count(|counters| &counters.opened);
        let Some(opened) = self.details.opened.take() else {
            return;
        };
        let Opened {
            peer,
            client,
            path,
            subprotocol,
            compressed,
        } = &*opened;
        info!(
            target: "ws_echo::session",
            connection = self.id(), peer:%, client = client.as_deref(), path, subprotocol = subprotocol.as_deref().unwrap_or_default(),
            compression = if *compressed { "permessage-deflate" } else { "none" };
            "connection opened"
        );
    }

    #[inline]
    pub(super) fn log_message(&self, message: &Message<'_>) {
        if log_enabled!(target: "ws_echo::session", log::Level::Debug) {
            self.log_payload(message);
        }
    }

    #[cold]
    fn log_payload(&self, message: &Message<'_>) {
        let bytes = &message.payload;
        let shown = &bytes[..bytes.len().min(LOGGED_PAYLOAD)];
        let mut payload = match message.kind {
            DataKind::Text => String::from_utf8_lossy(shown).into_owned(),
            DataKind::Binary => shown.escape_ascii().to_string(),
        };
        if bytes.len() > LOGGED_PAYLOAD {
            payload.push('…');
        }
        debug!(
            target: "ws_echo::session",
            connection = self.id(), "type" = message.kind.name(), bytes = bytes.len(), payload;
            "message"
        );
    }

    /// Logs, counts and publishes the end of the connection.
    pub(super) fn record_close(&mut self) {
        let outcome = self.lifecycle.outcome();
        let (code, by, reason) = match &outcome {
            Some(CloseOutcome::PeerClosed(code)) => (code.unwrap_or(1005), ClosedBy::Peer, ""),
            Some(CloseOutcome::ServerClosed(Some(frame))) => {
                (frame.code, ClosedBy::Server, frame.reason.as_ref())
            }
            Some(CloseOutcome::ServerClosed(None)) => (1005, ClosedBy::Server, ""),
            Some(CloseOutcome::InvalidClose) => {
                (1005, ClosedBy::Server, "invalid Close frame by behaviour wire")
            }
            // RFC 6455 section 7.1.5: no Close frame was received.
            Some(CloseOutcome::Reset) => (1006, ClosedBy::Server, "reset by behaviour abort"),
            Some(CloseOutcome::Fin) => (1006, ClosedBy::Server, "ended by behaviour fin"),
            Some(CloseOutcome::Frozen) => (1006, ClosedBy::Server, "frozen by behaviour freeze"),
            Some(CloseOutcome::BrokenHandshake) => (1006, ClosedBy::Server, "ended by behaviour handshake"),
            None => (1006, ClosedBy::Peer, "connection lost without a Close frame"),
        };
        self.context
            .counters
            .count(|counters| &counters.closed[by.index()][CloseCodeLabel::of(code).index()]);
        let (connection, by) = (self.id(), by.name());
        let (messages, bytes) = (self.stats.messages, self.stats.bytes);
        let duration_ms = u64::try_from(self.stats.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        info!(
            target: "ws_echo::session",
            connection, code, by, reason, messages, bytes, duration_ms;
            "connection closed"
        );
        if let Some(watched) = &mut self.details.watched {
            watched.end(&watch::End {
                connection,
                at: now_ms(),
                code,
                by,
                reason,
                messages,
                bytes,
            });
        }
    }
}
