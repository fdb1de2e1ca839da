//! A session's share of `--max-buffered`: what it holds of messages and replies that are not complete or not written.

use std::cell::Cell;

use crate::admission::Reservation;

/// A reply of at least this many bytes asks for its memory before it is made. Smaller ones are counted if they cannot be written:
/// a session stops reading when 64 KiB wait.
const LARGE_REPLY: usize = 64 * 1024;

/// What one session holds, in bytes.
#[derive(Debug)]
pub(crate) struct SessionMemory {
    reservation: Reservation,
    /// Messages that are not complete, and those whose replies are delayed.
    input: Cell<usize>,
    /// Frames that could not be written.
    unwritten: Cell<usize>,
    exceeded: Cell<bool>,
}

impl SessionMemory {
    pub(crate) fn new(reservation: Reservation) -> Self {
        Self {
            reservation,
            input: Cell::default(),
            unwritten: Cell::default(),
            exceeded: Cell::default(),
        }
    }

    pub(super) fn set_input(&self, bytes: usize) {
        if self.input.replace(bytes) != bytes {
            self.settle(0);
        }
    }

    /// Returns whether the session may go on.
    pub(crate) fn set_unwritten(&self, bytes: usize) -> bool {
        self.unwritten.set(bytes);
        self.settle(0);
        !self.exceeded.get()
    }

    /// Whether there is memory for the reply to a message of so many bytes.
    pub(super) fn has_room_for(&self, bytes: usize) -> bool {
        if bytes >= LARGE_REPLY {
            self.settle(bytes);
        }
        !self.exceeded.get()
    }

    /// Whether all sessions together hold as much as they may, and this one has asked for more.
    pub(super) fn is_exceeded(&self) -> bool {
        self.exceeded.get()
    }

    fn settle(&self, reply: usize) {
        // The message that is replied to was counted while it was not complete, and is released with its reply.
        let held = self.input.get().max(reply) + self.unwritten.get();
        if self.reservation.resize(held).is_err() {
            self.exceeded.set(true);
        }
    }
}
