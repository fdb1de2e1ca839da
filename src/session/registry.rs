//! Who is connected: the caps, the count, and the way to tell every session that the server stops.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix::{Message, Recipient};
use tokio_util::{
    sync::{CancellationToken, WaitForCancellationFuture},
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use crate::config::Cap;

/// Tells a session to answer what it has received, to close with 1001, and to end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drain;

impl Message for Drain {
    type Result = ();
}

/// Why there is no room for one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// The server is being stopped.
    Draining,
    /// As many as it takes are connected.
    Full(usize),
    /// As many as it takes from this address are connected.
    AddressFull(usize),
}

/// All sessions of one server, over all its workers.
#[derive(Debug)]
pub struct Registry {
    max: Cap,
    max_per_ip: Cap,
    /// Taken when a session opens, starts or ends, never for a message.
    sessions: Mutex<Sessions>,
    tracker: TaskTracker,
    stopping: CancellationToken,
    drained: CancellationToken,
}

#[derive(Debug, Default)]
struct Sessions {
    phase: Phase,
    last_id: u64,
    open: usize,
    per_ip: HashMap<IpAddr, usize>,
    drains: HashMap<u64, Recipient<Drain>>,
}

/// How far the server's end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    #[default]
    Serving,
    /// Everything is served, but balancers are asked to send nobody here any more.
    Leaving,
    Draining,
}

impl Registry {
    /// An empty registry with these caps.
    pub fn new(max: Cap, max_per_ip: Cap) -> Self {
        Self {
            max,
            max_per_ip,
            sessions: Mutex::default(),
            tracker: TaskTracker::new(),
            stopping: CancellationToken::new(),
            drained: CancellationToken::new(),
        }
    }

    /// How many sessions are open.
    pub fn open(&self) -> usize {
        self.lock().open
    }

    /// Whether the server wants new sessions.
    pub fn is_ready(&self) -> bool {
        self.lock().phase == Phase::Serving
    }

    /// Says that the server will be stopped soon. Sessions are let in as before.
    pub fn leave(&self) {
        let mut sessions = self.lock();
        if sessions.phase == Phase::Serving {
            sessions.phase = Phase::Leaving;
        }
    }

    /// Lets no session in any more, tells each one to end, and waits for the last.
    pub async fn drain(&self) {
        let drains: Vec<_> = {
            let mut sessions = self.lock();
            sessions.phase = Phase::Draining;
            sessions.drains.values().cloned().collect()
        };
        self.stopping.cancel();
        for drain in drains {
            drain.do_send(Drain);
        }
        self.tracker.close();
        self.tracker.wait().await;
        self.drained.cancel();
    }

    /// Resolves once the server is being stopped: when [`Self::drain`] begins.
    pub fn stopping(&self) -> WaitForCancellationFuture<'_> {
        self.stopping.cancelled()
    }

    /// Resolves once the last session has ended after that.
    pub fn drained(&self) -> WaitForCancellationFuture<'_> {
        self.drained.cancelled()
    }

    /// Counts one more session from `ip` in, until the admission is dropped.
    pub(super) fn admit(self: &Arc<Self>, ip: IpAddr) -> Result<Admission, NoRoom> {
        // One host, one address: IPv4 seen through an IPv6 socket is IPv4.
        let ip = ip.to_canonical();
        let mut sessions = self.lock();
        if sessions.phase == Phase::Draining {
            return Err(NoRoom::Draining);
        }
        if sessions.open >= self.max.limit() {
            return Err(NoRoom::Full(self.max.limit()));
        }
        let from_ip = sessions.per_ip.get(&ip).copied().unwrap_or(0);
        if from_ip >= self.max_per_ip.limit() {
            return Err(NoRoom::AddressFull(self.max_per_ip.limit()));
        }
        sessions.per_ip.insert(ip, from_ip + 1);
        sessions.open += 1;
        sessions.last_id += 1;
        let id = sessions.last_id;
        drop(sessions);
        Ok(Admission {
            id,
            ip,
            registry: Arc::clone(self),
            _token: self.tracker.token(),
        })
    }

    /// A panic while the lock was held leaves counts that are still whole: each is changed in one step.
    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session's place in the registry.
#[derive(Debug)]
pub(super) struct Admission {
    id: u64,
    ip: IpAddr,
    registry: Arc<Registry>,
    _token: TaskTrackerToken,
}

impl Admission {
    /// Numbers the connections of this server from 1 up.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Names the running session, so that a drain reaches it: at once, where one is under way.
    pub(super) fn started(&self, session: Recipient<Drain>) {
        let mut sessions = self.registry.lock();
        if sessions.phase == Phase::Draining {
            session.do_send(Drain);
        } else {
            sessions.drains.insert(self.id, session);
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut sessions = self.registry.lock();
        sessions.open -= 1;
        sessions.drains.remove(&self.id);
        if let Some(from_ip) = sessions.per_ip.get_mut(&self.ip) {
            *from_ip -= 1;
            if *from_ip == 0 {
                sessions.per_ip.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caps_hold_and_an_admission_that_ends_makes_room() {
        let registry = Arc::new(Registry::new(Cap::of(3), Cap::of(2)));
        let a = IpAddr::from([127, 0, 0, 1]);
        let mapped = "::ffff:127.0.0.1".parse().unwrap();
        let b = IpAddr::from([127, 0, 0, 2]);
        let first = registry.admit(a).unwrap();
        let _second = registry.admit(mapped).unwrap();
        assert_eq!(registry.admit(a).unwrap_err(), NoRoom::AddressFull(2));
        let _third = registry.admit(b).unwrap();
        assert_eq!(registry.admit(b).unwrap_err(), NoRoom::Full(3));
        assert_eq!(registry.open(), 3);
        drop(first);
        assert_eq!(registry.open(), 2);
        registry.leave();
        assert_eq!(registry.admit(a).unwrap().id(), 4);
    }
}
