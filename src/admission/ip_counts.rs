//! The number of open connections of each client.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{client_key::ClientKey, error::AdmissionError};
use crate::config::Cap;

/// The number of open connections of each client. A client without connections has no entry.
#[derive(Debug)]
pub(super) struct IpCounts {
    max: Cap,
    /// The innermost lock: no other lock is taken while this one is held.
    counts: Mutex<HashMap<ClientKey, usize>>,
}

impl IpCounts {
    /// Creates the counts, with `max` connections for each client.
    pub(super) fn new(max: Cap) -> Self {
        Self {
            max,
            counts: Mutex::default(),
        }
    }

    /// Counts one connection of `client` until the slot is dropped. Returns None if there is no cap, so that
    /// connections then need no memory for it.
    pub(super) fn take(self: &Arc<Self>, client: ClientKey) -> Result<Option<Arc<IpSlot>>, AdmissionError> {
        let max = self.max.limit();
        if max == usize::MAX {
            return Ok(None);
        }
        let mut counts = self.lock();
        let count = counts.get(&client).copied().unwrap_or(0);
        if count >= max {
            return Err(AdmissionError::MaxConnectionsPerIp(max));
        }
        counts.insert(client, count + 1);
        drop(counts);
        Ok(Some(Arc::new(IpSlot {
            client,
            counts: Arc::clone(self),
        })))
    }

    /// Locks the counts. A poisoned lock is still consistent, because each count changes in one step.
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
        let first = counts.take(one).unwrap().unwrap();
        let second = counts.take(one).unwrap().unwrap();
        assert_eq!(
            counts.take(one).unwrap_err(),
            AdmissionError::MaxConnectionsPerIp(2)
        );
        let other = counts.take(two).unwrap().unwrap();
        assert_eq!((first.client(), other.client()), (one, two));
        drop(first);
        let third = counts.take(one).unwrap().unwrap();
        drop((second, third, other));
        assert!(counts.lock().is_empty());
    }

    #[test]
    fn without_a_cap_nothing_is_counted() {
        let counts = Arc::new(IpCounts::new(Cap::of(0)));
        let client = ClientKey::from(IpAddr::from([192, 0, 2, 1]));
        assert!(counts.take(client).unwrap().is_none());
        assert!(counts.lock().is_empty());
    }
}
