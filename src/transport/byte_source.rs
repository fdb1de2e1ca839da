//! The input of a session: first the bytes that HTTP has read already, then those of the carrier.

use std::{
    fmt, io,
    num::NonZeroU32,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::dev::Payload;
use futures_core::{Stream as _, ready};
use tokio::io::ReadBuf;

use super::{carrier::Carrier, rate_limiter::RateLimiter};
use crate::protocol::ReadBuffer;

/// Largest read in bytes. Up to this many unparsed bytes may stay in a connection between two polls.
const READ: usize = 64 * 1024;

/// Largest read in bytes while a payload is incomplete, so that a large message takes fewer reads.
const LARGE_READ: usize = 256 * 1024;

/// The bytes of one connection in the order in which they arrived.
pub struct ByteSource {
    /// `None` once all of it is read.
    read_by_http: Option<Payload>,
    carrier: Carrier,
    /// The limit of `?read-rate=`. `None` without a limit, and once the session has ended or drains.
    limiter: Option<Box<RateLimiter>>,
    /// Whether the last read returned all bytes that were available.
    exhausted: bool,
}

impl fmt::Debug for ByteSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteSource")
            .field("carrier", &self.carrier)
            .field("exhausted", &self.exhausted)
            .finish_non_exhaustive()
    }
}

impl ByteSource {
    /// Creates a source that reads the request's `payload` to its end, and then `carrier`.
    /// It reads at most `rate` bytes a second. `None` is no limit.
    pub fn new(payload: Payload, carrier: Carrier, rate: Option<NonZeroU32>) -> Self {
        if rate.is_some() {
            carrier.limit_receive_buffer();
        }
        Self {
            limiter: rate.map(|rate| Box::new(RateLimiter::new(rate))),
            read_by_http: Some(payload),
            carrier,
            exhausted: false,
        }
    }

    /// Makes the next read skip the readiness check. To be called on each wake-up of the task, when bytes are usually ready.
    pub(super) fn on_wake(&mut self) {
        self.exhausted = false;
    }

    /// Makes later reads bypass tokio's readiness, see [`Carrier::bypass_readiness`].
    pub(super) fn bypass_readiness(&mut self) {
        self.remove_limit();
        self.carrier.bypass_readiness();
    }

    /// Removes the limit of [`Self::new`].
    pub(super) fn remove_limit(&mut self) {
        self.limiter = None;
    }

    /// Returns whether a read that is pending after [`Self::bypass_readiness`] shows that no bytes have arrived. It does not before
    /// HTTP's task has ended: HTTP may still have bytes that it has read.
    pub(super) fn pending_is_empty(&self) -> bool {
        match self.carrier {
            Carrier::Socket(_) => self.read_by_http.is_none(),
            Carrier::Body(_) => true,
        }
    }

    /// Appends the bytes that have arrived to `buffer` and returns their number, 0 at the end of the stream. `awaited` is the
    /// number of payload bytes that the current frame lacks.
    ///
    /// # Errors
    /// If the connection has failed.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuffer,
        awaited: u64,
    ) -> Poll<io::Result<usize>> {
        while let Some(payload) = &mut self.read_by_http {
            match ready!(Pin::new(payload).poll_next(cx)) {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(bytes)) => {
                    buffer.append(&bytes);
                    return Poll::Ready(Ok(bytes.len()));
                }
                // HTTP ends a payload with an error if it expected more bytes. The carrier reports whether the connection has
                // ended.
                Some(Err(_)) | None => self.read_by_http = None,
            }
        }
        let step = match &mut self.limiter {
            Some(limiter) => ready!(limiter.poll_step(cx)),
            None => LARGE_READ,
        };
        if self.exhausted {
            ready!(self.carrier.poll_readable(cx))?;
        }
        let size = usize::try_from(awaited)
            .unwrap_or(LARGE_READ)
            .clamp(READ, LARGE_READ)
            .min(step);
        let mut room = ReadBuf::new(buffer.room(size));
        ready!(self.carrier.poll_read(cx, &mut room))?;
        let read = room.filled().len();
        self.exhausted = room.remaining() > 0;
        buffer.commit(read);
        if let Some(limiter) = &mut self.limiter {
            limiter.pause(read);
        }
        Poll::Ready(Ok(read))
    }
}
