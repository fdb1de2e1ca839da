//! The head of the 101 when it is written: `handshake=` replaces it, and watchers see it.

use super::{
    broken::{broken, is_head_of},
    watch_event::HandshakeEvent,
};
use crate::{
    session::{GluedHead, behaviour::BrokenHandshake, watch::HandshakePublisher},
    transport::Socket,
};

/// What happens with the head of the 101 of one connection.
pub(super) struct ResponseHead {
    pub(super) connection: u64,
    pub(super) broken: Option<BrokenHandshake>,
    /// The subprotocols that the client offers.
    pub(super) offered: Vec<String>,
    /// Receives the head instead of the client, until the session sends it.
    pub(super) glued: Option<GluedHead>,
    pub(super) watched: Option<(HandshakePublisher, HandshakeEvent)>,
}

impl ResponseHead {
    /// Waits for the head on `socket`. Without a socket, as in actix's test server, watchers see the head as the
    /// server composes it.
    pub(super) fn expect(self, socket: Option<&Socket>) {
        match (socket, self.watched) {
            (None, Some((publisher, event))) => publisher.publish(&event),
            (Some(socket), watched) if watched.is_some() || self.broken.is_some() => {
                socket.on_response_head(move |head| {
                    let head_is_own = is_head_of(head, self.connection);
                    let broken = self
                        .broken
                        .filter(|_| head_is_own)
                        .map(|kind| broken(kind, head, &self.offered));
                    if let Some((publisher, event)) = watched {
                        publisher.publish(&match head_is_own {
                            true => event.with_response(broken.as_deref().unwrap_or(head)),
                            false => event,
                        });
                    }
                    match (self.glued, broken) {
                        (Some(glued), Some(head)) => {
                            glued.set(head);
                            Some(Vec::new())
                        }
                        (_, broken) => broken,
                    }
                });
            }
            _ => {}
        }
    }
}
