//! What TLS costs: full handshakes a second, and wss beside ws in one run.
//!
//! `cargo bench --bench tls` starts this server as a process of its own, with one worker, pinned to the first core and the
//! load to the second where `taskset` is there. The client has a core's work to do as well, so beside the rate stands
//! what the server itself took of its core, as the kernel counts it: that is what says how many a core could serve.
//! Nothing is asserted: a machine's speed is no fact about the code.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on says where"
)]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::sync::CancellationToken;
use ws_echo::{
    config::{CertificateSource, Config, Tls},
    server::Server,
    wire::frame::{BINARY, Header, MAX_HEADER},
};

/// Connections, messages in flight on each, bytes of a message, and messages of one round over all connections.
const POINTS: [(usize, usize, usize, usize); 4] = [
    (1, 1, 32, 20_000),
    (64, 16, 32, 400_000),
    (16, 1, 16 * 1024, 40_000),
    (4, 1, 1024 * 1024, 800),
];
const ROUNDS: usize = 9;

/// Handshakes of one round, and how many of them are under way at a time.
const HANDSHAKES: usize = 4_000;
const AT_A_TIME: usize = 16;

fn main() {
    if env::var_os("WS_ECHO_BENCH_SERVE").is_some() {
        return serve();
    }
    if pinnable() {
        let pid = std::process::id().to_string();
        let _ = Command::new("taskset")
            .args(["-pc", "1", &pid])
            .stdout(Stdio::null())
            .status();
    }
    handshakes();
    throughput();
}

fn serve() {
    actix_web::rt::System::new().block_on(async {
        let config = Config {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            tls: Tls::On {
                listen: vec!["127.0.0.1:0".parse().unwrap()],
                certificate: CertificateSource::SelfSigned {
                    names: Vec::new(),
                    ca_out: None,
                },
            },
            workers: Some(std::num::NonZeroUsize::MIN),
            static_dir: concat!(env!("CARGO_MANIFEST_DIR"), "/static").into(),
            ..Config::default()
        };
        let server = Server::bind(config).unwrap();
        println!("{} {}", server.addrs()[0], server.tls_addrs()[0]);
        server.run(CancellationToken::new()).await.unwrap();
    });
}

struct Running {
    child: Child,
    plain: SocketAddr,
    tls: SocketAddr,
}

impl Running {
    fn start() -> Self {
        let this = env::current_exe().unwrap();
        let mut command = if pinnable() {
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(this);
            command
        } else {
            Command::new(this)
        };
        let mut child = command
            .env("WS_ECHO_BENCH_SERVE", "yes")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let (plain, tls) = line.trim().split_once(' ').unwrap();
        Self {
            child,
            plain: plain.parse().unwrap(),
            tls: tls.parse().unwrap(),
        }
    }

