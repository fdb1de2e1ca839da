//! The server's view of a connection, for watchers that have the key that its client chose.
//!
//! A connection never waits for a watcher: each watcher has a bounded queue, and events that do not fit are counted.

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
    /// The `handshake` event of each open connection, which a new watcher receives first.
    handshakes: BTreeMap<u64, Arc<WatchEvent>>,
}

#[derive(Debug)]
struct Watcher {
    id: u64,
    sender: Sender<Arc<WatchEvent>>,
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

/// The data of the `handshake` event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Handshake<'h> {
    pub(crate) connection: u64,
    /// Milliseconds since the Unix epoch.
    pub(crate) at: u64,
    pub(crate) peer: String,
    pub(crate) path: &'h str,
    pub(crate) subprotocol: Option<&'h str>,
    pub(crate) extensions: Option<String>,
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
            lost: 0,
        };
        for handshake in inner.handshakes.values() {
            watcher.publish(handshake);
        }
        let id = watcher.id;
        inner.watchers.push(watcher);
        channel.watched.store(inner.watchers.len(), Ordering::Relaxed);
        drop(inner);
        drop(channels);
        Ok(WatchStream {
            receiver,
            id,
            channel,
            key,
            hub: Arc::clone(self),
        })
    }

    /// Publishes a connection to the watchers of its key.
    pub(crate) fn publish_connection(
        self: &Arc<Self>,
        key: &WatchKey,
        handshake: &Handshake<'_>,
    ) -> WatchedConnection {
        let mut channels = lock(&self.channels);
        let channel = Arc::clone(channels.entry(key.clone()).or_default());
        let opened = event("handshake", handshake);
        let mut inner = lock(&channel.inner);
        inner.handshakes.insert(handshake.connection, Arc::clone(&opened));
        inner.publish(&opened);
        drop(inner);
        drop(channels);
        WatchedConnection {
            connection: handshake.connection,
            channel,
            key: key.clone(),
            hub: Arc::clone(self),
            end: None,
        }
    }

    /// Removes a key that has neither a connection nor a watcher.
    fn tidy(&self, key: &WatchKey) {
        let mut channels = lock(&self.channels);
        let unused = channels.get(key).is_some_and(|channel| {
            let inner = lock(&channel.inner);
            inner.watchers.is_empty() && inner.handshakes.is_empty()
        });
        if unused {
            channels.remove(key);
        }
    }
}

/// Locks a mutex. A poisoned lock is used as before: no panic is possible between two changes that belong together.
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
    fn publish(&mut self, event: &Arc<WatchEvent>) {
        if self.lost > 0 {
            match self
                .sender
                .try_send(self::event("lost", &Lost { count: self.lost }))
            {
                Ok(()) => self.lost = 0,
                Err(_) => {
                    self.lost += 1;
                    return;
                }
            }
        }
        if let Err(TrySendError::Full(_)) = self.sender.try_send(Arc::clone(event)) {
            self.lost += 1;
        }
    }
}

/// A watcher's end of its queue. Dropping it removes the watcher.
#[derive(Debug)]
pub(crate) struct WatchStream {
    receiver: Receiver<Arc<WatchEvent>>,
    id: u64,
    channel: Arc<Channel>,
    key: WatchKey,
    hub: Arc<WatchHub>,
}

impl WatchStream {
    /// Returns the next event.
    pub(crate) async fn next(&mut self) -> Option<Arc<WatchEvent>> {
        self.receiver.recv().await
    }

    /// Returns the next event if one waits.
    #[cfg(test)]
    pub(crate) fn try_next(&mut self) -> Option<Arc<WatchEvent>> {
        self.receiver.try_recv().ok()
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
        self.hub.tidy(&self.key);
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

/// Publishes the frames of one connection.
#[derive(Debug, Clone)]
pub(crate) struct FramePublisher {
    connection: u64,
    channel: Arc<Channel>,
}

impl WatchedConnection {
    pub(crate) fn frame_publisher(&self) -> FramePublisher {
        FramePublisher {
            connection: self.connection,
            channel: Arc::clone(&self.channel),
        }
    }

    /// Sets the `end` event. Dropping the connection publishes it, because the last frames are not written yet.
    pub(super) fn end(&mut self, end: &End<'_>) {
        self.end = Some(event("end", end));
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
        inner.handshakes.remove(&self.connection);
        if let Some(end) = &self.end {
            inner.publish(end);
        }
        drop(inner);
        self.hub.tidy(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> WatchKey {
        WatchKey::new("0123456789abcdef").unwrap()
    }

    fn handshake(connection: u64) -> Handshake<'static> {
        Handshake {
            connection,
            at: 1,
            peer: String::new(),
            path: "/",
            subprotocol: None,
            extensions: None,
        }
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
    fn both_connections_of_a_key_are_shown_to_who_comes_before_and_to_who_comes_later() {
        let hub = Arc::new(WatchHub::default());
        let mut before = hub.watch(key()).unwrap();
        let mut first = hub.publish_connection(&key(), &handshake(1));
        let _second = hub.publish_connection(&key(), &handshake(2));
        let mut later = hub.watch(key()).unwrap();
        first.end(&end(1));
        drop(first);
        for watching in [&mut before, &mut later] {
            for (name, start) in [
                ("handshake", "{\"connection\":1,"),
                ("handshake", "{\"connection\":2,"),
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
    fn nobody_without_the_key_sees_anything() {
        let hub = Arc::new(WatchHub::default());
        let mut other = hub.watch(WatchKey::new("0123456789abcdeF").unwrap()).unwrap();
        drop(hub.publish_connection(&key(), &handshake(1)));
        assert!(other.try_next().is_none());
    }

    #[test]
    fn a_slow_watcher_loses_events_and_is_told_how_many() {
        let hub = Arc::new(WatchHub::default());
        let mut slow = hub.watch(key()).unwrap();
        let shown: Vec<_> = (0..QUEUE as u64 + 5)
            .map(|id| hub.publish_connection(&key(), &handshake(id)))
            .collect();
        for _ in 0..QUEUE {
            assert!(slow.try_next().is_some());
        }
        assert!(slow.try_next().is_none());
        let _one_more = hub.publish_connection(&key(), &handshake(9999));
        let lost = slow.try_next().unwrap();
        assert_eq!((lost.name, &*lost.data), ("lost", "{\"count\":5}"));
        assert!(slow.try_next().unwrap().data.contains("\"connection\":9999"));
        drop(shown);
    }

    #[test]
    fn a_key_that_nobody_uses_is_forgotten_and_watchers_have_a_bound() {
        let hub = Arc::new(WatchHub::default());
        let watching: Vec<_> = (0..MAX_WATCHERS).map(|_| hub.watch(key()).unwrap()).collect();
        assert!(hub.watch(key()).is_err());
        let shown = hub.publish_connection(&key(), &handshake(1));
        drop(watching);
        assert_eq!(lock(&hub.channels).len(), 1);
        drop(shown);
        assert_eq!(lock(&hub.channels).len(), 0);
    }
}
