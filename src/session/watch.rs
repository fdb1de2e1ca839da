//! The events of a connection for its watchers, the HTTP clients of `/watch/{key}` with the key in its URL.
//!
//! A connection never waits for a watcher: each watcher has a bounded queue, and events that do not fit are
//! counted.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde::Serialize;
use tokio::sync::mpsc::{self, Receiver, Sender, error::TrySendError};

use super::behaviour::WatchKey;
use crate::protocol::{Direction, ObservedFrame, TapEvent, frame};

/// Maximum number of events that wait for one watcher.
const QUEUE: usize = 1024;
/// Maximum bytes of the events that wait for one watcher. 1,024 `frame` events have half of it, `handshake`
/// events can have more.
const QUEUE_BYTES: usize = 1024 * 1024;
/// Maximum number of watchers of one key.
const MAX_WATCHERS: usize = 8;

/// All keys that have a watcher or an open connection.
#[derive(Debug, Default)]
pub struct WatchHub {
    channels: Mutex<HashMap<WatchKey, Arc<Channel>>>,
}

/// One key's connections and watchers.
#[derive(Debug, Default)]
struct Channel {
    /// Number of watchers. Each frame reads it first, so that no event is made without a watcher.
    watched: AtomicUsize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    watchers: Vec<Watcher>,
    last_watcher: u64,
    /// The open connections by number, and the `handshake` event of each, which a new watcher receives first.
    /// `None` until the response is written.
    connections: BTreeMap<u64, Option<Arc<WatchEvent>>>,
}

#[derive(Debug)]
struct Watcher {
    id: u64,
    sender: Sender<Arc<WatchEvent>>,
    /// Bytes of the events in the queue.
    queued: Arc<AtomicUsize>,
    lost: u64,
}

/// The key has [`MAX_WATCHERS`] watchers already.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TooManyWatchers;

/// An event for watchers.
#[derive(Debug)]
pub(crate) struct WatchEvent {
    /// `handshake`, `frame`, `end` or `lost`.
    pub(crate) name: &'static str,
    /// A JSON object on one line.
    pub(crate) data: String,
}

fn event(name: &'static str, data: &impl Serialize) -> Arc<WatchEvent> {
    // Numbers, strings and booleans: serialisation cannot fail.
    let data = serde_json::to_string(data).unwrap_or_default();
    Arc::new(WatchEvent { name, data })
}

#[derive(Serialize)]
struct Lost {
    count: u64,
}

/// The data of the `frame` event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FrameEvent<'f> {
    connection: u64,
    at: u64,
    direction: &'static str,
    opcode: u8,
    name: &'f str,
    fin: bool,
    rsv: [bool; 3],
    masked: bool,
    /// Payload bytes on the wire.
    length: u64,
    /// Payload bytes after decompression.
    inflated: u64,
    /// The first 64 bytes of the payload, unmasked and decompressed, in hexadecimal.
    start: String,
    /// The bytes of the header, in hexadecimal.
    header: String,
    /// In hexadecimal. Absent if the frame is not masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    masking_key: Option<String>,
    /// The first 64 bytes of the payload on the wire, unmasked and not decompressed, in hexadecimal.
    wire_start: String,
}

/// The data of the `end` event.
#[derive(Debug, Serialize)]
pub(super) struct End<'e> {
    pub(super) connection: u64,
    pub(super) at: u64,
    pub(super) code: u16,
    pub(super) by: &'static str,
    pub(super) reason: &'e str,
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

impl WatchHub {
    /// Adds a watcher of a key. The key need not have a connection yet.
    pub(crate) fn watch(self: &Arc<Self>, key: WatchKey) -> Result<WatchStream, TooManyWatchers> {
        let mut channels = lock(&self.channels);
        let channel = Arc::clone(channels.entry(key.clone()).or_default());
        let mut inner = lock(&channel.inner);
        if inner.watchers.len() >= MAX_WATCHERS {
            return Err(TooManyWatchers);
        }
        let (sender, receiver) = mpsc::channel(QUEUE);
        inner.last_watcher += 1;
        let mut watcher = Watcher {
            id: inner.last_watcher,
            sender,
            queued: Arc::default(),
            lost: 0,
        };
        for handshake in inner.connections.values().flatten() {
            watcher.publish(handshake);
        }
        let id = watcher.id;
        let queued = Arc::clone(&watcher.queued);
        inner.watchers.push(watcher);
        channel.watched.store(inner.watchers.len(), Ordering::Relaxed);
        drop(inner);
        drop(channels);
        Ok(WatchStream {
            receiver,
            queued,
            id,
            channel,
            key,
            hub: Arc::clone(self),
        })
    }

