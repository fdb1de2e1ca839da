//! The TLS handshake of one connection.

use std::{io, sync::Arc, time::Duration};

use rustls::ServerConfig;
use thiserror::Error;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::transport::BufferedTcp;

/// Longest head of a plain request that is read before it is answered.
const MAX_HEAD: usize = 16 * 1024;

/// What plain HTTP gets here. A client that sees the alert of TLS instead can only say that it is no HTTP.
const PLAINTEXT_RESPONSE: &str = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/json\r\n\
     Content-Length: 73\r\n\r\n\
     {\"error\":\"plain HTTP on a port of TLS\",\"hint\":\"use https:// and wss://\"}\n";

/// Why a connection did not come to be. A peer's affair: nothing for the log but at debug level.
#[derive(Debug, Error)]
pub(crate) enum HandshakeError {
    /// The peer took too long.
    #[error("no TLS handshake within {0:?}")]
    Timeout(Duration),
    /// It was not TLS.
    #[error("plain HTTP on a port of TLS")]
    Plain,
    /// The server is on its way out.
    #[error("the server is shutting down")]
    Stopping,
    /// The peer broke off, or the two did not agree.
    #[error(transparent)]
    Failed(#[from] io::Error),
}

/// Does the handshake, within `limit` where there is one.
pub(crate) async fn accept(
    io: TcpStream,
    config: Arc<ServerConfig>,
    limit: Option<Duration>,
) -> Result<TlsStream<BufferedTcp>, HandshakeError> {
    let handshake = handshake(io, config);
    match limit {
        None => handshake.await,
        Some(limit) => timeout(limit, handshake)
            .await
            .unwrap_or(Err(HandshakeError::Timeout(limit))),
    }
}

async fn handshake(
    mut io: TcpStream,
    config: Arc<ServerConfig>,
) -> Result<TlsStream<BufferedTcp>, HandshakeError> {
    let mut first = [0];
    // A method begins with a letter, TLS with 22, the content type of a handshake (RFC 8446 section 5.1).
    if io.peek(&mut first).await? > 0 && first[0].is_ascii_uppercase() {
        answer_plain(&mut io).await?;
        return Err(HandshakeError::Plain);
    }
    Ok(TlsAcceptor::from(config).accept(BufferedTcp::new(io)).await?)
}

async fn answer_plain(io: &mut TcpStream) -> io::Result<()> {
    // To be closed with bytes unread would be a reset, which may take the answer with it.
    let mut head = Vec::new();
    let mut searched = 0;
    while head.len() < MAX_HEAD && io.read_buf(&mut head).await? > 0 {
        if head[searched..].windows(4).any(|window| window == b"\r\n\r\n") {
            break;
        }
        // The end may be cut.
        searched = head.len().saturating_sub(3);
    }
    io.write_all(PLAINTEXT_RESPONSE.as_bytes()).await?;
    io.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_plain_http_is_as_long_as_it_says() {
        let (head, body) = PLAINTEXT_RESPONSE.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("Content-Length: {}", body.len())),
            "{}",
            body.len()
        );
    }
}
