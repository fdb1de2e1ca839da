//! The servers under test and their clients.

pub(crate) mod check;
pub(crate) mod memory;
pub(crate) mod middle;
pub(crate) mod process;
pub(crate) mod raw;
pub(crate) mod system;
pub(crate) mod watcher;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_test::TestServer;
use actix_web::App;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest as _, handshake::client::Response},
};
use ws_echo::{
    config::Config,
    routes::{self, Shared},
};

use crate::project;
use raw::Raw;

/// The default prefix of stamped text replies.
pub(crate) const PREFIX: &str = "客户端发送的信息：";

/// The timeout of each step of a test. It is far longer than a step takes, so that no test fails on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Waits for `event`, and fails the test after the timeout. `what` names the event in the failure.
pub(crate) async fn in_time<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(TIMEOUT, event).await {
        Ok(output) => output,
        Err(_) => panic!("timed out waiting for {what}"),
    }
}

/// Waits until `condition` returns true. It polls, for conditions that wake no task.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    in_time(what, async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Threads that keep every processor busy until this value is dropped.
pub(crate) struct BusyMachine {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl BusyMachine {
    pub(crate) fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let processors = thread::available_parallelism().unwrap().get();
        let threads = (0..=processors).map(|_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        });
        Self {
            threads: threads.collect(),
            stop,
        }
    }
}

impl Drop for BusyMachine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Returns the current time in milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

/// The production routes on actix's test server.
pub(crate) struct Echo {
    server: TestServer,
    shared: Shared,
}

impl Echo {
    /// Starts a server with the default configuration.
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    /// Starts a server whose configuration `change` has changed.
    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            static_dir: Some(project::root().join("static")),
            ..Config::default()
        };
        change(&mut config);
        let shared = Shared::new(config);
        let mounted = shared.clone();
        let server = actix_test::start_with(actix_test::config().h1().workers(1), move || {
            let shared = mounted.clone();
            App::new().configure(move |service| routes::configure(service, &shared))
        });
        Self { server, shared }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    /// Returns the number of open sessions.
    pub(crate) fn open_sessions(&self) -> usize {
        self.shared.admission.open_sessions()
    }

    /// Drains the server as a signal does. It resolves when the process would exit.
    pub(crate) async fn drain(&self) {
        self.shared.admission.drain().await;
    }

    /// Opens a session with a client that reads and writes frames byte by byte.
    pub(crate) async fn raw(&self, path: &str) -> Raw {
        Raw::open(self.addr(), path, "").await.1
    }

    /// Opens a session with tungstenite, which shares no code with the server.
    pub(crate) async fn client(&self, path: &str) -> Client {
        self.client_with(path, &[]).await.0
    }

    /// Opens a session with tungstenite and additional header fields. Returns the response of the handshake, too.
    pub(crate) async fn client_with(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> (Client, Response) {
        let mut request = format!("ws://{}{path}", self.addr())
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(self.addr()).await.unwrap();
        let (socket, response) = in_time("the handshake", tokio_tungstenite::client_async(request, stream))
            .await
            .unwrap();
        (Client(socket), response)
    }
}

/// A tungstenite client.
pub(crate) struct Client(pub(crate) WebSocketStream<TcpStream>);

impl Client {
    pub(crate) async fn send(&mut self, message: impl Into<Message>) {
        in_time("room to send", self.0.send(message.into()))
            .await
            .unwrap();
    }

    /// Returns the next message of any type.
    pub(crate) async fn next(&mut self) -> Message {
        in_time("a message", self.0.next()).await.unwrap().unwrap()
    }

    /// Sends a message and returns the next message of the server.
    pub(crate) async fn exchange(&mut self, message: impl Into<Message>) -> Message {
        self.send(message).await;
        self.next().await
    }
}
