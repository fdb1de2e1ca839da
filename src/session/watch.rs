//! The server's own view of a connection, for whoever knows the key that its client chose.
//!
//! A connection never waits for a watcher: each watcher has a bounded queue, and what does not fit is counted.

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
use crate::wire::{
    frame,
    tap::{Direction, Passing, Seen},
};

/// Events that wait for one watcher at most.
const QUEUE: usize = 1024;
/// Watchers of one key at most.
const MAX_WATCHERS: usize = 8;

/// All keys that are watched, or that an open connection carries.
#[derive(Debug, Default)]
pub struct WatchHub {
    channels: Mutex<HashMap<WatchKey, Arc<Channel>>>,
}

/// One key's connections and watchers.
#[derive(Debug, Default)]
struct Channel {
    /// How many watch: read for every frame, so that nothing is made that nobody sees.
    watched: AtomicUsize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    watchers: Vec<Watcher>,
    last_watcher: u64,
    /// What is told of each open connection to a watcher who comes later.
    handshakes: BTreeMap<u64, Arc<str>>,
}

#[derive(Debug)]
struct Watcher {
    id: u64,
    sender: Sender<Arc<str>>,
    lost: u64,
}

/// As many as may watch a key do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TooManyWatchers;

/// A Server-Sent Event (HTML Standard, section 9.2.6): its name and its JSON in one line.
fn event(name: &str, data: &impl Serialize) -> Arc<str> {
    let mut event = String::new();
    // Numbers, strings and flags: nothing in it can fail.
    let json = serde_json::to_string(data).unwrap_or_default();
    let _ = write!(event, "event: {name}\ndata: {json}\n\n");
    event.into()
}

#[derive(Serialize)]
struct Lost {
    count: u64,
}

/// What is told of a connection's beginning.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Handshake<'h> {
    pub(super) connection: u64,
    /// Milliseconds since the Unix epoch.
    pub(super) at: u64,
    pub(super) peer: String,
    pub(super) path: &'h str,
    pub(super) subprotocol: Option<&'h str>,
    pub(super) extensions: Option<String>,
}

/// What is told of a frame.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FrameSeen<'f> {
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
    /// Payload bytes once inflated; the same where nothing was compressed.
    inflated: u64,
    /// The first 64 bytes of the payload, unmasked and inflated, in hexadecimal.
    start: String,
}

/// What is told of a connection's end.
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
    /// Watches a key, whether or not a connection carries it yet.
    pub(crate) fn watch(self: &Arc<Self>, key: WatchKey) -> Result<Watching, TooManyWatchers> {
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
            watcher.tell(handshake);
        }
        let id = watcher.id;
        inner.watchers.push(watcher);
        channel.watched.store(inner.watchers.len(), Ordering::Relaxed);
        drop(inner);
        drop(channels);
        Ok(Watching {
            receiver,
            id,
            channel,
            key,
            hub: Arc::clone(self),
        })
    }

    /// Shows a connection to whoever watches its key.
    pub(super) fn show(self: &Arc<Self>, key: &WatchKey, handshake: &Handshake<'_>) -> Shown {
        let mut channels = lock(&self.channels);
        let channel = Arc::clone(channels.entry(key.clone()).or_default());
        let told = event("handshake", handshake);
        let mut inner = lock(&channel.inner);
        inner.handshakes.insert(handshake.connection, Arc::clone(&told));
        inner.tell(&told);
        drop(inner);
        drop(channels);
        Shown {
            connection: handshake.connection,
            channel,
            key: key.clone(),
            hub: Arc::clone(self),
            end: None,
        }
    }

    /// Forgets a key that nobody carries or watches any more.
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

/// Each change of what is behind these locks is whole before anything in it can panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    fn tell(&mut self, told: &Arc<str>) {
        for watcher in &mut self.watchers {
            watcher.tell(told);
        }
    }
}

impl Watcher {
    fn tell(&mut self, told: &Arc<str>) {
        if self.lost > 0 {
            match self.sender.try_send(event("lost", &Lost { count: self.lost })) {
                Ok(()) => self.lost = 0,
                Err(_) => {
                    self.lost += 1;
                    return;
                }
            }
        }
        if let Err(TrySendError::Full(_)) = self.sender.try_send(Arc::clone(told)) {
            self.lost += 1;
        }
    }
}

/// A watcher's end of the queue; dropping it ends the watch.
#[derive(Debug)]
pub(crate) struct Watching {
    receiver: Receiver<Arc<str>>,
    id: u64,
    channel: Arc<Channel>,
    key: WatchKey,
    hub: Arc<WatchHub>,
}

