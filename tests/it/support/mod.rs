//! A server to talk to, and clients to talk with.

pub(crate) mod memory;
pub(crate) mod process;
pub(crate) mod raw;

use std::{
    net::SocketAddr,
    path::Path,
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

use raw::Raw;

/// What a stamped reply begins with unless the operator says otherwise.
pub(crate) const PREFIX: &str = "客户端发送的信息：";

/// The longest that anything here may take: far more than it does, so that a busy machine fails no test.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for `event`; one that never comes fails the test instead of hanging it.
pub(crate) async fn soon<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, event).await {
        Ok(done) => done,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// Waits until `holds`, for what changes without telling anybody.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    soon(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Threads that keep every processor busy until this is dropped.
pub(crate) struct BusyMachine {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl BusyMachine {
    pub(crate) fn start() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let processors = thread::available_parallelism().unwrap().get();
        let threads = (0..=processors).map(|_| {
            let over = Arc::clone(&over);
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        });
        Self {
            threads: threads.collect(),
            over,
        }
    }
}

impl Drop for BusyMachine {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

/// The routes of production on actix's test server.
pub(crate) struct Echo {
    server: TestServer,
    shared: Shared,
}

impl Echo {
    /// A server as it is without any flag.
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    /// A server whose operator changed something.
    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            static_dir: Path::new(env!("CARGO_MANIFEST_DIR")).join("static"),
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

    /// How many sessions the server counts.
    pub(crate) fn open(&self) -> usize {
        self.shared.admission.open_sessions()
    }

    /// Stops it as a signal would, up to where the process would end.
    pub(crate) async fn drain(&self) {
        self.shared.admission.drain().await;
    }

    /// A connection that speaks bytes.
    pub(crate) async fn raw(&self, path: &str) -> Raw {
        Raw::open(self.addr(), path, "").await.1
    }

    /// A client that shares no code with the server.
    pub(crate) async fn client(&self, path: &str) -> Client {
        self.client_with(path, &[]).await.0
    }

    /// The same with headers of its own, and the server's answer to the handshake.
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
        let (socket, response) = soon("the handshake", tokio_tungstenite::client_async(request, stream))
            .await
            .unwrap();
        (Client(socket), response)
    }
}

/// A tungstenite client.
pub(crate) struct Client(pub(crate) WebSocketStream<TcpStream>);

impl Client {
    pub(crate) async fn send(&mut self, message: impl Into<Message>) {
        soon("room to send", self.0.send(message.into())).await.unwrap();
    }

    /// The next message, whatever it is.
    pub(crate) async fn next(&mut self) -> Message {
        soon("a message", self.0.next()).await.unwrap().unwrap()
    }

    /// Sends a message and waits for what comes back.
    pub(crate) async fn ask(&mut self, message: impl Into<Message>) -> Message {
        self.send(message).await;
        self.next().await
    }
}
