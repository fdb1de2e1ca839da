//! The progress and the deadlines of the request on an HTTP/1.1 connection.
//!
//! It parses the bytes that are read only to find the end of the head: the request line and the header section (RFC 9112 section
//! 2.1). It reads no clock: the caller passes the time.

use std::time::{Duration, Instant};

/// Length in bytes of the longest head that is stored. A longer one is only counted.
const MAX_HEAD: usize = 16 * 1024;

/// The last bytes of a head: the end of its last line and an empty line.
const END: &[u8] = b"\r\n\r\n";

/// The timeouts of a request. `None` is no limit.
#[derive(Debug, Clone, Copy)]
pub struct HttpTimeouts {
    /// From the start of the connection, or from the first byte of a later request, to the end of the head.
    pub head: Option<Duration>,
    /// From the request's first byte to the last byte of its body.
    pub request: Option<Duration>,
    /// From the last write that the kernel accepted to the next.
    pub stall: Option<Duration>,
}

/// The state of an HTTP/1.1 connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The last request was served, and no byte of the next has arrived.
    Idle,
    /// The head is incomplete. A new connection starts with this phase.
    Head,
    /// The head is complete, and no handler has been called, or the handler awaits the body.
    Body,
    /// A handler has the complete request, or a request whose body it does not read yet.
    Serving,
}

/// The progress of the current request.
#[derive(Debug)]
pub(super) struct RequestClock {
    pub(super) phase: Phase,
    /// Time at which [`Phase::Head`] started.
    head_since: Instant,
    /// Time of the request's first byte.
    first_byte: Option<Instant>,
    head: Vec<u8>,
    head_len: usize,
    /// The last bytes of an incomplete head, at most three, because a read may split its end.
    tail: Vec<u8>,
}

impl RequestClock {
    /// Creates the clock of a connection that was accepted at `now`.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            phase: Phase::Head,
            head_since: now,
            first_byte: None,
            head: Vec::new(),
            head_len: 0,
            tail: Vec::new(),
        }
    }

    /// Records that `bytes` were read.
    pub(super) fn received(&mut self, bytes: &[u8], now: Instant) {
        if bytes.is_empty() {
            return;
        }
        if self.phase == Phase::Idle {
            *self = Self::new(now);
        }
        if self.phase != Phase::Head {
            return;
        }
        self.first_byte.get_or_insert(now);
        let before = self.tail.len();
        self.tail.extend_from_slice(bytes);
        let end = self.tail.windows(END.len()).position(|window| window == END);
        let head_bytes = end.map_or(bytes.len(), |end| end + END.len() - before);
        self.head_len += head_bytes;
        if self.head_len <= MAX_HEAD {
            self.head.extend_from_slice(&bytes[..head_bytes]);
        } else {
            self.head = Vec::new();
        }
        if end.is_some() {
            self.phase = Phase::Body;
            self.tail = Vec::new();
        } else {
            let cut = self.tail.len().saturating_sub(END.len() - 1);
            self.tail.drain(..cut);
        }
    }

    /// Records that a handler was called with the request.
    pub(super) fn handled(&mut self, now: Instant) {
        if self.phase == Phase::Idle {
            // The request arrived in one read with the one before it (pipelining, RFC 9112 section 9.3.2).
            *self = Self::new(now);
            self.first_byte = Some(now);
        }
        self.phase = Phase::Serving;
    }

    /// Records that the handler awaits the request's body.
    pub(super) fn await_body(&mut self) {
        self.phase = Phase::Body;
    }

    /// Records that the request is complete.
    pub(super) fn complete(&mut self) {
        self.phase = Phase::Serving;
    }

    /// Records that the response was sent or dropped.
    pub(super) fn served(&mut self) {
        self.phase = Phase::Idle;
    }

    /// Returns whether a byte of the request was received.
    pub(super) fn has_started(&self) -> bool {
        self.first_byte.is_some()
    }

    /// Returns the length of the request's head in bytes.
    pub(super) fn head_len(&self) -> usize {
        self.head_len
    }

    /// Returns the bytes of the request's head. They are empty if the head is longer than 16 KiB, or was taken before.
    pub(super) fn take_head(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.head)
    }

    /// Returns the time by which the peer must have sent the head or the body, whichever is incomplete.
    pub(super) fn deadline(&self, timeouts: &HttpTimeouts) -> Option<Instant> {
        let request = || Some(self.first_byte? + timeouts.request?);
        match self.phase {
            Phase::Idle | Phase::Serving => None,
            Phase::Body => request(),
            Phase::Head => {
                let head = timeouts.head.map(|timeout| self.head_since + timeout);
                match (head, request()) {
                    (Some(head), Some(request)) => Some(head.min(request)),
                    (head, request) => head.or(request),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    const TIMEOUTS: HttpTimeouts = HttpTimeouts {
        head: Some(Duration::from_secs(5)),
        request: Some(Duration::from_secs(10)),
        stall: None,
    };

    #[test]
    fn the_head_is_stored_unchanged_wherever_it_is_cut() {
        let request = b"POST / HTTP/1.1\r\nhOST: a\r\n\r\n";
        for cut in 0..=request.len() {
            let now = Instant::now();
            let mut clock = RequestClock::new(now);
            clock.received(&request[..cut], now);
            clock.received(&[&request[cut..], b"body"].concat(), now);
            assert_eq!(clock.phase, Phase::Body, "cut at {cut}");
            assert_eq!(clock.head_len(), request.len(), "cut at {cut}");
            assert_eq!(clock.take_head(), request, "cut at {cut}");
        }
    }

    #[test]
    fn a_head_of_more_than_16_kib_is_counted_and_not_stored() {
        let now = Instant::now();
        let mut clock = RequestClock::new(now);
        for _ in 0..20 {
            clock.received(&[b'a'; 1024], now);
        }
        assert_eq!((clock.head_len(), clock.take_head().len()), (20 * 1024, 0));
    }

    #[test]
    fn the_heads_deadline_counts_from_the_connection_and_the_requests_from_its_first_byte() {
        let start = Instant::now();
        let mut clock = RequestClock::new(start);
        assert_eq!(clock.deadline(&TIMEOUTS), Some(start + 5 * S));
        clock.received(b"POST / HTTP/1.1\r\n", start + S);
        assert_eq!(clock.deadline(&TIMEOUTS), Some(start + 5 * S));
        clock.received(b"\r\n\r\n", start + 2 * S);
        assert_eq!(clock.deadline(&TIMEOUTS), Some(start + 11 * S));
        clock.handled(start + 2 * S);
        assert_eq!(clock.deadline(&TIMEOUTS), None, "the handler awaits no body");
        clock.await_body();
        assert_eq!(clock.deadline(&TIMEOUTS), Some(start + 11 * S));
        clock.complete();
        assert_eq!(clock.deadline(&TIMEOUTS), None);
        clock.received(b"GET", start + 3 * S);
        assert_eq!(
            clock.deadline(&TIMEOUTS),
            None,
            "the request before it is being served"
        );
        clock.served();
        assert_eq!(clock.deadline(&TIMEOUTS), None);
        clock.received(b"GET", start + 60 * S);
        assert_eq!(clock.deadline(&TIMEOUTS), Some(start + 65 * S));
    }
}
