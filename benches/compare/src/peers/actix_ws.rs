//! actix-ws, as its documentation has it.

use std::io;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actix_ws::{Closed, Message, MessageStream, Session};

async fn handshake(request: HttpRequest, payload: web::Payload) -> actix_web::Result<HttpResponse> {
    let (response, session, messages) = actix_ws::handle(&request, payload)?;
    let messages = messages.max_frame_size(super::MAX_MESSAGE);
    actix_web::rt::spawn(async move {
        let _ = echo(session, messages).await;
    });
    Ok(response)
}

async fn echo(mut session: Session, mut messages: MessageStream) -> Result<(), Closed> {
    while let Some(Ok(message)) = messages.recv().await {
        match message {
            Message::Text(text) => session.text(text).await?,
            Message::Binary(bytes) => session.binary(bytes).await?,
            Message::Ping(bytes) => session.pong(&bytes).await?,
            Message::Close(reason) => return session.close(reason).await,
            _ => {}
        }
    }
    session.close(None).await
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