impl Watching {
    /// The next event.
    pub(crate) async fn next(&mut self) -> Option<Arc<str>> {
        self.receiver.recv().await
    }

    /// The next event, where one is there.
    #[cfg(test)]
    pub(crate) fn try_next(&mut self) -> Option<Arc<str>> {
        self.receiver.try_recv().ok()
    }
}

impl Drop for Watching {
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
pub(super) struct Shown {
    connection: u64,
    channel: Arc<Channel>,
    key: WatchKey,
    hub: Arc<WatchHub>,
    end: Option<Arc<str>>,
}

/// What the wire's tap needs of it.
#[derive(Debug, Clone)]
pub(super) struct FrameTeller {
    connection: u64,
    channel: Arc<Channel>,
}

impl Shown {
    pub(super) fn frame_teller(&self) -> FrameTeller {
        FrameTeller {
            connection: self.connection,
            channel: Arc::clone(&self.channel),
        }
    }

    /// Says how the connection ended. It is told when this is dropped: the last frames are still on their way.
    pub(super) fn end(&mut self, end: &End<'_>) {
        self.end = Some(event("end", end));
    }
}

impl FrameTeller {
    /// Tells of a frame; nothing is made where nobody watches.
    pub(super) fn tell(&self, passing: &Passing<'_>, at: u64) {
        if self.channel.watched.load(Ordering::Relaxed) == 0 {
            return;
        }
        match passing {
            Passing::Frame(seen) => self.tell_frame(seen, at),
            Passing::Unseen(frames) => {
                for watcher in &mut lock(&self.channel.inner).watchers {
                    watcher.lost += frames;
                }
            }
        }
    }

    fn tell_frame(&self, seen: &Seen<'_>, at: u64) {
        let mut start = String::with_capacity(2 * seen.start.len());
        for byte in seen.start {
            let _ = write!(start, "{byte:02x}");
        }
        let header = &seen.header;
        let told = FrameSeen {
            connection: self.connection,
            at,
            direction: match seen.direction {
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
            inflated: seen.plain_len,
            start,
        };
        lock(&self.channel.inner).tell(&event("frame", &told));
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let mut inner = lock(&self.channel.inner);
        inner.handshakes.remove(&self.connection);
        if let Some(end) = &self.end {
            inner.tell(end);
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
        let mut first = hub.show(&key(), &handshake(1));
        let _second = hub.show(&key(), &handshake(2));
        let mut later = hub.watch(key()).unwrap();
        first.end(&end(1));
        drop(first);
        for watching in [&mut before, &mut later] {
            for said in [
                "handshake\ndata: {\"connection\":1",
                "handshake\ndata: {\"connection\":2",
                "end\ndata: {\"connection\":1",
            ] {
                assert!(watching.try_next().unwrap().contains(said), "{said}");
            }
            assert!(watching.try_next().is_none());
        }
    }

    #[test]
    fn nobody_without_the_key_sees_anything() {
        let hub = Arc::new(WatchHub::default());
        let mut other = hub.watch(WatchKey::new("0123456789abcdeF").unwrap()).unwrap();
        drop(hub.show(&key(), &handshake(1)));
        assert!(other.try_next().is_none());
    }

    #[test]
    fn a_slow_watcher_loses_events_and_is_told_how_many() {
        let hub = Arc::new(WatchHub::default());
        let mut slow = hub.watch(key()).unwrap();
        let shown: Vec<_> = (0..QUEUE as u64 + 5)
            .map(|id| hub.show(&key(), &handshake(id)))
            .collect();
        for _ in 0..QUEUE {
            assert!(slow.try_next().is_some());
        }
        assert!(slow.try_next().is_none());
        let _one_more = hub.show(&key(), &handshake(9999));
        assert_eq!(&*slow.try_next().unwrap(), "event: lost\ndata: {\"count\":5}\n\n");
        assert!(slow.try_next().unwrap().contains("\"connection\":9999"));
        drop(shown);
    }

    #[test]
    fn a_key_that_nobody_uses_is_forgotten_and_watchers_have_a_bound() {
        let hub = Arc::new(WatchHub::default());
        let watching: Vec<_> = (0..MAX_WATCHERS).map(|_| hub.watch(key()).unwrap()).collect();
        assert!(hub.watch(key()).is_err());
        let shown = hub.show(&key(), &handshake(1));
        drop(watching);
        assert_eq!(lock(&hub.channels).len(), 1);
        drop(shown);
        assert_eq!(lock(&hub.channels).len(), 0);
    }
}