    /// Adds a connection to those of its key. Dropping the result removes it.
    pub(crate) fn add_connection(self: &Arc<Self>, key: &WatchKey, connection: u64) -> WatchedConnection {
        let mut channels = lock(&self.channels);
        let channel = Arc::clone(channels.entry(key.clone()).or_default());
        lock(&channel.inner).connections.insert(connection, None);
        drop(channels);
        WatchedConnection {
            connection,
            channel,
            key: key.clone(),
            hub: Arc::clone(self),
            end: None,
        }
    }

    /// Removes a key that has neither a connection nor a watcher.
    fn remove_unused(&self, key: &WatchKey) {
        let mut channels = lock(&self.channels);
        let unused = channels.get(key).is_some_and(|channel| {
            let inner = lock(&channel.inner);
            inner.watchers.is_empty() && inner.connections.is_empty()
        });
        if unused {
            channels.remove(key);
        }
    }
}

/// Locks a mutex. A poisoned lock is used as before: no panic is possible between two changes that belong
/// together.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    fn publish(&mut self, event: &Arc<WatchEvent>) {
        for watcher in &mut self.watchers {
            watcher.publish(event);
        }
    }
}

impl Watcher {
    /// Queues an event, after a `lost` event if some before it did not fit.
    fn publish(&mut self, event: &Arc<WatchEvent>) {
        if self.lost > 0 && self.queue(self::event("lost", &Lost { count: self.lost })) {
            self.lost = 0;
        }
        if self.lost > 0 || !self.queue(Arc::clone(event)) {
            self.lost += 1;
        }
    }

    /// Returns whether the event fits into the queue.
    fn queue(&self, event: Arc<WatchEvent>) -> bool {
        let bytes = event.data.len();
        // Only the lock's holder adds bytes. The stream subtracts an event's bytes after it has received the
        // event, so they must be in the sum before.
        if self.queued.load(Ordering::Relaxed) + bytes > QUEUE_BYTES {
            return false;
        }
        self.queued.fetch_add(bytes, Ordering::Relaxed);
        let queued = !matches!(self.sender.try_send(event), Err(TrySendError::Full(_)));
        if !queued {
            self.queued.fetch_sub(bytes, Ordering::Relaxed);
        }
        queued
    }
}

/// A watcher's end of its queue. Dropping it removes the watcher.
#[derive(Debug)]
pub(crate) struct WatchStream {
    receiver: Receiver<Arc<WatchEvent>>,
    queued: Arc<AtomicUsize>,
    id: u64,
    channel: Arc<Channel>,
    key: WatchKey,
    hub: Arc<WatchHub>,
}

impl WatchStream {
    /// Returns the next event.
    pub(crate) async fn next(&mut self) -> Option<Arc<WatchEvent>> {
        let event = self.receiver.recv().await;
        self.dequeued(event)
    }

    /// Returns the next event if one waits.
    #[cfg(test)]
    pub(crate) fn try_next(&mut self) -> Option<Arc<WatchEvent>> {
        let event = self.receiver.try_recv().ok();
        self.dequeued(event)
    }

    fn dequeued(&self, event: Option<Arc<WatchEvent>>) -> Option<Arc<WatchEvent>> {
        event.inspect(|event| {
            self.queued.fetch_sub(event.data.len(), Ordering::Relaxed);
        })
    }
}

impl Drop for WatchStream {
    fn drop(&mut self) {
        let mut inner = lock(&self.channel.inner);
        inner.watchers.retain(|watcher| watcher.id != self.id);
        self.channel
            .watched
            .store(inner.watchers.len(), Ordering::Relaxed);
        drop(inner);
        self.hub.remove_unused(&self.key);
    }
}

