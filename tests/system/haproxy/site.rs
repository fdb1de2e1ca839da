//! Two servers, a DNS server with one name for both, and HAProxy in front of them.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    os::fd::OwnedFd,
    process::Stdio,
    sync::{Arc, Mutex},
};

use system_tests::{port, root};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::{TcpSocket, TcpStream, UdpSocket},
    process::{Child, Command},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

use crate::support::{
    in_time,
    process::Process,
    raw::{Raw, upgrade},
};

/// The address of clients. It differs from that of HAProxy, which the servers trust.
pub(crate) const CLIENT: &str = "127.0.0.9";

const A: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const B: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
const C: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);

/// The DNS name of the servers.
const NAME: &str = "echo.test";

/// The texts of HAProxy's log for the state of a server.
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
    /// Starts the servers and HAProxy, and waits until HAProxy uses both servers.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts the servers with these additional flags, and HAProxy.
    pub(crate) async fn with(flags: &[&str]) -> Self {
        // HAProxy has one port for all addresses of a name. It must be free on each address.
        let port = port::free();
        let a = replica(A, port, "a", flags).await;
        let b = replica(B, port, "b", flags).await;
        let names = Names::start(vec![A, B]).await;
        let mut proxy = HaProxy::start(port, names.addr);
        proxy.logged(2, UP).await;
        Self {
            a,
            _b: b,
            port,
            names,
            proxy,
        }
    }

    /// Restarts a after HAProxy has detected its end, so that the next `UP` in the log is that of the restart.
    pub(crate) async fn restart_a(&mut self) {
        self.proxy.logged(1, DOWN).await;
        self.a = replica(A, self.port, "a", &[]).await;
        self.proxy.logged(1, UP).await;
    }

    pub(crate) async fn add_replica(&mut self) -> Process {
        let c = replica(C, self.port, "c", &[]).await;
        self.names.addresses.lock().unwrap().push(C);
        self.proxy.logged(1, UP).await;
        c
    }

    /// Opens a TCP connection from a client to HAProxy.
    pub(crate) async fn connect(&self) -> TcpStream {
        connect(self.proxy.addr).await
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.proxy.addr
    }

    /// Opens a session through HAProxy. `lines` are additional header fields of the request, each with its CRLF.
    pub(crate) async fn raw(&self, path: &str, lines: &str) -> Raw {
        let mut raw = Raw::new(self.connect().await);
        raw.send(upgrade(path, lines).as_bytes()).await;
        let head = raw.head().await;
        assert_eq!(head.status, 101, "{head:?}");
        raw
    }

    /// Sends a handshake and returns the status of the response.
    pub(crate) async fn handshake(&self, path: &str) -> u16 {
        self.status(&upgrade(path, "")).await
    }

    /// Sends a GET and returns the status of the response.
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

/// Starts a server whose stamped replies start with its name.
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

/// HAProxy with deploy/haproxy.cfg.
struct HaProxy {
    _child: Child,
    log: UnboundedReceiver<String>,
    addr: SocketAddr,
}

impl HaProxy {
    fn start(port: u16, names: SocketAddr) -> Self {
        // HAProxy cannot bind a free port, but it can use a listening socket: here its standard input.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let mut child = Command::new(std::env::var("HAPROXY").unwrap_or_else(|_| "haproxy".to_owned()))
            .args(["-db", "-f", "deploy/haproxy.cfg"])
            .current_dir(root())
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
        // Standard output is the log. Standard error is a copy of it with the errors of the configuration.
        let (sender, log) = unbounded_channel();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let copy = sender.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = stdout.next_line().await {
                let _ = copy.send(line);
            }
        });
        tokio::spawn(async move {
            while let Ok(Some(line)) = stderr.next_line().await {
                let _ = sender.send(line);
            }
        });
        Self {
            _child: child,
            log,
            addr,
        }
    }

    /// Waits until the log has this state for this number of servers.
    async fn logged(&mut self, servers: usize, state: &str) {
        for _ in 0..servers {
            in_time(state, async {
                let mut skipped = Vec::new();
                loop {
                    match self.log.recv().await {
                        Some(line) if line.starts_with("Server ") && line.contains(state) => return,
                        Some(line) => skipped.push(line),
                        None => panic!("haproxy has exited: {skipped:#?}"),
                    }
                }
            })
            .await;
        }
    }
}

/// A DNS server that returns the same addresses for every name.
struct Names {
    addresses: Arc<Mutex<Vec<Ipv4Addr>>>,
    addr: SocketAddr,
}

impl Names {
    async fn start(addresses: Vec<Ipv4Addr>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let addr = socket.local_addr().unwrap();
        let addresses = Arc::new(Mutex::new(addresses));
        let current = addresses.clone();
        tokio::spawn(async move {
            let mut packet = [0; 512];
            while let Ok((len, resolver)) = socket.recv_from(&mut packet).await {
                let response = respond(&packet[..len], &current.lock().unwrap().clone());
                let _ = socket.send_to(&response, resolver).await;
            }
        });
        Self { addresses, addr }
    }
}

/// Returns the response to a query with one question (RFC 1035 section 4): the addresses for type A, none for another type.
fn respond(query: &[u8], addresses: &[Ipv4Addr]) -> Vec<u8> {
    const TYPE_A: [u8; 2] = [0, 1];
    // The name ends with an empty label. The type and the class follow.
    let name = query[12..].iter().position(|byte| *byte == 0).unwrap() + 1;
    let question = &query[12..12 + name + 4];
    let is_type_a = question[name..name + 2] == TYPE_A;
    let addresses = if is_type_a { addresses } else { &[] };
    let mut response = query[..2].to_vec();
    // Flags: a response, recursion desired and available, no error. Then the number of questions, of answers, and of others.
    response.extend([0x81, 0x80, 0, 1, 0, addresses.len() as u8, 0, 0, 0, 0]);
    response.extend(question);
    for ip in addresses {
        // A pointer to the name in the question, type A, class IN, a TTL of 1 s, and 4 bytes of data.
        response.extend([0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]);
        response.extend(ip.octets());
    }
    response
}

#[test]
fn the_dns_server_responds_to_queries_for_ipv4_and_for_ipv6() {
    let query = |kind| {
        let mut query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x04echo\x04test\x00\x00".to_vec();
        query.extend([kind, 0, 1]);
        query
    };
    assert_eq!(respond(&query(1), &[A, B]).len(), 12 + 15 + 2 * 16);
    assert_eq!(respond(&query(28), &[A, B]).len(), 12 + 15);
    assert!(IpAddr::from(A).is_loopback());
}
