//! The rates of handshakes and of messages. Both allow a burst of one second's worth, and then the rate.

use std::{
    cell::Cell,
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock, Reference},
    middleware::{NoOpMiddleware, StateInformationMiddleware},
    state::{InMemoryState, NotKeyed, keyed::HashMapStateStore},
};
use thiserror::Error;

use super::client_key::ClientKey;
use crate::config::Rate;

/// Minimum time between two sweeps, in nanoseconds.
const SWEEP_INTERVAL: u64 = 1_000_000_000;

/// The rate of handshakes of each client.
#[derive(Debug)]
pub(super) struct HandshakeLimiter<C: Clock = DefaultClock> {
    /// None if there is no limit.
    limit: Option<Limit<C>>,
}

#[derive(Debug)]
struct Limit<C: Clock> {
    rate: NonZeroU32,
    limiter: RateLimiter<ClientKey, HashMapStateStore<ClientKey>, C, NoOpMiddleware<C::Instant>>,
    start: C::Instant,
    /// Time of the last sweep, in nanoseconds since `start`.
    swept: AtomicU64,
}

impl HandshakeLimiter {
    /// Creates a limiter of `rate` for each client.
    pub(super) fn new(rate: Rate) -> Self {
        Self::with_clock(rate, DefaultClock::default())
    }
}

impl<C: Clock> HandshakeLimiter<C> {
    fn with_clock(rate: Rate, clock: C) -> Self {
        let limit = rate.limit().map(|rate| Limit {
            rate,
            start: clock.now(),
            limiter: RateLimiter::hashmap_with_clock(Quota::per_second(rate), clock),
            swept: AtomicU64::new(0),
        });
        Self { limit }
    }

    /// Counts a handshake of `client`, unless the client has used up its rate.
    pub(super) fn take(&self, client: IpAddr) -> Result<(), RateExceeded> {
        let Some(limit) = &self.limit else { return Ok(()) };
        limit.sweep();
        let client = ClientKey::from(client);
        limit.limiter.check_key(&client).map_err(|_| RateExceeded {
            client,
            rate: limit.rate,
        })
    }
}

impl<C: Clock> Limit<C> {
    /// Removes the entries of clients whose rate is full again, at most once a second. A client without an
    /// entry has its full rate.
    ///
    /// The limiter keeps each entry for one more interval of a token. So the map holds the clients of the
    /// last 2 s, and of the last 3 s at a rate of 1.
    fn sweep(&self) {
        let now = self.limiter.clock().now().duration_since(self.start).as_u64();
        let swept = self.swept.load(Ordering::Relaxed);
        let is_due = now.saturating_sub(swept) >= SWEEP_INTERVAL;
        // The exchange fails if another worker has just begun a sweep.
        if is_due
            && self
                .swept
                .compare_exchange(swept, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            self.limiter.retain_recent();
            // Releases the memory of the table after a flood.
            self.limiter.shrink_to_fit();
        }
    }
}

/// The error of a client that starts more handshakes than its rate allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{client} has reached its handshake limit of {rate} per second")]
pub struct RateExceeded {
    /// The client.
    pub client: ClientKey,
    /// Handshakes a second that a client may start.
    pub rate: NonZeroU32,
}

impl RateExceeded {
    /// Returns one sentence for the client: what to do, and the flag that sets the limit.
    pub fn hint(&self) -> &'static str {
        "wait 1 s between handshakes, or ask the operator to raise --max-handshakes-per-second"
    }
}

/// The rate of messages of one session.
#[derive(Debug)]
pub struct MessageRate<C: Clock = DefaultClock> {
    limiter: RateLimiter<NotKeyed, InMemoryState, StoppedClock<C>, StateInformationMiddleware>,
}

impl MessageRate {
    /// Creates the limiter of a session, with a burst of one second's worth. Returns None if `rate` is no
    /// limit.
    pub fn new(rate: Rate) -> Option<Self> {
        Self::with_clock(rate, DefaultClock::default())
    }
}

impl<C: Clock> MessageRate<C> {
    fn with_clock(rate: Rate, clock: C) -> Option<Self> {
        let clock = StoppedClock {
            now: Cell::new(clock.now()),
            clock,
        };
        let quota = Quota::per_second(rate.limit()?);
        let limiter = RateLimiter::direct_with_clock(quota, clock).with_middleware();
        Some(Self { limiter })
    }

    /// Counts a message that was received. Returns the time until the next one is allowed, or None if it is
    /// allowed now.
    ///
    /// A message before that time is not counted, because there is no token to take.
    pub fn take(&self) -> Option<Duration> {
        let clock = self.limiter.clock();
        clock.now.set(clock.clock.now());
        let checked = match self.limiter.check() {
            Ok(state) if state.remaining_burst_capacity() > 0 => return None,
            // No token is left, so this check takes none. It only returns the time of the next one.
            Ok(_) => self.limiter.check(),
            not_until => not_until,
        };
        let not_until = checked.err()?;
        Some(not_until.wait_time_from(clock.now.get()))
    }
}

