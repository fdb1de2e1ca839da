//! The HTTP connections: their cap, the reserve for health checks, and the first request of each.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::watch;

use super::{
    client_key::ClientKey,
    error::AdmissionError,
    ip_counts::{IpCounts, IpSlot},
};
use crate::config::Cap;

/// Number of connections past a cap that are still accepted. They get a 503, except for health checks.
const RESERVE: usize = 16;

/// The open HTTP connections of all workers.
#[derive(Debug)]
pub(super) struct Connections {
    max: Cap,
    ip_counts: Arc<IpCounts>,
    /// Locked when a connection opens or closes, never for a request.
    open: Mutex<Open>,
    /// Number of connections whose first request has no response yet.
    unanswered: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Open {
    regular: usize,
    reserve: usize,
}

impl Connections {
    /// Creates the count of a server without connections.
    pub(super) fn new(max: Cap, ip_counts: Arc<IpCounts>) -> Self {
        Self {
            max,
            ip_counts,
            open: Mutex::default(),
            unanswered: watch::Sender::new(0),
        }
    }

    /// Counts a connection until the permit is dropped. If a cap is reached and the reserve is full too,
    /// returns that cap.
    pub(super) fn admit(
        self: &Arc<Self>,
        peer: IpAddr,
        counts_for_ip: bool,
    ) -> Result<ConnectionPermit, AdmissionError> {
        let mut open = self.lock();
        let place = match self.take_slot(&open, peer, counts_for_ip) {
            Ok(slot) => {
                open.regular += 1;
                Place::Regular(slot)
            }
            Err(refusal) if open.reserve < RESERVE => {
                open.reserve += 1;
                Place::Reserve(refusal)
            }
            Err(refusal) => return Err(refusal),
        };
        drop(open);
        self.unanswered.send_modify(|count| *count += 1);
        Ok(ConnectionPermit {
            place,
            answered: AtomicBool::new(false),
            connections: Arc::clone(self),
        })
    }

    fn take_slot(
        &self,
        open: &Open,
        peer: IpAddr,
        counts_for_ip: bool,
    ) -> Result<Option<Arc<IpSlot>>, AdmissionError> {
        let max = self.max.limit();
        if open.regular >= max {
            return Err(AdmissionError::MaxHttpConnections(max));
        }
        if !counts_for_ip {
            return Ok(None);
        }
        self.ip_counts.take(ClientKey::from(peer))
    }

    /// Returns the number of open connections, with those of the reserve.
    #[cfg(test)]
    pub(super) fn open(&self) -> usize {
        let open = self.lock();
        open.regular + open.reserve
    }

    /// Resolves once no open connection waits for the response to its first request.
    pub(super) async fn first_requests_answered(&self) {
        // The wait cannot fail: the sender is a field of `self`, so the channel stays open.
        let _ = self
            .unanswered
            .subscribe()
            .wait_for(|unanswered| *unanswered == 0)
            .await;
    }

    /// Locks the counts. A poisoned lock is still consistent, because each count changes in one step.
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one HTTP connection. Dropping it frees the place.
///
/// A session that shares the count of the client address keeps that count until its own permit is dropped
/// too.
#[derive(Debug)]
pub struct ConnectionPermit {
    place: Place,
    answered: AtomicBool,
    connections: Arc<Connections>,
}

#[derive(Debug)]
enum Place {
    /// Within the caps. No slot if the connection does not count for its address.
    Regular(Option<Arc<IpSlot>>),
    /// Past the cap in the error.
    Reserve(AdmissionError),
}

impl ConnectionPermit {
    /// Returns the cap if the connection is past it, and has a place in the reserve.
    ///
    /// The server answers such a connection with 503 and closes it, except for `/healthz` and `/readyz`.
    pub fn refusal(&self) -> Option<AdmissionError> {
        match self.place {
            Place::Regular(_) => None,
            Place::Reserve(refusal) => Some(refusal),
        }
    }

