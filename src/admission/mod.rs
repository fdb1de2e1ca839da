//! Admission: the limits that decide whether a connection or a session may open, and the drain that ends all
//! sessions.
//!
//! - [`Admission`] is the facade that all workers share.
//! - `connections` counts HTTP connections, `sessions` counts sessions and drains them. Both count their
//!   client in `ip_counts`.
//! - `rates` limits handshakes of a client and messages of a session.
//! - `budget` limits the memory of all sessions together.
//! - `client_key` defines which addresses are one client, `error` the reasons to refuse.
//!
//! Locks are taken when a connection or a session opens, starts or ends, never for a message.

mod budget;
mod client_key;
mod connections;
mod error;
mod ip_counts;
mod rates;
mod sessions;

use std::{net::IpAddr, sync::Arc};

use tokio_util::sync::WaitForCancellationFuture;

pub use budget::{BudgetExceeded, MemoryBudget, Reservation};
pub use client_key::ClientKey;
pub use connections::ConnectionPermit;
pub use error::AdmissionError;
pub use rates::{MessageRate, RateExceeded};
pub use sessions::{Drain, SessionPermit};

use self::{connections::Connections, ip_counts::IpCounts, rates::HandshakeLimiter, sessions::Sessions};
use crate::config::{Cap, Rate, Size};

/// The limits of one server, over all its workers. 0 means no limit.
#[derive(Debug, Clone, Copy)]
pub struct AdmissionLimits {
    /// Open sessions.
    pub max_connections: Cap,
    /// Open connections of one client; see [`ClientKey`].
    pub max_connections_per_ip: Cap,
    /// Open HTTP connections.
    pub max_http_connections: Cap,
    /// Handshakes a second of one client.
    pub max_handshakes_per_second: Rate,
    /// Bytes that all sessions together hold.
    pub max_buffered: Size,
}

/// The admission of one server: its limits, and its open connections and sessions.
#[derive(Debug)]
pub struct Admission {
    connections: Arc<Connections>,
    sessions: Arc<Sessions>,
    handshakes: HandshakeLimiter,
    budget: MemoryBudget,
}

impl Admission {
    /// Creates the admission of a server that is ready and has no connections.
    pub fn new(limits: AdmissionLimits) -> Self {
        let ip_counts = Arc::new(IpCounts::new(limits.max_connections_per_ip));
        Self {
            connections: Arc::new(Connections::new(
                limits.max_http_connections,
                Arc::clone(&ip_counts),
            )),
            sessions: Arc::new(Sessions::new(limits.max_connections, ip_counts)),
            handshakes: HandshakeLimiter::new(limits.max_handshakes_per_second),
            budget: MemoryBudget::new(limits.max_buffered),
        }
    }

    /// Counts an accepted HTTP connection until the permit is dropped. `counts_for_ip` is false for a trusted
    /// proxy, whose address is not the client's.
    ///
    /// If `--max-http-connections` or `--max-connections-per-ip` is reached, the connection gets one of 16
    /// places in a reserve, so that health checks still get a response; see [`ConnectionPermit::refusal`].
    ///
    /// # Errors
    /// The cap that is reached, if the reserve is full too. The caller closes the connection.
    pub fn admit_connection(
        &self,
        peer: IpAddr,
        counts_for_ip: bool,
    ) -> Result<ConnectionPermit, AdmissionError> {
        self.connections.admit(peer, counts_for_ip)
    }

    /// Counts a session of `client` until the permit is dropped. `connection` is the HTTP connection that
    /// carries it.
    ///
    /// If the connection counts for the same client, it shares its count with one session, until both permits
    /// are dropped. Any other session has a count of its own: behind a proxy, without a permit, or as a
    /// further stream of an HTTP/2 connection.
    ///
    /// # Errors
    /// In this order: [`AdmissionError::Draining`], the refusal of a connection in the reserve,
    /// [`AdmissionError::MaxConnections`], [`AdmissionError::MaxConnectionsPerIp`].
    pub fn admit_session(
        &self,
        client: IpAddr,
        connection: Option<&ConnectionPermit>,
    ) -> Result<SessionPermit, AdmissionError> {
        self.sessions.admit(client, connection)
    }

    /// Counts a handshake of `client`. The limit allows a burst of one second's worth.
    ///
    /// # Errors
    /// If the client has used up `--max-handshakes-per-second`. A refused handshake does not count.
    pub fn take_handshake(&self, client: IpAddr) -> Result<(), RateExceeded> {
        self.handshakes.take(client)
    }