/// A clock that advances only between two messages. Both checks of a message use the same time, so no token
/// is added in between.
#[derive(Debug)]
struct StoppedClock<C: Clock> {
    now: Cell<C::Instant>,
    clock: C,
}

impl<C: Clock> Clock for StoppedClock<C> {
    type Instant = C::Instant;

    fn now(&self) -> C::Instant {
        self.now.get()
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn host(host: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, host])
    }

    fn handshakes(per_second: u32) -> (HandshakeLimiter<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let limiter = HandshakeLimiter::with_clock(Rate::per_second(per_second), clock.clone());
        (limiter, clock)
    }

    fn clients(limiter: &HandshakeLimiter<FakeRelativeClock>) -> usize {
        limiter.limit.as_ref().unwrap().limiter.len()
    }

    #[test]
    fn a_client_has_a_burst_of_one_second_and_then_the_rate() {
        let (handshakes, clock) = handshakes(4);
        let taken = |client| (0..10).filter(|_| handshakes.take(client).is_ok()).count();
        assert_eq!((taken(host(1)), taken(host(2))), (4, 4));
        clock.advance(ms(249));
        assert_eq!(taken(host(1)), 0);
        clock.advance(ms(1));
        assert_eq!(taken(host(1)), 1);
        clock.advance(ms(5000));
        assert_eq!(taken(host(1)), 4, "no more than one second's worth is saved");
        let exceeded = handshakes.take("::ffff:192.0.2.1".parse().unwrap()).unwrap_err();
        assert_eq!(
            exceeded.to_string(),
            "192.0.2.1 has reached its handshake limit of 4 per second"
        );
        assert!(exceeded.hint().ends_with("--max-handshakes-per-second"));
    }

    #[test]
    fn the_addresses_of_a_64_share_a_rate() {
        let (handshakes, _) = handshakes(1);
        assert_eq!(handshakes.take("2001:db8::1".parse().unwrap()), Ok(()));
        let exceeded = handshakes.take("2001:db8::2".parse().unwrap()).unwrap_err();
        assert_eq!(exceeded.client.to_string(), "2001:db8::/64");
        assert_eq!(handshakes.take("2001:db8:0:1::1".parse().unwrap()), Ok(()));
    }

    #[test]
    fn a_client_has_no_entry_once_its_rate_is_full_again() {
        for (rate, forgotten) in [(1, ms(3000)), (10, ms(2000))] {
            let (handshakes, clock) = handshakes(rate);
            for last in 0..=255 {
                assert_eq!(handshakes.take(host(last)), Ok(()));
            }
            let other = IpAddr::from([198, 51, 100, 1]);
            let mut passed = ms(0);
            while passed < forgotten {
                assert!(clients(&handshakes) > 0, "after {passed:?} at {rate}");
                clock.advance(ms(500));
                passed += ms(500);
                let _ = handshakes.take(other);
            }
            assert_eq!(clients(&handshakes), 1, "at a rate of {rate}");
        }
    }

    #[test]
    fn a_sweep_keeps_the_clients_that_have_used_their_rate() {
        let (handshakes, clock) = handshakes(2);
        clock.advance(ms(900));
        assert_eq!(handshakes.take(host(1)), Ok(()));
        assert_eq!(handshakes.take(host(1)), Ok(()));
        clock.advance(ms(100));
        assert!(handshakes.take(host(1)).is_err(), "the sweep at 1 s");
    }

    #[test]
    fn without_a_rate_nothing_is_counted() {
        let (handshakes, _) = handshakes(0);
        assert!((0..1000).all(|_| handshakes.take(host(1)).is_ok()));
        assert!(handshakes.limit.is_none());
        assert!(MessageRate::new(Rate::per_second(0)).is_none());
    }

    #[test]
    fn after_a_burst_of_one_second_each_message_waits_for_its_token() {
        let clock = FakeRelativeClock::default();
        let messages = MessageRate::with_clock(Rate::per_second(4), clock.clone()).unwrap();
        for _ in 0..3 {
            assert_eq!(messages.take(), None);
        }
        assert_eq!(messages.take(), Some(ms(250)), "the fourth takes the last token");
        clock.advance(ms(100));
        assert_eq!(
            messages.take(),
            Some(ms(150)),
            "a message that comes too early takes no token"
        );
        clock.advance(ms(150));
        assert_eq!(messages.take(), Some(ms(250)));
        clock.advance(ms(400));
        assert_eq!(
            messages.take(),
            Some(ms(100)),
            "the accrued part of a token is not lost"
        );
        clock.advance(ms(60_000));
        assert_eq!((0..10).filter(|_| messages.take().is_none()).count(), 3);
    }

    #[test]
    fn the_highest_rate_delays_no_message() {
        let clock = FakeRelativeClock::default();
        let messages = MessageRate::with_clock(Rate::per_second(u32::MAX), clock).unwrap();
        assert!((0..1000).all(|_| messages.take().is_none()));
    }
}