    /// Records that the first request of this connection has its response. Further calls have no effect.
    pub fn first_request_answered(&self) {
        if !self.answered.swap(true, Ordering::Relaxed) {
            self.connections.unanswered.send_modify(|count| *count -= 1);
        }
    }

    /// Returns the connection's slot in the count of `client`. None if the connection counts for another
    /// client or for none, or if a session shares the slot already.
    ///
    /// Only one session shares it: with HTTP/2 a connection carries many, and each of them counts.
    pub(super) fn share_slot(&self, client: ClientKey) -> Option<Arc<IpSlot>> {
        match &self.place {
            Place::Regular(Some(slot)) if slot.client() == client && Arc::strong_count(slot) == 1 => {
                Some(Arc::clone(slot))
            }
            _ => None,
        }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        {
            let mut open = self.connections.lock();
            match self.place {
                Place::Regular(_) => open.regular -= 1,
                Place::Reserve(_) => open.reserve -= 1,
            }
        }
        // A closed connection waits for no response.
        self.first_request_answered();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn connections(max: usize, max_per_ip: usize) -> Arc<Connections> {
        let ip_counts = Arc::new(IpCounts::new(Cap::of(max_per_ip)));
        Arc::new(Connections::new(Cap::of(max), ip_counts))
    }

    fn host(host: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, host])
    }

    #[test]
    fn past_the_cap_sixteen_connections_have_a_place_in_the_reserve() {
        let connections = connections(2, 0);
        let regular: Vec<_> = (0..2)
            .map(|_| connections.admit(host(1), true).unwrap())
            .collect();
        assert!(regular.iter().all(|permit| permit.refusal().is_none()));
        let mut reserve: Vec<_> = (0..16)
            .map(|_| connections.admit(host(1), true).unwrap())
            .collect();
        for permit in &reserve {
            assert_eq!(permit.refusal(), Some(AdmissionError::MaxHttpConnections(2)));
        }
        assert!(connections.admit(host(2), true).is_err());
        assert_eq!(connections.open(), 18);
        reserve.pop();
        assert!(connections.admit(host(2), true).unwrap().refusal().is_some());
        drop(regular);
        assert!(connections.admit(host(2), true).unwrap().refusal().is_none());
        drop(reserve);
        assert_eq!(connections.open(), 0);
    }

    #[test]
    fn past_the_cap_of_its_address_a_connection_has_a_place_in_the_reserve() {
        let connections = connections(0, 1);
        let first = connections.admit(host(1), true).unwrap();
        let second = connections.admit(host(1), true).unwrap();
        assert_eq!(second.refusal(), Some(AdmissionError::MaxConnectionsPerIp(1)));
        assert!(connections.admit(host(2), true).unwrap().refusal().is_none());
        // As a trusted proxy has it.
        assert!(connections.admit(host(1), false).unwrap().refusal().is_none());
        // The reserve counts for no address, so its end frees no place of the address.
        drop(second);
        assert!(connections.admit(host(1), true).unwrap().refusal().is_some());
        drop(first);
        assert!(connections.admit(host(1), true).unwrap().refusal().is_none());
    }

    #[test]
    fn the_first_requests_are_answered_once_none_waits() {
        let connections = connections(1, 0);
        assert!(connections.first_requests_answered().now_or_never().is_some());
        let (regular, reserve) = (connections.admit(host(1), true), connections.admit(host(1), true));
        let mut answered = Box::pin(connections.first_requests_answered());
        assert!((&mut answered).now_or_never().is_none());
        let regular = regular.unwrap();
        regular.first_request_answered();
        regular.first_request_answered();
        drop(regular);
        assert!((&mut answered).now_or_never().is_none());
        drop(reserve);
        assert!(answered.now_or_never().is_some());
        assert!(connections.first_requests_answered().now_or_never().is_some());
    }
}
