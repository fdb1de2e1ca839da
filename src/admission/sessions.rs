//! The open sessions: their cap, and the drain that ends them.

use std::{
    collections::HashMap,
    mem,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix::{Message, Recipient};
use tokio_util::{
    sync::{CancellationToken, WaitForCancellationFuture},
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use super::{
    client_key::ClientKey,
    connections::ConnectionPermit,
    error::AdmissionError,
    ip_counts::{IpCounts, IpSlot},
};
use crate::config::Cap;

/// The message to a session's actor that drains it: the session replies to every message it has received,
/// closes with 1001 and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drain;

impl Message for Drain {
    type Result = ();
}

/// The open sessions of all workers.
#[derive(Debug)]
pub(super) struct Sessions {
    max: Cap,
    ip_counts: Arc<IpCounts>,
    /// Locked when a session opens, starts or ends, never for a message.
    open: Mutex<Open>,
    tracker: TaskTracker,
    stopping: CancellationToken,
    drained: CancellationToken,
}

#[derive(Debug, Default)]
struct Open {
    phase: Phase,
    last_id: u64,
    count: usize,
    drains: HashMap<u64, Recipient<Drain>>,
}

/// The progress of a shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    #[default]
    Serving,
    /// The server admits sessions as before, and `/readyz` returns 503 to load balancers.
    NotReady,
    Draining,
}

impl Sessions {
    /// Creates the count of a server without sessions.
    pub(super) fn new(max: Cap, ip_counts: Arc<IpCounts>) -> Self {
        Self {
            max,
            ip_counts,
            open: Mutex::default(),
            tracker: TaskTracker::new(),
            stopping: CancellationToken::new(),
            drained: CancellationToken::new(),
        }
    }

    /// Counts a session of `client` until the permit is dropped.
    pub(super) fn admit(
        self: &Arc<Self>,
        client: IpAddr,
        connection: Option<&ConnectionPermit>,
    ) -> Result<SessionPermit, AdmissionError> {
        let client = ClientKey::from(client);
        let max = self.max.limit();
        let mut open = self.lock();
        if open.phase == Phase::Draining {
            return Err(AdmissionError::Draining);
        }
        if let Some(refusal) = connection.and_then(ConnectionPermit::refusal) {
            return Err(refusal);
        }
        if open.count >= max {
            return Err(AdmissionError::MaxConnections(max));
        }
        let slot = match connection.and_then(|connection| connection.share_slot(client)) {
            Some(slot) => Some(slot),
            None => self.ip_counts.take(client)?,
        };
        open.count += 1;
        open.last_id += 1;
        let id = open.last_id;
        // Before the lock is released: a drain that begins then waits for this session.
        let token = self.tracker.token();
        drop(open);
        Ok(SessionPermit {
            id,
            _slot: slot,
            sessions: Arc::clone(self),
            _token: token,
        })
    }

    /// Returns the number of open sessions.
    pub(super) fn open(&self) -> usize {
        self.lock().count
    }

    /// Returns whether the server is neither draining nor marked not ready.
    pub(super) fn is_ready(&self) -> bool {
        self.lock().phase == Phase::Serving
    }

    /// Marks the server not ready. Has no effect on a drain.
    pub(super) fn set_not_ready(&self) {
        let mut open = self.lock();
        if open.phase == Phase::Serving {
            open.phase = Phase::NotReady;
        }
    }

    /// Stops admitting sessions, sends [`Drain`] to each open one, and waits until the last permit is
    /// dropped.
    pub(super) async fn drain(&self) {
        let drains = {
            let mut open = self.lock();
            open.phase = Phase::Draining;
            // Each session gets one `Drain`, however often this function is called.
            mem::take(&mut open.drains)
        };
        self.stopping.cancel();
        for drain in drains.into_values() {
            drain.do_send(Drain);
        }
        self.tracker.close();
        self.tracker.wait().await;
        self.drained.cancel();
    }

    /// Resolves when a drain begins.
    pub(super) fn stopping(&self) -> WaitForCancellationFuture<'_> {
        self.stopping.cancelled()
    }

    /// Resolves when the last session has ended after a drain began.
    pub(super) fn drained(&self) -> WaitForCancellationFuture<'_> {
        self.drained.cancelled()
    }

    /// Locks the sessions. A poisoned lock is still consistent, because no panic is possible between two
    /// related changes.
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one session. Dropping it frees the place.
#[derive(Debug)]
pub struct SessionPermit {
    id: u64,
    _slot: Option<Arc<IpSlot>>,
    sessions: Arc<Sessions>,
    // The last field, so that it is dropped last. The counts are then right when a drain ends.
    _token: TaskTrackerToken,
}

impl SessionPermit {
    /// Returns the number of the session. The first session of the server is 1, and no number is used twice.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Registers the running session for [`Drain`]. If a drain is under way, the session gets [`Drain`] at
    /// once.
    pub fn started(&self, session: Recipient<Drain>) {
        let mut open = self.sessions.lock();
        if open.phase == Phase::Draining {
            drop(open);
            session.do_send(Drain);
        } else {
            open.drains.insert(self.id, session);
        }
    }
}

impl Drop for SessionPermit {
    fn drop(&mut self) {
        let drain = {
            let mut open = self.sessions.lock();
            open.count -= 1;
            open.drains.remove(&self.id)
        };
        // Dropped after the lock is released, because dropping an address can wake or drop an actor.
        drop(drain);
    }
}

