//! How fast: token buckets that hold one second's worth. The time is passed in: nothing here reads a clock.

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::config::Rate;

/// What a bucket holds, as the time in which it fills.
const CAPACITY: Duration = Duration::from_secs(1);

/// A token bucket, remembered as the one moment at which it will be full again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    /// The time that a token takes to come.
    interval: Duration,
    full_at: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(rate: NonZeroU32, now: Instant) -> Self {
        Self {
            interval: CAPACITY / rate.get(),
            full_at: now,
        }
    }

    /// Takes a token if there is one; else says how long until there is.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let full_at = self.full_at.max(now) + self.interval;
        match full_at.saturating_duration_since(now).saturating_sub(CAPACITY) {
            Duration::ZERO => {
                self.full_at = full_at;
                Ok(())
            }
            wait => Err(wait),
        }
    }

    /// How long until there is a token.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        (self.full_at.max(now) + self.interval)
            .saturating_duration_since(now)
            .saturating_sub(CAPACITY)
    }
}

/// One bucket for each address that took a token within the last two seconds.
#[derive(Debug)]
pub struct PerAddress {
    rate: Option<NonZeroU32>,
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    of: HashMap<IpAddr, Bucket>,
    swept: Option<Instant>,
}

impl PerAddress {
    /// So many a second from each address.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate: rate.limit(),
            buckets: Mutex::default(),
        }
    }

    /// Takes a token of `ip`'s.
    pub(super) fn take(&self, ip: IpAddr, now: Instant) -> Result<(), TooFast> {
        let Some(rate) = self.rate else { return Ok(()) };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        // A bucket that is full again tells no more than one that is not there; so it is a second old at the most.
        if buckets
            .swept
            .is_none_or(|swept| now.saturating_duration_since(swept) >= CAPACITY)
        {
            buckets.of.retain(|_, bucket| bucket.full_at > now);
            buckets.swept = Some(now);
        }
        buckets
            .of
            .entry(ip)
            .or_insert_with(|| Bucket::new(rate, now))
            .take(now)
            .map_err(|_| TooFast { rate, address: ip })
    }
}

/// An address came more often than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooFast {
    pub(super) rate: NonZeroU32,
    pub(super) address: IpAddr,
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_bucket_gives_a_seconds_worth_at_once_and_then_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(NonZeroU32::new(4).unwrap(), start);
        for _ in 0..4 {
            assert_eq!(bucket.wait(start), Duration::ZERO);
            assert_eq!(bucket.take(start), Ok(()));
        }
        assert_eq!(bucket.wait(start), ms(250));
        assert_eq!(bucket.take(start), Err(ms(250)));
        assert_eq!(bucket.take(start + ms(249)), Err(ms(1)));
        assert_eq!(bucket.take(start + ms(250)), Ok(()));
        assert_eq!(bucket.take(start + ms(250)), Err(ms(250)));
        let later = start + ms(5000);
        let taken = (0..10).filter(|_| bucket.take(later).is_ok()).count();
        assert_eq!(taken, 4, "it holds no more than one second's worth");
    }

    #[test]
    fn each_address_has_its_own_and_none_is_kept_for_ever() {
        let start = Instant::now();
        let (one, two) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let throttle = PerAddress::new(Rate::per_second(1));
        assert_eq!(throttle.take(one, start), Ok(()));
        let too_fast = throttle.take(one, start).unwrap_err();
        assert_eq!((too_fast.address, too_fast.rate.get()), (one, 1));
        assert_eq!(throttle.take(two, start), Ok(()));
        assert_eq!(throttle.take(one, start + ms(1000)), Ok(()));
        for host in 0..=255 {
            let ip = IpAddr::from([10, 0, 0, host]);
            assert_eq!(throttle.take(ip, start + ms(1500)), Ok(()));
        }
        assert_eq!(throttle.take(two, start + ms(2600)), Ok(()));
        assert_eq!(throttle.buckets.lock().unwrap().of.len(), 1);
    }

    #[test]
    fn without_a_rate_nothing_is_counted() {
        let throttle = PerAddress::new(Rate::per_second(0));
        let now = Instant::now();
        for _ in 0..1000 {
            assert_eq!(throttle.take(IpAddr::from([127, 0, 0, 1]), now), Ok(()));
        }
        assert!(throttle.buckets.lock().unwrap().of.is_empty());
    }
}