/// A connection that can be watched.
#[derive(Debug)]
pub(crate) struct WatchedConnection {
    connection: u64,
    channel: Arc<Channel>,
    key: WatchKey,
    hub: Arc<WatchHub>,
    end: Option<Arc<WatchEvent>>,
}

/// Publishes the `handshake` event of one connection.
#[derive(Debug)]
pub(crate) struct HandshakePublisher {
    connection: u64,
    channel: Arc<Channel>,
}

/// Publishes the frames of one connection.
#[derive(Debug, Clone)]
pub(crate) struct FramePublisher {
    connection: u64,
    channel: Arc<Channel>,
}

impl WatchedConnection {
    pub(crate) fn handshake_publisher(&self) -> HandshakePublisher {
        HandshakePublisher {
            connection: self.connection,
            channel: Arc::clone(&self.channel),
        }
    }

    pub(crate) fn frame_publisher(&self) -> FramePublisher {
        FramePublisher {
            connection: self.connection,
            channel: Arc::clone(&self.channel),
        }
    }

    /// Sets the `end` event. Dropping the connection publishes it, because the last frames are not written
    /// yet.
    pub(super) fn end(&mut self, end: &End<'_>) {
        self.end = Some(event("end", end));
    }
}

impl HandshakePublisher {
    /// Publishes the `handshake` event of a connection that is still open, also to later watchers.
    pub(crate) fn publish(self, handshake: &impl Serialize) {
        let mut inner = lock(&self.channel.inner);
        let opened = event("handshake", handshake);
        if let Some(connection) = inner.connections.get_mut(&self.connection) {
            *connection = Some(Arc::clone(&opened));
            inner.publish(&opened);
        }
    }
}

impl FramePublisher {
    /// Publishes a frame. Without a watcher, makes no event.
    pub(super) fn publish(&self, tapped: &TapEvent<'_>, at: u64) {
        if self.channel.watched.load(Ordering::Relaxed) == 0 {
            return;
        }
        match tapped {
            TapEvent::Frame(frame) => self.publish_frame(frame, at),
            TapEvent::Skipped(frames) => {
                for watcher in &mut lock(&self.channel.inner).watchers {
                    watcher.lost += frames;
                }
            }
        }
    }

