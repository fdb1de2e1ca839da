//! The number of connections that each client has.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{client_key::ClientKey, error::AdmissionError};
use crate::config::Cap;

/// The number of connections of each client. A client without one has no entry.
#[derive(Debug)]
pub(super) struct IpCounts {
    max: Cap,
    /// The innermost lock: no other lock is taken while this one is held.
    counts: Mutex<HashMap<ClientKey, usize>>,
}

impl IpCounts {
    /// Creates the counts; no client may have more than `max`.
    pub(super) fn new(max: Cap) -> Self {
        Self {
            max,
            counts: Mutex::default(),
        }
    }

    /// Counts one connection of `client` until the slot is dropped.
    pub(super) fn take(self: &Arc<Self>, client: ClientKey) -> Result<IpSlot, AdmissionError> {
        let max = self.max.limit();
        let mut counts = self.lock();
        let count = counts.get(&client).copied().unwrap_or(0);
        if count >= max {
            return Err(AdmissionError::MaxConnectionsPerIp(max));
        }
        counts.insert(client, count + 1);
        drop(counts);
        Ok(IpSlot {
            client,
            counts: Arc::clone(self),
        })
    }

    /// A poisoned lock is used as before: each count changes in one step, so no panic leaves it half changed.
    fn lock(&self) -> MutexGuard<'_, HashMap<ClientKey, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection in the count of its client.
#[derive(Debug)]
pub(super) struct IpSlot {
    client: ClientKey,
    counts: Arc<IpCounts>,
}

impl IpSlot {
    /// Returns the client whose count holds this slot.
    pub(super) fn client(&self) -> ClientKey {
        self.client
    }
}

impl Drop for IpSlot {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.counts.lock().entry(self.client) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn a_client_has_its_cap_and_a_client_without_a_slot_has_no_entry() {
        let counts = Arc::new(IpCounts::new(Cap::of(2)));
        let [one, two] = [1, 2].map(|host| ClientKey::from(IpAddr::from([192, 0, 2, host])));
        let first = counts.take(one).unwrap();
        let second = counts.take(one).unwrap();
        assert_eq!(
            counts.take(one).unwrap_err(),
            AdmissionError::MaxConnectionsPerIp(2)
        );
        let other = counts.take(two).unwrap();
        assert_eq!((first.client(), other.client()), (one, two));
        drop(first);
        let third = counts.take(one).unwrap();
        drop((second, third, other));
        assert!(counts.lock().is_empty());
    }

    #[test]
    fn zero_is_no_cap() {
        let counts = Arc::new(IpCounts::new(Cap::of(0)));
        let client = ClientKey::from(IpAddr::from([192, 0, 2, 1]));
        let slots: Vec<_> = (0..100).map(|_| counts.take(client).unwrap()).collect();
        assert_eq!(counts.lock().get(&client), Some(&slots.len()));
    }
}