    /// Processor time that it has taken so far. `taskset` becomes the server, so that its number is the server's.
    fn busy(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The name may hold anything, and ends at the last parenthesis.
        let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        // USER_HZ is 100 on every Linux that this runs on.
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pinnable() -> bool {
    Command::new("taskset")
        .args(["-c", "0,1", "true"])
        .status()
        .is_ok_and(|status| status.success())
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Believes whatever it is shown: the client's work is not what is measured.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// A client that resumes nothing: each handshake is a full one.
fn connector(version: &'static SupportedProtocolVersion) -> TlsConnector {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    TlsConnector::from(Arc::new(config))
}

fn name() -> ServerName<'static> {
    "localhost".try_into().unwrap()
}

fn handshakes() {
    println!("| | handshakes/s | microseconds of the server's core for each | at most, on one core |");
    println!("|---|---|---|---|");
    let server = Running::start();
    for (called, version) in [
        ("TCP alone", None),
        ("TLS 1.2", Some(&TLS12)),
        ("TLS 1.3", Some(&TLS13)),
    ] {
        let (mut rates, mut costs) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let (busy, start) = (server.busy(), Instant::now());
            match version {
                None => connections(server.plain, None),
                Some(version) => connections(server.tls, Some(&connector(version))),
            }
            let (took, busy) = (start.elapsed(), server.busy() - busy);
            // The first round warms up and does not count.
            if round > 0 {
                rates.push(HANDSHAKES as f64 / took.as_secs_f64());
                costs.push(busy.as_secs_f64() * 1e6 / HANDSHAKES as f64);
            }
        }
        let (rate, cost) = (median(&mut rates), median(&mut costs));
        println!("| {called} | {rate:.0} | {cost:.0} | {:.0} |", 1e6 / cost);
    }
    println!();
}

/// Connects so often, and hangs up each time.
fn connections(addr: SocketAddr, connector: Option<&TlsConnector>) {
    runtime().block_on(async {
        let each = (0..AT_A_TIME).map(|_| {
            let connector = connector.cloned();
            tokio::task::spawn(async move {
                for _ in 0..HANDSHAKES / AT_A_TIME {
                    let stream = TcpStream::connect(addr).await.unwrap();
                    stream.set_nodelay(true).unwrap();
                    // By a reset: so many connections in TIME_WAIT would use up the ports.
                    socket2::SockRef::from(&stream)
                        .set_linger(Some(Duration::ZERO))
                        .unwrap();
                    if let Some(connector) = &connector {
                        connector.connect(name(), stream).await.unwrap();
                    }
                }
            })
        });
        for task in each.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
}

fn throughput() {
    println!(
        "| connections : in flight : bytes | ws, messages/s | wss, messages/s | ratio | the server's core for each, ws | wss |"
    );
    println!("|---|---|---|---|---|---|");
    for point @ (connections, in_flight, bytes, messages) in POINTS {
        let server = Running::start();
        let (mut rates, mut costs) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for round in 0..=ROUNDS {
            for secure in [false, true] {
                let busy = server.busy();
                let took = load(&server, secure, point);
                let busy = server.busy() - busy;
                if round > 0 {
                    rates[usize::from(secure)].push(messages as f64 / took.as_secs_f64());
                    costs[usize::from(secure)].push(busy.as_secs_f64() * 1e6 / messages as f64);
                }
            }
        }
        let mut ratios: Vec<f64> = rates[0].iter().zip(&rates[1]).map(|(ws, wss)| wss / ws).collect();
        let [ws, wss] = rates.map(|mut rates| median(&mut rates));
        let [ws_cost, wss_cost] = costs.map(|mut costs| median(&mut costs));
        println!(
            "| {connections}:{in_flight}:{bytes} | {ws:.0} | {wss:.0} | {:.3} | {ws_cost:.2} µs | {wss_cost:.2} µs |",
            median(&mut ratios)
        );
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn load(server: &Running, secure: bool, point: (usize, usize, usize, usize)) -> Duration {
    runtime().block_on(async {
        if secure {
            let mut streams: Vec<TlsStream<TcpStream>> = Vec::new();
            for _ in 0..point.0 {
                let stream = TcpStream::connect(server.tls).await.unwrap();
                stream.set_nodelay(true).unwrap();
                streams.push(connector(&TLS13).connect(name(), stream).await.unwrap());
            }
            drive(streams, point).await
        } else {
            let mut streams = Vec::new();
            for _ in 0..point.0 {
                let stream = TcpStream::connect(server.plain).await.unwrap();
                stream.set_nodelay(true).unwrap();
                streams.push(stream);
            }
            drive(streams, point).await
        }
    })
}

/// Sends and reads back so many messages; all bytes are made beforehand, and replies are counted by their length.
async fn drive<S>(
    streams: Vec<S>,
    (connections, in_flight, bytes, messages): (usize, usize, usize, usize),
) -> Duration
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mask = [1, 2, 3, 4];
    let header = Header {
        fin: true,
        rsv: 0,
        opcode: BINARY,
        mask: Some(mask),
        len: bytes as u64,
        minimal: true,
    };
    let mut frame = header.write(&mut [0; MAX_HEADER]).to_vec();
    frame.extend(std::iter::repeat_n(7, bytes));
    let reply = frame.len() - mask.len();
    let batch = frame.repeat(in_flight);
    let batches = messages / connections / in_flight;
    let mut open = Vec::new();
    for stream in streams {
        open.push(handshake(stream).await);
    }
    let start = Instant::now();
    let tasks = open.into_iter().map(|stream| {
        let batch = batch.clone();
        tokio::task::spawn(async move {
            let mut buffer = vec![0; 256 * 1024];
            let (mut read_half, mut write_half) = tokio::io::split(stream);
            for _ in 0..batches {
                let write = async {
                    write_half.write_all(&batch).await?;
                    write_half.flush().await
                };
                let read = async {
                    let mut left = reply * in_flight;
                    while left > 0 {
                        let most = left.min(buffer.len());
                        let read = read_half.read(&mut buffer[..most]).await.unwrap();
                        assert!(read > 0, "the server hung up");
                        left -= read;
                    }
                };
                let (written, ()) = tokio::join!(write, read);
                written.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    start.elapsed()
}

async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> S {
    let request = "GET /?reply=verbatim HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    stream
}
