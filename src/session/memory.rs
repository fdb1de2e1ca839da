//! A session's share of `--max-buffered`: the bytes of messages that are incomplete and of replies that are
//! not written.

use std::cell::Cell;

use crate::admission::Reservation;

/// A reply of at least this many bytes reserves its memory before it is made. Smaller replies are counted
/// once they cannot be written: a session stops reading when 64 KiB are unwritten.
const LARGE_REPLY: usize = 64 * 1024;

/// The memory that one session holds, in bytes.
#[derive(Debug)]
pub(crate) struct SessionMemory {
    reservation: Reservation,
    /// Incomplete messages, and messages whose replies are delayed.
    input: Cell<usize>,
    /// Frames that could not be written.
    unwritten: Cell<usize>,
}

impl SessionMemory {
    pub(crate) fn new(reservation: Reservation) -> Self {
        Self {
            reservation,
            input: Cell::default(),
            unwritten: Cell::default(),
        }
    }

    /// Sets the number of bytes of incomplete and of delayed messages. Returns whether the session is within
    /// the budget.
    pub(super) fn set_input(&self, bytes: usize) -> bool {
        self.input.set(bytes);
        self.settle(0)
    }

    /// Sets the number of unwritten bytes. Returns whether the session is within the budget.
    pub(crate) fn set_unwritten(&self, bytes: usize) -> bool {
        self.unwritten.set(bytes);
        self.settle(0)
    }

    /// Returns whether the budget has room for the reply to a message of this many bytes. A small reply
    /// always has room.
    pub(super) fn has_room_for(&self, bytes: usize) -> bool {
        bytes < LARGE_REPLY || self.settle(bytes)
    }

    fn settle(&self, reply: usize) -> bool {
        // Not the sum of both: the message is part of `input`, and is dropped once its reply is made.
        let held = self.input.get().max(reply) + self.unwritten.get();
        self.reservation.resize(held).is_ok()
    }
}
