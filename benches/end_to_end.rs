//! What the wire layer, the checks and the session cost, end to end: this server beside a bare actix-web-actors echo.
//!
//! `cargo bench --bench end_to_end` starts both as processes of their own, each pinned to the first core and the load to
//! the second where `taskset` is there, drives them in turn so that a machine's drift hits both alike, and prints medians
//! and their ratio. With `WS_ECHO_BENCH_AGAINST=PATH`, another build of this benchmark, that build's server takes the
//! bare actor's place: before a change and after it, in one run. Nothing is asserted: a machine's speed is no fact about the code.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on says where"
)]

use std::{
    env,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use actix::{Actor, StreamHandler};
use actix_http::ws::Codec;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actix_web_actors::ws::{self, WebsocketContext};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;
use ws_echo::{
    config::Config,
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
/// Names another build of this benchmark, to compare with.
const AGAINST: &str = "WS_ECHO_BENCH_AGAINST";

fn main() {
    match env::var("WS_ECHO_BENCH_SERVE").as_deref() {
        Ok("bare") => serve_bare(),
        Ok(_) => serve_whole(),
        Err(_) => compare(),
    }
}

struct Bare;

impl Actor for Bare {
    type Context = WebsocketContext<Self>;
}

impl StreamHandler<Result<ws::Message, ws::ProtocolError>> for Bare {
    fn handle(&mut self, item: Result<ws::Message, ws::ProtocolError>, ctx: &mut Self::Context) {
        match item {
            Ok(ws::Message::Text(text)) => ctx.text(text),
            Ok(ws::Message::Binary(bytes)) => ctx.binary(bytes),
            _ => {}
        }
    }
}

async fn bare(request: HttpRequest, payload: web::Payload) -> actix_web::Result<HttpResponse> {
    let mut response = ws::handshake(&request)?;
    let codec = Codec::new().max_size(16 << 20);
    Ok(response.streaming(WebsocketContext::with_codec(Bare, payload, codec)))
}

fn serve_bare() {
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(|| App::new().default_service(web::to(bare)))
            .workers(1)
            .tcp_nodelay(true)
            .bind("127.0.0.1:0")
            .unwrap();
        println!("{}", server.addrs()[0]);
        server.run().await.unwrap();
    });
}

fn serve_whole() {
    actix_web::rt::System::new().block_on(async {
        let config = Config {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            workers: Some(std::num::NonZeroUsize::MIN),
            static_dir: concat!(env!("CARGO_MANIFEST_DIR"), "/static").into(),
            ..Config::default()
        };
        let server = Server::bind(config).unwrap();
        println!("{}", server.addrs()[0]);
        server.run(CancellationToken::new()).await.unwrap();
    });
}

struct Running {
    child: Child,
    addr: SocketAddr,
}

impl Running {
    fn start(which: &str, this: &Path) -> Self {
        let mut command = if pinnable() {
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(this);
            command
        } else {
            Command::new(this)
        };
        let mut child = command
            .env("WS_ECHO_BENCH_SERVE", which)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        Self {
            child,
            addr: line.trim().parse().unwrap(),
        }
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

fn compare() {
    if pinnable() {
        let pid = std::process::id().to_string();
        let _ = Command::new("taskset")
            .args(["-pc", "1", &pid])
            .stdout(Stdio::null())
            .status();
    }
    println!("| connections : in flight : bytes | ws-echo, messages/s | the other, messages/s | ratio |");
    println!("|---|---|---|---|");
    for (connections, in_flight, bytes, messages) in POINTS {
        let this = env::current_exe().unwrap();
        let servers = match env::var_os(AGAINST) {
            Some(other) => [
                Running::start("whole", &this),
                Running::start("whole", Path::new(&other)),
            ],
            None => [Running::start("whole", &this), Running::start("bare", &this)],
        };
        let mut rates = [Vec::new(), Vec::new()];
        // The first round warms up and does not count.
        for round in 0..=ROUNDS {
            for (server, rates) in servers.iter().zip(&mut rates) {
                let took = load(server.addr, connections, in_flight, bytes, messages);
                if round > 0 {
                    rates.push(messages as f64 / took.as_secs_f64());
                }
            }
        }
        let mut ratios: Vec<f64> = rates[0]
            .iter()
            .zip(&rates[1])
            .map(|(whole, bare)| whole / bare)
            .collect();
        let [whole, bare] = rates.map(|mut rates| median(&mut rates));
        println!(
            "| {connections}:{in_flight}:{bytes} | {whole:.0} | {bare:.0} | {:.3} |",
            median(&mut ratios)
        );
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Sends and reads back so many messages; all bytes are made beforehand, and replies are counted by their length.
fn load(addr: SocketAddr, connections: usize, in_flight: usize, bytes: usize, messages: usize) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
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
    runtime.block_on(async {
        let mut streams = Vec::new();
        for _ in 0..connections {
            streams.push(connect(addr).await);
        }
        let start = Instant::now();
        let tasks = streams.into_iter().map(|mut stream| {
            let batch = batch.clone();
            tokio::task::spawn(async move {
                let mut buffer = vec![0; 256 * 1024];
                let (mut read_half, mut write_half) = stream.split();
                for _ in 0..batches {
                    let write = write_half.write_all(&batch);
                    let read = async {
                        let mut left = reply * in_flight;
                        while left > 0 {
                            let most = left.min(buffer.len());
                            left -= read_half.read(&mut buffer[..most]).await.unwrap();
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
    })
}

async fn connect(addr: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let request = "GET /?reply=verbatim HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    stream
}