    /// Returns the memory budget of all sessions.
    pub fn budget(&self) -> &MemoryBudget {
        &self.budget
    }

    /// Returns the number of open sessions.
    pub fn open_sessions(&self) -> usize {
        self.sessions.open()
    }

    /// Returns whether load balancers should send new connections: true until [`Self::set_not_ready`] or
    /// [`Self::drain`].
    pub fn is_ready(&self) -> bool {
        self.sessions.is_ready()
    }

    /// Begins the shutdown delay: the server is not ready, but still admits sessions.
    pub fn set_not_ready(&self) {
        self.sessions.set_not_ready();
    }

    /// Resolves once no open connection waits for the response to its first request; see
    /// [`ConnectionPermit::first_request_answered`].
    ///
    /// A server on inherited sockets must stop accepting before: connections that open in between extend the
    /// wait.
    pub async fn first_requests_answered(&self) {
        self.connections.first_requests_answered().await;
    }

    /// Admits no further session, sends [`Drain`] to each open one, and waits until the last permit is
    /// dropped. The caller limits the wait by the shutdown grace period.
    pub async fn drain(&self) {
        self.sessions.drain().await;
    }

    /// Resolves when [`Self::drain`] begins.
    pub fn stopping(&self) -> WaitForCancellationFuture<'_> {
        self.sessions.stopping()
    }

    /// Resolves when the last session has ended after [`Self::drain`] began.
    pub fn drained(&self) -> WaitForCancellationFuture<'_> {
        self.sessions.drained()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn each_limit_is_enforced() {
        let admission = Admission::new(AdmissionLimits {
            max_connections: Cap::of(4),
            max_connections_per_ip: Cap::of(3),
            max_http_connections: Cap::of(2),
            max_handshakes_per_second: Rate::per_second(1),
            max_buffered: Size::bytes(5),
        });
        let client = |host| IpAddr::from([192, 0, 2, host]);
        let connections = [1, 1, 2].map(|host| admission.admit_connection(client(host), true).unwrap());
        assert_eq!(
            connections[2].refusal(),
            Some(AdmissionError::MaxHttpConnections(2))
        );
        assert_eq!(admission.connections.open(), 3);

        let sessions = [
            admission.admit_session(client(1), Some(&connections[0])).unwrap(),
            admission.admit_session(client(1), None).unwrap(),
            admission.admit_session(client(2), None).unwrap(),
        ];
        assert_eq!(
            admission.admit_session(client(1), None).unwrap_err(),
            AdmissionError::MaxConnectionsPerIp(3)
        );
        let last = admission.admit_session(client(2), None).unwrap();
        assert_eq!(
            admission.admit_session(client(3), None).unwrap_err(),
            AdmissionError::MaxConnections(4)
        );
        assert_eq!(admission.open_sessions(), 4);

        assert_eq!(admission.take_handshake(client(1)), Ok(()));
        assert!(admission.take_handshake(client(1)).is_err());
        assert_eq!(
            admission.budget().reservation().resize(6),
            Err(BudgetExceeded { limit: 5 })
        );

        drop((connections, sessions, last));
        assert_eq!((admission.open_sessions(), admission.connections.open()), (0, 0));
    }

    #[actix_rt::test]
    async fn a_shutdown_goes_through_its_phases_in_order() {
        let admission = Admission::new(AdmissionLimits {
            max_connections: Cap::of(0),
            max_connections_per_ip: Cap::of(0),
            max_http_connections: Cap::of(0),
            max_handshakes_per_second: Rate::per_second(0),
            max_buffered: Size::bytes(0),
        });
        let client = IpAddr::from([192, 0, 2, 1]);
        assert!(admission.is_ready());
        admission.set_not_ready();
        assert!(!admission.is_ready());
        let connection = admission.admit_connection(client, true).unwrap();
        let session = admission.admit_session(client, Some(&connection)).unwrap();
        assert!(admission.first_requests_answered().now_or_never().is_none());
        connection.first_request_answered();
        admission.first_requests_answered().await;

        assert!(admission.stopping().now_or_never().is_none());
        let mut drain = Box::pin(admission.drain());
        assert!((&mut drain).now_or_never().is_none());
        admission.stopping().await;
        assert_eq!(
            admission.admit_session(client, Some(&connection)).unwrap_err(),
            AdmissionError::Draining
        );
        assert!(admission.drained().now_or_never().is_none());
        drop(session);
        drain.await;
        admission.drained().await;
    }
}
