//! tokio-tungstenite. Its own example splits the stream and forwards one half to the other, which loses an echo that has
//! a Close right behind it; this one is whole, and it writes what came together in one go, as the example does.

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, tungstenite::Error};

pub async fn connection(stream: TcpStream) {
    if let Ok(socket) = tokio_tungstenite::accept_async(stream).await {
        let _ = echo(socket).await;
    }
}

async fn echo(mut socket: WebSocketStream<TcpStream>) -> Result<(), Error> {
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