#[cfg(test)]
mod tests {
    use actix::{Actor, Context, Handler};
    use futures_util::FutureExt as _;
    use tokio::sync::mpsc::{self, error::TryRecvError};

    use super::*;
    use crate::admission::connections::Connections;

    fn host(host: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, host])
    }

    fn sessions(max: usize, max_per_ip: usize) -> Arc<Sessions> {
        let ip_counts = Arc::new(IpCounts::new(Cap::of(max_per_ip)));
        Arc::new(Sessions::new(Cap::of(max), ip_counts))
    }

    /// A session that owns its permit and ends with [`Drain`].
    struct Session(mpsc::UnboundedSender<u64>, SessionPermit);

    impl Actor for Session {
        type Context = Context<Self>;
    }

    impl Handler<Drain> for Session {
        type Result = ();

        fn handle(&mut self, _: Drain, ctx: &mut Self::Context) {
            self.0.send(self.1.id()).unwrap();
            actix::ActorContext::stop(ctx);
        }
    }

    /// Starts the session as its handshake does: the permit registers the address, the actor owns the permit.
    fn start(permit: SessionPermit, drained: &mpsc::UnboundedSender<u64>) {
        let drained = drained.clone();
        Session::create(|ctx| {
            permit.started(actix::AsyncContext::address(ctx).recipient());
            Session(drained, permit)
        });
    }

    #[test]
    fn caps_hold_and_a_session_that_ends_frees_its_place() {
        let sessions = sessions(3, 2);
        let first = sessions.admit(host(1), None).unwrap();
        let _second = sessions.admit("::ffff:192.0.2.1".parse().unwrap(), None).unwrap();
        assert_eq!(
            sessions.admit(host(1), None).unwrap_err(),
            AdmissionError::MaxConnectionsPerIp(2)
        );
        let third = sessions.admit(host(2), None).unwrap();
        assert_eq!(
            sessions.admit(host(2), None).unwrap_err(),
            AdmissionError::MaxConnections(3)
        );
        assert_eq!((first.id(), third.id(), sessions.open()), (1, 3, 3));
        drop(first);
        assert_eq!(sessions.open(), 2);
        assert_eq!(sessions.admit(host(1), None).unwrap().id(), 4);
    }

    #[test]
    fn a_connection_and_its_session_count_once_until_both_have_ended() {
        let ip_counts = Arc::new(IpCounts::new(Cap::of(1)));
        let sessions = Arc::new(Sessions::new(Cap::of(0), Arc::clone(&ip_counts)));
        let connections = Arc::new(Connections::new(Cap::of(0), ip_counts));
        let connection = connections.admit(host(1), true).unwrap();
        let session = sessions.admit(host(1), Some(&connection)).unwrap();
        // A second session on the same connection, as HTTP/2 has it, takes a count of its own.
        let full = AdmissionError::MaxConnectionsPerIp(1);
        assert_eq!(sessions.admit(host(1), Some(&connection)).unwrap_err(), full);
        drop(session);
        let session = sessions.admit(host(1), Some(&connection)).unwrap();
        drop(connection);
        assert_eq!(sessions.admit(host(1), None).unwrap_err(), full);
        let refused = connections.admit(host(1), true).unwrap();
        assert_eq!(sessions.admit(host(2), Some(&refused)).unwrap_err(), full);
        drop(session);
        sessions.admit(host(1), None).unwrap();
    }

    #[test]
    fn behind_a_proxy_a_session_counts_for_its_client() {
        let ip_counts = Arc::new(IpCounts::new(Cap::of(1)));
        let sessions = Arc::new(Sessions::new(Cap::of(0), Arc::clone(&ip_counts)));
        let connections = Arc::new(Connections::new(Cap::of(0), ip_counts));
        let [one, two] = [1, 2].map(|_| connections.admit(host(9), false).unwrap());
        let _session = sessions.admit(host(1), Some(&one)).unwrap();
        assert!(sessions.admit(host(1), Some(&two)).is_err());
        sessions.admit(host(2), Some(&two)).unwrap();
    }

    #[actix_rt::test]
    async fn a_drain_reaches_each_session_once_and_waits_for_the_last() {
        let sessions = sessions(0, 0);
        let (sender, mut drained) = mpsc::unbounded_channel();
        sessions.set_not_ready();
        assert!(!sessions.is_ready());
        start(sessions.admit(host(1), None).unwrap(), &sender);
        let late = sessions.admit(host(1), None).unwrap();
        let mut drain = Box::pin(sessions.drain());
        assert!((&mut drain).now_or_never().is_none());
        sessions.stopping().await;
        assert_eq!(
            sessions.admit(host(1), None).unwrap_err(),
            AdmissionError::Draining
        );
        assert_eq!(drained.recv().await, Some(1));
        let mut again = Box::pin(sessions.drain());
        assert!((&mut again).now_or_never().is_none());
        assert!(sessions.drained().now_or_never().is_none());
        start(late, &sender);
        assert_eq!(drained.recv().await, Some(2));
        drain.await;
        again.await;
        sessions.drained().await;
        assert_eq!(
            (sessions.open(), drained.try_recv()),
            (0, Err(TryRecvError::Empty))
        );
        sessions.set_not_ready();
        assert_eq!(sessions.lock().phase, Phase::Draining);
    }
}
