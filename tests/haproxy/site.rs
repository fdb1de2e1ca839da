//! Two servers, the name that stands for both, and HAProxy before them.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    os::fd::OwnedFd,
    process::Stdio,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::{TcpSocket, TcpStream, UdpSocket},
    process::{Child, Command},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

use crate::{
    port,
    support::{
        in_time,
        process::Process,
        raw::{Raw, upgrade},
    },
};

/// Where clients call from: not where HAProxy calls the servers from, which they trust.
pub(crate) const CLIENT: &str = "127.0.0.9";

const A: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const B: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
const C: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);

/// What the servers are called.
const NAME: &str = "echo.test";

/// What HAProxy says of a server.
const UP: &str = " is UP";
const DOWN: &str = " is DOWN";

pub(crate) struct Site {
    pub(crate) a: Process,
    _b: Process,
    port: u16,
    names: Names,
    proxy: HaProxy,
}

impl Site {
    /// Starts all of it, and waits until HAProxy sends clients to both.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// The same with servers that are told something more.
    pub(crate) async fn with(flags: &[&str]) -> Self {
        // One name has one port, so it has to be free on every address of the name.
        let port = port::free();
        let a = replica(A, port, "a", flags).await;
        let b = replica(B, port, "b", flags).await;
        let names = Names::start(vec![A, B]).await;
        let mut proxy = HaProxy::start(port, names.addr);
        proxy.says(2, UP).await;
        Self {
            a,
            _b: b,
            port,
            names,
            proxy,
        }
    }

    /// Starts it again once HAProxy has seen that it is gone: else there would be nothing to wait for.
    pub(crate) async fn restart_a(&mut self) {
        self.proxy.says(1, DOWN).await;
        self.a = replica(A, self.port, "a", &[]).await;
        self.proxy.says(1, UP).await;
    }

    pub(crate) async fn add_one_more(&mut self) -> Process {
        let c = replica(C, self.port, "c", &[]).await;
        self.names.known.lock().unwrap().push(C);
        self.proxy.says(1, UP).await;
        c
    }

    /// A TCP connection from a client to HAProxy.
    pub(crate) async fn connect(&self) -> TcpStream {
        connect(self.proxy.addr).await
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.proxy.addr
    }

    /// A session through HAProxy; `lines` are further lines of the request.
    pub(crate) async fn raw(&self, path: &str, lines: &str) -> Raw {
        let mut raw = Raw::new(self.connect().await);
        raw.send(upgrade(path, lines).as_bytes()).await;
        let head = raw.head().await;
        assert_eq!(head.status, 101, "{head:?}");
        raw
    }

    /// What a handshake is answered with.
    pub(crate) async fn handshake(&self, path: &str) -> u16 {
        self.status(&upgrade(path, "")).await
    }

    /// What a request is answered with.
    pub(crate) async fn get(&self, path: &str) -> u16 {
        self.status(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
            .await
    }

    async fn status(&self, request: &str) -> u16 {
        let mut raw = Raw::new(self.connect().await);
        raw.send(request.as_bytes()).await;
        raw.head().await.status
    }
}

pub(crate) async fn connect(proxy: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(CLIENT.parse().unwrap(), 0)).unwrap();
    in_time("a connection", socket.connect(proxy)).await.unwrap()
}

/// A server whose stamped replies begin with its name.
async fn replica(ip: Ipv4Addr, port: u16, name: &str, flags: &[&str]) -> Process {
    let listen = format!("{ip}:{port}");
    let prefix = format!("--prefix={name} ");
    let mut all = vec![
        prefix.as_str(),
        "--trusted-proxy=127.0.0.1/32",
        "--log-format=json",
    ];
    all.extend(flags);
    Process::start_on(&[&listen], 1, &all).await
}

/// HAProxy with the configuration that is shipped.
struct HaProxy {
    _child: Child,
    log: UnboundedReceiver<String>,
    addr: SocketAddr,
}

impl HaProxy {
    fn start(port: u16, names: SocketAddr) -> Self {
        // It cannot be asked for any free port, but takes a socket that listens already: as its standard input.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let mut child = Command::new(std::env::var("HAPROXY").unwrap_or_else(|_| "haproxy".to_owned()))
            .args(["-db", "-f", "deploy/haproxy.cfg"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("BIND", "fd@0")
            .env("REPLICAS", format!("{NAME}:{port}"))
            .env("DNS", names.to_string())
            .env("MAXCONN", "1000")
            .stdin(OwnedFd::from(listener))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("haproxy can be run");
        // Standard output is its log; standard error says the same once more, and what is wrong with the configuration.
        let (sender, log) = unbounded_channel();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut warned = BufReader::new(child.stderr.take().unwrap()).lines();
        let copy = sender.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = said.next_line().await {
                let _ = copy.send(line);
            }
        });
        tokio::spawn(async move {
            while let Ok(Some(line)) = warned.next_line().await {
                let _ = sender.send(line);
            }
        });
        Self {
            _child: child,
            log,
            addr,
        }
    }

    /// Waits until it has said so of so many servers.
    async fn says(&mut self, servers: usize, what: &str) {
        for _ in 0..servers {
            in_time(what, async {
                let mut seen = Vec::new();
                loop {
                    match self.log.recv().await {
                        Some(line) if line.starts_with("Server ") && line.contains(what) => return,
                        Some(line) => seen.push(line),
                        None => panic!("haproxy has ended: {seen:#?}"),
                    }
                }
            })
            .await;
        }
    }
}

/// A name service that knows one name.
struct Names {
    known: Arc<Mutex<Vec<Ipv4Addr>>>,
    addr: SocketAddr,
}

impl Names {
    async fn start(known: Vec<Ipv4Addr>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let addr = socket.local_addr().unwrap();
        let known = Arc::new(Mutex::new(known));
        let answers = known.clone();
        tokio::spawn(async move {
            let mut packet = [0; 512];
            while let Ok((len, asker)) = socket.recv_from(&mut packet).await {
                let answer = answer(&packet[..len], &answers.lock().unwrap().clone());
                let _ = socket.send_to(&answer, asker).await;
            }
        });
        Self { known, addr }
    }
}

/// RFC 1035 section 4, as far as one question for one name needs it.
fn answer(query: &[u8], known: &[Ipv4Addr]) -> Vec<u8> {
    const TYPE_A: [u8; 2] = [0, 1];
    // The name ends with an empty label; its type and class follow.
    let name = query[12..].iter().position(|byte| *byte == 0).unwrap() + 1;
    let question = &query[12..12 + name + 4];
    let asks_for_ipv4 = question[name..name + 2] == TYPE_A;
    let known = if asks_for_ipv4 { known } else { &[] };
    let mut answer = query[..2].to_vec();
    // A response, recursion desired and available, no error; one question, the answers, nothing else.
    answer.extend([0x81, 0x80, 0, 1, 0, known.len() as u8, 0, 0, 0, 0]);
    answer.extend(question);
    for ip in known {
        // The name as in the question, A, IN, for a second, four bytes.
        answer.extend([0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]);
        answer.extend(ip.octets());
    }
    answer
}

#[test]
fn the_name_service_answers_for_both_kinds_of_address() {
    let query = |kind| {
        let mut query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x04echo\x04test\x00\x00".to_vec();
        query.extend([kind, 0, 1]);
        query
    };
    assert_eq!(answer(&query(1), &[A, B]).len(), 12 + 15 + 2 * 16);
    assert_eq!(answer(&query(28), &[A, B]).len(), 12 + 15);
    assert!(IpAddr::from(A).is_loopback());
}
