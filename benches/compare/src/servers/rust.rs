//! The compared Rust servers, each as the documentation of its library shows it.

use std::{io, net::SocketAddr};

use actix::{Actor, ActorContext, StreamHandler};
use actix_http::ws::Codec;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actix_web_actors::ws::{self, WebsocketContext};
use actix_ws::{Closed, MessageStream, Session};
use fastwebsockets::{FragmentCollector, OpCode, WebSocketError, upgrade};
use futures_util::{FutureExt, SinkExt, StreamExt};
use http_body_util::Empty;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite;

/// Larger than the messages of every point.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;
const BACKLOG: u32 = 4096;

/// Runs one of the servers.
pub fn serve(name: &str) -> io::Result<()> {
    match name {
        "bare-actors" => actix_server(bare_actors),
        "actix-ws" => actix_server(actix_ws),
        "fastwebsockets" => tokio_server(fastwebsockets),
        "tokio-tungstenite" => tokio_server(tokio_tungstenite),
        super::RESPONDER => super::responder::serve(),
        name => Err(io::Error::other(format!("no such server: {name}"))),
    }
}

fn actix_server<H, F>(handshake: H) -> io::Result<()>
where
    H: Fn(HttpRequest, web::Payload) -> F + Copy + Send + 'static,
    F: Future<Output = actix_web::Result<HttpResponse>> + 'static,
{
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(move || App::new().default_service(web::to(handshake)));
        let server = server
            .workers(1)
            .tcp_nodelay(true)
            .backlog(BACKLOG)
            .bind("127.0.0.1:0")?;
        println!("listening on {}", server.addrs()[0]);
        server.run().await
    })
}

/// Accepts on one thread, each connection in a task of its own.
fn tokio_server<F>(connection: impl Fn(TcpStream) -> F) -> io::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let listener = socket.listen(BACKLOG)?;
        println!("listening on {}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::task::spawn(connection(stream));
        }
    })
}

/// The actor of the documentation of actix-web-actors.
struct Echo;

impl Actor for Echo {
    type Context = WebsocketContext<Self>;
}

impl StreamHandler<Result<ws::Message, ws::ProtocolError>> for Echo {
    fn handle(&mut self, item: Result<ws::Message, ws::ProtocolError>, ctx: &mut Self::Context) {
        match item {
            Ok(ws::Message::Text(text)) => ctx.text(text),
            Ok(ws::Message::Binary(bytes)) => ctx.binary(bytes),
            Ok(ws::Message::Ping(bytes)) => ctx.pong(&bytes),
            Ok(ws::Message::Close(reason)) => {
                ctx.close(reason);
                ctx.stop();
            }
            Ok(_) => {}
            Err(_) => ctx.stop(),
        }
    }
}

async fn bare_actors(request: HttpRequest, payload: web::Payload) -> actix_web::Result<HttpResponse> {
    let mut response = ws::handshake(&request)?;
    let codec = Codec::new().max_size(MAX_MESSAGE);
    Ok(response.streaming(WebsocketContext::with_codec(Echo, payload, codec)))
}

async fn actix_ws(request: HttpRequest, payload: web::Payload) -> actix_web::Result<HttpResponse> {
    let (response, session, messages) = actix_ws::handle(&request, payload)?;
    actix_web::rt::spawn(actix_ws_echo(session, messages.max_frame_size(MAX_MESSAGE)));
    Ok(response)
}

async fn actix_ws_echo(mut session: Session, mut messages: MessageStream) -> Result<(), Closed> {
    while let Some(Ok(message)) = messages.recv().await {
        match message {
            actix_ws::Message::Text(text) => session.text(text).await?,
            actix_ws::Message::Binary(bytes) => session.binary(bytes).await?,
            actix_ws::Message::Ping(bytes) => session.pong(&bytes).await?,
            actix_ws::Message::Close(reason) => return session.close(reason).await,
            _ => {}
        }
    }
    session.close(None).await
}

async fn fastwebsockets(stream: TcpStream) {
    let http =
        http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(fastwebsockets_handshake));
    let _ = http.with_upgrades().await;
}

async fn fastwebsockets_handshake(
    mut request: Request<Incoming>,
) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let (response, upgraded) = upgrade::upgrade(&mut request)?;
    tokio::task::spawn(tokio::task::unconstrained(fastwebsockets_echo(upgraded)));
    Ok(response)
}

async fn fastwebsockets_echo(upgraded: upgrade::UpgradeFut) -> Result<(), WebSocketError> {
    let mut socket = FragmentCollector::new(upgraded.await?);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            _ => {}
        }
    }
}

async fn tokio_tungstenite(stream: TcpStream) {
    let _ = tokio_tungstenite_echo(stream).await;
}

/// Writes all messages of one read in one write, as the example of tokio-tungstenite does. The example splits the
/// stream and forwards one half to the other, which loses an echo if a Close frame follows it at once.
async fn tokio_tungstenite_echo(stream: TcpStream) -> Result<(), tungstenite::Error> {
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    let mut next = socket.next().await;
    while let Some(message) = next {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.feed(message).await?;
        }
        next = match socket.next().now_or_never() {
            Some(next) => next,
            None => {
                socket.flush().await?;
                socket.next().await
            }
        };
    }
    Ok(())
}
