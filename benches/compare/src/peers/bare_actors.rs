//! actix-web-actors with nothing around it: the actor of its own documentation.

use std::io;

use actix::{Actor, ActorContext, StreamHandler};
use actix_http::ws::Codec;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actix_web_actors::ws::{self, WebsocketContext};

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

async fn handshake(request: HttpRequest, payload: web::Payload) -> actix_web::Result<HttpResponse> {
    let mut response = ws::handshake(&request)?;
    let codec = Codec::new().max_size(super::MAX_MESSAGE);
    Ok(response.streaming(WebsocketContext::with_codec(Echo, payload, codec)))
}

pub fn serve() -> io::Result<()> {
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(|| App::new().default_service(web::to(handshake)))
            .workers(1)
            .tcp_nodelay(true)
            .backlog(super::BACKLOG)
            .bind("127.0.0.1:0")?;
        super::announce(server.addrs()[0]);
        server.run().await
    })
}
