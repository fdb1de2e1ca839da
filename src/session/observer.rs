//! The observer of a session's frames: it counts them, and publishes them to watchers.

use super::{clock::now_ms, watch::FramePublisher};
use crate::{
    metrics::{Counters, FrameKind, LocalCounters, MessageType, Traffic},
    protocol::{DataKind, Direction, Observer, TapEvent},
};

/// Counts frames and messages, and publishes frames if the connection is watched.
#[derive(Debug, Clone)]
pub(crate) struct SessionObserver {
    counters: LocalCounters,
    /// None if the client has chosen no watch key.
    publisher: Option<Box<FramePublisher>>,
}

impl SessionObserver {
    pub(crate) fn new(counters: LocalCounters, publisher: Option<FramePublisher>) -> Self {
        Self {
            counters,
            publisher: publisher.map(Box::new),
        }
    }
}

fn traffic(counters: &Counters, direction: Direction) -> &Traffic {
    match direction {
        Direction::Received => &counters.received,
        Direction::Sent => &counters.sent,
    }
}

fn message_type(kind: DataKind) -> usize {
    match kind {
        DataKind::Text => MessageType::Text.index(),
        DataKind::Binary => MessageType::Binary.index(),
    }
}

impl Observer for SessionObserver {
    fn taps(&self) -> bool {
        self.publisher.is_some()
    }

    fn on_tap(&self, event: &TapEvent<'_>) {
        if let Some(publisher) = &self.publisher {
            publisher.publish(event, now_ms());
        }
    }

    fn on_frames(&self, direction: Direction, opcode: u8, count: u64) {
        let kind = FrameKind::of(opcode).index();
        self.counters
            .add(|counters| &traffic(counters, direction).frames[kind], count);
    }

    fn on_message(&self, direction: Direction, kind: DataKind, bytes: usize) {
        let kind = message_type(kind);
        self.counters
            .count(|counters| &traffic(counters, direction).messages[kind]);
        self.counters
            .add(|counters| &traffic(counters, direction).bytes[kind], bytes as u64);
    }

    fn on_compressed(&self, direction: Direction, plain: usize, wire: usize) {
        self.counters.add(
            |counters| &traffic(counters, direction).deflate_plain,
            plain as u64,
        );
        self.counters.add(
            |counters| &traffic(counters, direction).deflate_compressed,
            wire as u64,
        );
    }
}
