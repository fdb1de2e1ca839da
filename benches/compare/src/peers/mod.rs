//! The servers that are compared, and how each is started.

pub mod actix_ws;
pub mod bare_actors;
pub mod fastwebsockets;
pub mod responder;
pub mod runtimes;
pub mod tungstenite;
pub mod ws_echo;

use std::{io, net::SocketAddr, path::PathBuf};

use tokio::net::{TcpListener, TcpStream};

use crate::process::Recipe;

/// Large enough for every point, and the same for all.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;
const BACKLOG: u32 = 4096;

/// The Rust peers, which are this program itself.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Builtin {
    BareActors,
    ActixWs,
    Fastwebsockets,
    TokioTungstenite,
    Responder,
}

impl Builtin {
    pub fn serve(self) -> io::Result<()> {
        match self {
            Self::BareActors => bare_actors::serve(),
            Self::ActixWs => actix_ws::serve(),
            Self::Fastwebsockets => tokio_server(fastwebsockets::connection),
            Self::TokioTungstenite => tokio_server(tungstenite::connection),
            Self::Responder => responder::serve(),
        }
    }
}

/// A server that can be started.
#[derive(Clone, Debug)]
pub struct Peer {
    pub name: &'static str,
    pub version: String,
    pub recipe: Recipe,
    /// How to start it with permessage-deflate, for those that have it.
    pub compressing: Option<Recipe>,
    /// Whether it can answer as the tutorial's server does.
    pub stamps: bool,
    /// Whether it is a server at all, and not the measure of the load.
    pub real: bool,
}

/// The name of the one that the others are compared with.
pub const OURS: &str = "ws-echo";
pub const RESPONDER: &str = "responder";

/// All that can be named.
pub const NAMES: [&str; 8] = [
    OURS,
    "bare-actors",
    "actix-ws",
    "fastwebsockets",
    "tokio-tungstenite",
    "node-ws",
    "bun",
    RESPONDER,
];

/// Those that this machine can start, and why the others cannot be.
pub fn find(choice: &Choice) -> io::Result<(Vec<Peer>, Vec<String>)> {
    let wanted = |name: &str| choice.only.is_empty() || choice.only.iter().any(|only| only == name);
    let (mut peers, mut missing) = (Vec::new(), Vec::new());
    if wanted(OURS) {
        peers.push(ws_echo::peer(OURS, choice.binary.as_deref())?);
    }
    if let Some(before) = &choice.before {
        peers.push(ws_echo::peer("before", Some(before))?);
    }
    for (name, builtin, library) in [
        ("bare-actors", "bare-actors", "actix-web-actors"),
        ("actix-ws", "actix-ws", "actix-ws"),
        ("fastwebsockets", "fastwebsockets", "fastwebsockets"),
        ("tokio-tungstenite", "tokio-tungstenite", "tokio-tungstenite"),
    ] {
        if wanted(name) {
            peers.push(itself(
                name,
                builtin,
                format!("{library} {}", crate::machine::crate_version(library)),
            )?);
        }
    }
    if wanted("node-ws") || wanted("bun") {
        let modules = runtimes::install();
        for (name, found) in [
            ("node-ws", runtimes::node as fn(_) -> _),
            ("bun", runtimes::bun as fn(_) -> _),
        ] {
            if wanted(name) {
                match modules.clone().and_then(found) {
                    Ok(peer) => peers.push(peer),
                    Err(why) => missing.push(format!("{name} is left out: {why}")),
                }
            }
        }
    }
    if wanted(RESPONDER) {
        let responder = itself(RESPONDER, "responder", "no WebSocket server".to_owned())?;
        peers.push(Peer {
            real: false,
            ..responder
        });
    }
    Ok((peers, missing))
}

/// What the command line says of the peers.
#[derive(Debug)]
pub struct Choice {
    /// Those that are wanted; none named means all.
    pub only: Vec<String>,
    /// ws-echo's binary, built where it is not named.
    pub binary: Option<PathBuf>,
    /// Another build of ws-echo.
    pub before: Option<PathBuf>,
}

fn itself(name: &'static str, argument: &str, version: String) -> io::Result<Peer> {
    let recipe = Recipe {
        program: std::env::current_exe()?,
        arguments: vec!["serve".into(), argument.into()],
        environment: Vec::new(),
    };
    Ok(Peer {
        name,
        version,
        recipe,
        compressing: None,
        stamps: false,
        real: true,
    })
}

/// Says where a server listens, as the comparison reads it.
fn announce(addr: SocketAddr) {
    println!("listening on {addr}");
}

/// Accepts on one thread, each connection in a task of its own.
fn tokio_server<F>(connection: impl Fn(TcpStream) -> F + Copy + 'static) -> io::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let listener: TcpListener = socket.listen(BACKLOG)?;
        announce(listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::task::spawn(connection(stream));
        }
    })
}
