//! Clients that send messages all the time, and reconnect when their connection ends.

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

/// Number of messages of a client without a reply at any time, so that its server has some when it gets the signal.
const IN_FLIGHT: usize = 8;

/// The end of a connection by the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Close(u16, String),
    WithoutClose,
}

/// The result of one client or of all clients.
#[derive(Default)]
pub(crate) struct Summary {
    pub(crate) ends: Vec<End>,
    pub(crate) replies_of_a: u64,
}

/// The progress of a client that runs.
#[derive(Default)]
struct Progress {
    /// Whether the last reply was from a.
    at_a: AtomicBool,
    replies: AtomicU64,
}

/// The clients and their progress.
pub(crate) struct Clients {
    progress: Vec<Arc<Progress>>,
    tasks: Vec<JoinHandle<Client>>,
    stop: watch::Sender<bool>,
    /// Notifies of each change in `progress`.
    changed: watch::Receiver<()>,
}

impl Clients {
    pub(crate) async fn connect(site: &Site, count: usize) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (sender, changed) = watch::channel(());
        let mut progress = Vec::new();
        let mut tasks = Vec::new();
        for _ in 0..count {
            let client = Client {
                proxy: site.addr(),
                progress: Arc::default(),
                changed: sender.clone(),
                summary: Summary::default(),
            };
            progress.push(Arc::clone(&client.progress));
            tasks.push(tokio::spawn(client.run(stopped.clone())));
        }
        Self {
            progress,
            tasks,
            stop,
            changed,
        }
    }

    async fn until(&mut self, what: &str, condition: impl Fn(&[Arc<Progress>]) -> bool) {
        in_time(what, async {
            while !condition(&self.progress) {
                self.changed.changed().await.expect("a client runs");
            }
        })
        .await;
    }

    /// Waits until each client has received this number of further replies.
    pub(crate) async fn rounds(&mut self, replies: u64) {
        let goals: Vec<_> = self
            .progress
            .iter()
            .map(|client| client.replies.load(SeqCst) + replies)
            .collect();
        self.until("replies to each client", |progress| {
            progress
                .iter()
                .zip(&goals)
                .all(|(client, goal)| client.replies.load(SeqCst) >= *goal)
        })
        .await;
    }

    pub(crate) async fn until_none_is_at_a(&mut self) {
        self.until("no client at a", |progress| {
            !progress.iter().any(|client| client.at_a.load(SeqCst))
        })
        .await;
    }

    /// Returns the number of clients at a, and at other replicas.
    pub(crate) fn split(&self) -> (usize, usize) {
        let at_a = self
            .progress
            .iter()
            .filter(|client| client.at_a.load(SeqCst))
            .count();
        (at_a, self.progress.len() - at_a)
    }

    /// Stops the clients after their pending replies, and returns their result.
    pub(crate) async fn stop(self) -> Summary {
        self.stop.send(true).unwrap();
        let mut all = Summary::default();
        for client in in_time("the clients to finish", join_all(self.tasks)).await {
            let summary = client.expect("a client has failed").summary;
            all.ends.extend(summary.ends);
            all.replies_of_a += summary.replies_of_a;
        }
        all
    }
}

struct Client {
    proxy: SocketAddr,
    progress: Arc<Progress>,
    changed: watch::Sender<()>,
    summary: Summary,
}

impl Client {
    async fn run(mut self, mut stopped: watch::Receiver<bool>) -> Self {
        loop {
            match self.session(&mut stopped).await {
                None => return self,
                Some(end) => self.summary.ends.push(end),
            }
        }
    }

    /// Runs one connection until the client is stopped, or until the server ends the connection.
    async fn session(&mut self, stopped: &mut watch::Receiver<bool>) -> Option<End> {
        let request = format!("ws://{}/", self.proxy).into_client_request().unwrap();
        let stream = site::connect(self.proxy).await;
        // The proxy never refuses a handshake while one replica is ready.
        let (mut socket, _) = in_time("the handshake", tokio_tungstenite::client_async(request, stream))
            .await
            .expect("a handshake was refused");
        for _ in 0..IN_FLIGHT {
            if socket.send(Message::text("message")).await.is_err() {
                return Some(read_to_end(&mut socket, self).await);
            }
        }
        loop {
            let next = tokio::select! {
                next = socket.next() => next,
                _ = stopped.changed() => {
                    let _ = socket.send(Message::Close(None)).await;
                    read_to_end(&mut socket, self).await;
                    return None;
                }
            };
            match next {
                Some(Ok(Message::Text(reply))) => {
                    self.count(&reply);
                    if socket.send(Message::text("message")).await.is_err() {
                        return Some(read_to_end(&mut socket, self).await);
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(Some(close)))) => {
                    let end = End::Close(close.code.into(), close.reason.to_string());
                    read_to_end(&mut socket, self).await;
                    return Some(end);
                }
                Some(Ok(other)) => panic!("{other:?}"),
                Some(Err(_)) | None => return Some(End::WithoutClose),
            }
        }
    }

    fn count(&mut self, reply: &str) {
        let at_a = reply.starts_with("a message,");
        assert!(at_a || reply.starts_with("b message,"), "{reply}");
        self.summary.replies_of_a += u64::from(at_a);
        self.progress.at_a.store(at_a, SeqCst);
        self.progress.replies.fetch_add(1, SeqCst);
        let _ = self.changed.send(());
    }
}

/// Reads to the end of a connection on which the client sends no further messages. Counts the replies before a Close.
async fn read_to_end(socket: &mut WebSocketStream<TcpStream>, client: &mut Client) -> End {
    let mut end = End::WithoutClose;
    loop {
        match in_time("the end of a connection", socket.next()).await {
            Some(Ok(Message::Text(reply))) => client.count(&reply),
            Some(Ok(Message::Close(Some(close)))) => {
                end = End::Close(close.code.into(), close.reason.to_string());
            }
            Some(Ok(_)) => {}
            Some(Err(tungstenite::Error::ConnectionClosed)) | None => return end,
            Some(Err(_)) => return end,
        }
    }
}