    fn publish_frame(&self, observed: &ObservedFrame<'_>, at: u64) {
        let header = &observed.header;
        let data = FrameEvent {
            connection: self.connection,
            at,
            direction: match observed.direction {
                Direction::Received => "received",
                Direction::Sent => "sent",
            },
            opcode: header.opcode,
            name: match header.opcode {
                frame::CONTINUATION => "continuation",
                frame::TEXT => "text",
                frame::BINARY => "binary",
                frame::CLOSE => "close",
                frame::PING => "ping",
                frame::PONG => "pong",
                _ => "reserved",
            },
            fin: header.fin,
            rsv: [header.rsv & 4 != 0, header.rsv & 2 != 0, header.rsv & 1 != 0],
            masked: header.mask.is_some(),
            length: header.len,
            inflated: observed.plain_len,
            start: hex(observed.start),
            header: hex(observed.header_bytes),
            masking_key: header.mask.as_ref().map(|key| hex(key)),
            wire_start: hex(observed.wire_start),
        };
        lock(&self.channel.inner).publish(&event("frame", &data));
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a `String` cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

impl Drop for WatchedConnection {
    fn drop(&mut self) {
        let mut inner = lock(&self.channel.inner);
        inner.connections.remove(&self.connection);
        if let Some(end) = &self.end {
            inner.publish(end);
        }
        drop(inner);
        self.hub.remove_unused(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key() -> WatchKey {
        WatchKey::new("0123456789abcdef").unwrap()
    }

    /// Adds a connection and publishes a `handshake` event of this many bytes.
    fn publish_bytes(hub: &Arc<WatchHub>, connection: u64, bytes: usize) -> WatchedConnection {
        let watched = hub.add_connection(&key(), connection);
        let padding = bytes - json!([connection, ""]).to_string().len();
        let data = json!([connection, "x".repeat(padding)]);
        watched.handshake_publisher().publish(&data);
        watched
    }

    fn publish(hub: &Arc<WatchHub>, connection: u64) -> WatchedConnection {
        publish_bytes(hub, connection, 100)
    }

    fn end(connection: u64) -> End<'static> {
        End {
            connection,
            at: 2,
            code: 1000,
            by: "peer",
            reason: "",
            messages: 0,
            bytes: 0,
        }
    }

    #[test]
    fn earlier_and_later_watchers_receive_the_same_handshakes_of_all_connections() {
        let hub = Arc::new(WatchHub::default());
        let mut before = hub.watch(key()).unwrap();
        let mut first = publish(&hub, 1);
        let _second = publish(&hub, 2);
        let mut later = hub.watch(key()).unwrap();
        first.end(&end(1));
        drop(first);
        for watching in [&mut before, &mut later] {
            for (name, start) in [
                ("handshake", "[1,"),
                ("handshake", "[2,"),
                ("end", "{\"connection\":1,"),
            ] {
                let event = watching.try_next().unwrap();
                assert_eq!(event.name, name);
                assert!(event.data.starts_with(start), "{event:?}");
            }
            assert!(watching.try_next().is_none());
        }
    }

    #[test]
    fn a_watcher_of_another_key_receives_nothing() {
        let hub = Arc::new(WatchHub::default());
        let mut other = hub.watch(WatchKey::new("0123456789abcdeF").unwrap()).unwrap();
        drop(publish(&hub, 1));
        assert!(other.try_next().is_none());
    }

    #[test]
    fn a_slow_watcher_loses_events_and_receives_their_number() {
        let hub = Arc::new(WatchHub::default());
        let mut slow = hub.watch(key()).unwrap();
        let shown: Vec<_> = (0..QUEUE as u64 + 5).map(|id| publish(&hub, id)).collect();
        for _ in 0..QUEUE {
            assert!(slow.try_next().is_some());
        }
        assert!(slow.try_next().is_none());
        let _one_more = publish(&hub, 9999);
        let lost = slow.try_next().unwrap();
        assert_eq!((lost.name, &*lost.data), ("lost", "{\"count\":5}"));
        assert!(slow.try_next().unwrap().data.starts_with("[9999,"));
        drop(shown);
    }

    #[test]
    fn at_most_1_mib_of_events_waits_for_a_watcher() {
        let hub = Arc::new(WatchHub::default());
        let mut slow = hub.watch(key()).unwrap();
        let mut other = hub.watch(key()).unwrap();
        let large = |connection| publish_bytes(&hub, connection, QUEUE_BYTES / 2);
        let _three = [large(1), large(2), large(3)];
        assert!(slow.try_next().unwrap().data.starts_with("[1,"));
        let _one_more = publish(&hub, 4);
        for start in ["[2,", "{\"count\":1}", "[4,"] {
            assert!(slow.try_next().unwrap().data.starts_with(start));
        }
        // Each watcher has a queue of its own.
        for start in ["[1,", "[2,"] {
            assert!(other.try_next().unwrap().data.starts_with(start));
        }
        assert!(other.try_next().is_none());
    }

    #[test]
    fn a_connection_that_ends_before_its_response_has_no_event() {
        let hub = Arc::new(WatchHub::default());
        let mut watcher = hub.watch(key()).unwrap();
        let watched = hub.add_connection(&key(), 1);
        let publisher = watched.handshake_publisher();
        drop(watched);
        publisher.publish(&json!([1]));
        assert!(watcher.try_next().is_none());
        assert!(hub.watch(key()).unwrap().try_next().is_none());
        drop(watcher);
        assert_eq!(lock(&hub.channels).len(), 0);
    }

    #[test]
    fn an_unused_key_is_removed_and_a_key_has_at_most_8_watchers() {
        let hub = Arc::new(WatchHub::default());
        let watching: Vec<_> = (0..MAX_WATCHERS).map(|_| hub.watch(key()).unwrap()).collect();
        assert!(hub.watch(key()).is_err());
        let shown = publish(&hub, 1);
        drop(watching);
        assert_eq!(lock(&hub.channels).len(), 1);
        drop(shown);
        assert_eq!(lock(&hub.channels).len(), 0);
    }
}
