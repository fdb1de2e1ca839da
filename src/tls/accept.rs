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

/// Maximum number of bytes that are read of a plain HTTP request before the response.
const MAX_HEAD: usize = 16 * 1024;

/// The response to plain HTTP on a TLS port. An HTTP client cannot decode a TLS alert.
const PLAINTEXT_RESPONSE: &str = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/json\r\n\
     Content-Length: 70\r\n\r\n\
     {\"error\":\"plain HTTP on a TLS port\",\"hint\":\"use https:// and wss://\"}\n";

/// The reason why a handshake failed. It is logged at debug level, because the peer causes it.
#[derive(Debug, Error)]
pub(crate) enum HandshakeError {
    /// The handshake exceeded its timeout.
    #[error("no TLS handshake within {0:?}")]
    Timeout(Duration),
    /// The peer sent plain HTTP.
    #[error("plain HTTP on a TLS port")]
    Plain,
    /// The server shuts down.
    #[error("the server is shutting down")]
    Stopping,
    /// The connection or the negotiation failed.
    #[error(transparent)]
    Failed(#[from] io::Error),
}

/// Performs the handshake, within `limit` if there is one.
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
    // An HTTP method starts with a letter, TLS with 22, the content type of a handshake (RFC 8446 section 5.1).
    if io.peek(&mut first).await? > 0 && first[0].is_ascii_uppercase() {
        respond_to_plaintext(&mut io).await?;
        return Err(HandshakeError::Plain);
    }
    Ok(TlsAcceptor::from(config).accept(BufferedTcp::new(io)).await?)
}

async fn respond_to_plaintext(io: &mut TcpStream) -> io::Result<()> {
    // A socket that is closed with unread bytes is reset, and the client may then lose the response.
    let mut head = Vec::new();
    let mut searched = 0;
    while head.len() < MAX_HEAD && io.read_buf(&mut head).await? > 0 {
        if head[searched..].windows(4).any(|window| window == b"\r\n\r\n") {
            break;
        }
        // A read may split the end of the header section.
        searched = head.len().saturating_sub(3);
    }
    io.write_all(PLAINTEXT_RESPONSE.as_bytes()).await?;
    io.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plaintext_response_has_the_length_of_its_body() {
        let (head, body) = PLAINTEXT_RESPONSE.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("Content-Length: {}", body.len())),
            "{}",
            body.len()
        );
    }
}
