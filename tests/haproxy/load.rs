//! Clients that are busy all the time, and come back when their connection ends.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
};

use futures_util::{SinkExt as _, StreamExt as _, future::join_all};
use tokio::{net::TcpStream, sync::watch, task::JoinHandle};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest as _},
};

use crate::{
    site::{self, Site},
    support::in_time,
};

/// Messages of one client that are on their way at once: some are whenever its server is told to stop.
const IN_FLIGHT: usize = 8;

/// How a connection ended that a client did not end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broken {
    Close(u16, String),
    WithoutAClose,
}

/// What all clients have seen.
pub(crate) struct Seen {
    pub(crate) broken: Vec<Broken>,
    pub(crate) replies_of_a: u64,
}

/// What the test sees of a client while it runs.
#[derive(Default)]
struct Shown {
    /// Its connection, or the last one, answered as a.
    at_a: AtomicBool,
    replies: AtomicU64,
}

pub(crate) struct Crowd {
    shown: Vec<Arc<Shown>>,
    clients: Vec<JoinHandle<Client>>,
    leave: watch::Sender<bool>,
    /// Something has changed in `shown`.
    progress: watch::Receiver<()>,
}

impl Crowd {
    pub(crate) async fn connect(site: &Site, count: usize) -> Self {
        let (leave, leaving) = watch::channel(false);
        let (changed, progress) = watch::channel(());
        let mut shown = Vec::new();
        let mut clients = Vec::new();
        for _ in 0..count {
            let mine = Arc::new(Shown::default());
            shown.push(mine.clone());
            let client = Client {
                proxy: site.addr(),
                shown: mine,
                changed: changed.clone(),
                seen: Seen {
                    broken: Vec::new(),
                    replies_of_a: 0,
                },
            };
            clients.push(tokio::spawn(client.run(leaving.clone())));
        }
        Self {
            shown,
            clients,
            leave,
            progress,
        }
    }

    async fn until(&mut self, what: &str, holds: impl Fn(&[Arc<Shown>]) -> bool) {
        in_time(what, async {
            while !holds(&self.shown) {
                self.progress.changed().await.expect("a client runs");
            }
        })
        .await;
    }

    /// Waits until each client has had so many replies more.
    pub(crate) async fn rounds(&mut self, replies: u64) {
        let goals: Vec<_> = self
            .shown
            .iter()
            .map(|one| one.replies.load(SeqCst) + replies)
            .collect();
        self.until("replies for everybody", |shown| {
            shown
                .iter()
                .zip(&goals)
                .all(|(one, goal)| one.replies.load(SeqCst) >= *goal)
        })
        .await;
    }

    pub(crate) async fn until_none_is_at_a(&mut self) {
        self.until("everybody to leave a", |shown| {
            !shown.iter().any(|one| one.at_a.load(SeqCst))
        })
        .await;
    }

    /// How many are at a, and how many are not.
    pub(crate) fn split(&self) -> (usize, usize) {
        let at_a = self.shown.iter().filter(|one| one.at_a.load(SeqCst)).count();
        (at_a, self.shown.len() - at_a)
    }

    /// Lets every client finish, and gives what they have seen.
    pub(crate) async fn leave(self) -> Seen {
        self.leave.send(true).unwrap();
        let mut all = Seen {
            broken: Vec::new(),
            replies_of_a: 0,
        };
        for client in in_time("the clients to finish", join_all(self.clients)).await {
            let seen = client.expect("a client has failed").seen;
            all.broken.extend(seen.broken);
            all.replies_of_a += seen.replies_of_a;
        }
        all
    }
}

struct Client {
    proxy: SocketAddr,
    shown: Arc<Shown>,
    changed: watch::Sender<()>,
    seen: Seen,
}

impl Client {
    async fn run(mut self, mut leaving: watch::Receiver<bool>) -> Self {
        loop {
            match self.session(&mut leaving).await {
                None => return self,
                Some(broken) => self.seen.broken.push(broken),
            }
        }
    }

    /// One connection, until told to leave or until it breaks.
    async fn session(&mut self, leaving: &mut watch::Receiver<bool>) -> Option<Broken> {
        let request = format!("ws://{}/", self.proxy).into_client_request().unwrap();
        let stream = site::connect(self.proxy).await;
        // Whatever happens behind the proxy, a handshake is never refused.
        let (mut socket, _) = in_time("the handshake", tokio_tungstenite::client_async(request, stream))
            .await
            .expect("a handshake was refused");
        for _ in 0..IN_FLIGHT {
            if socket.send(Message::text("message")).await.is_err() {
                return Some(end(&mut socket, self).await);
            }
        }
        loop {
            let next = tokio::select! {
                next = socket.next() => next,
                _ = leaving.changed() => {
                    let _ = socket.send(Message::Close(None)).await;
                    end(&mut socket, self).await;
                    return None;
                }
            };
            match next {
                Some(Ok(Message::Text(reply))) => {
                    self.count(&reply);
                    if socket.send(Message::text("message")).await.is_err() {
                        return Some(end(&mut socket, self).await);
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(Some(close)))) => {
                    let broken = Broken::Close(close.code.into(), close.reason.to_string());
                    end(&mut socket, self).await;
                    return Some(broken);
                }
                Some(Ok(other)) => panic!("{other:?}"),
                Some(Err(_)) | None => return Some(Broken::WithoutAClose),
            }
        }
    }

    fn count(&mut self, reply: &str) {
        let at_a = reply.starts_with("a message,");
        assert!(at_a || reply.starts_with("b message,"), "{reply}");
        self.seen.replies_of_a += u64::from(at_a);
        self.shown.at_a.store(at_a, SeqCst);
        self.shown.replies.fetch_add(1, SeqCst);
        let _ = self.changed.send(());
    }
}

/// Reads to the end of a connection on which nothing more is sent: replies may still come before a Close.
async fn end(socket: &mut WebSocketStream<TcpStream>, client: &mut Client) -> Broken {
    let mut broken = Broken::WithoutAClose;
    loop {
        match in_time("the end of a connection", socket.next()).await {
            Some(Ok(Message::Text(reply))) => client.count(&reply),
            Some(Ok(Message::Close(Some(close)))) => {
                broken = Broken::Close(close.code.into(), close.reason.to_string());
            }
            Some(Ok(_)) => {}
            Some(Err(tungstenite::Error::ConnectionClosed)) | None => return broken,
            Some(Err(_)) => return broken,
        }
    }
}
