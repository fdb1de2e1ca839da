//! TLS on a TCP connection: its negotiated parameters, and its end by close_notify.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::ready;
use rustls::{CommonState, ProtocolVersion};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};
use tokio_rustls::TlsStream;

use super::{buffered_tcp::BufferedTcp, tcp::Tcp};

/// Time for which an end waits for the peer's close_notify after its own. The session has ended before.
const CLOSE_NOTIFY_TIMEOUT: Duration = Duration::from_secs(1);

/// The parameters that the TLS handshake negotiated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsInfo {
    /// `1.2` or `1.3`.
    pub version: &'static str,
    /// The cipher suite by its IANA name.
    pub cipher_suite: &'static str,
    /// The protocol that was selected by ALPN (RFC 7301), if the client offered any.
    pub alpn: Option<String>,
    /// The server name that the client sent, at the server (RFC 6066 section 3), if it sent one.
    pub server_name: Option<String>,
}

impl TlsInfo {
    fn of(connection: &CommonState, server_name: Option<&str>) -> Self {
        let suite = connection
            .negotiated_cipher_suite()
            .and_then(|suite| suite.suite().as_str())
            .unwrap_or("unknown");
        Self {
            version: match connection.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "1.3",
                Some(ProtocolVersion::TLSv1_2) => "1.2",
                _ => "unknown",
            },
            cipher_suite: iana_name(suite),
            alpn: connection
                .alpn_protocol()
                .map(|name| String::from_utf8_lossy(name).into_owned()),
            server_name: server_name.map(str::to_owned),
        }
    }
}

/// Returns the IANA name of a cipher suite. rustls has its own names for the suites of TLS 1.3.
fn iana_name(suite: &'static str) -> &'static str {
    match suite {
        "TLS13_AES_128_GCM_SHA256" => "TLS_AES_128_GCM_SHA256",
        "TLS13_AES_256_GCM_SHA384" => "TLS_AES_256_GCM_SHA384",
        "TLS13_CHACHA20_POLY1305_SHA256" => "TLS_CHACHA20_POLY1305_SHA256",
        other => other,
    }
}

/// A TCP connection with TLS, at either end.
#[derive(Debug)]
pub(super) struct Tls {
    stream: TlsStream<BufferedTcp>,
    /// The timeout for the peer's close_notify. `None` until this end has sent its own.
    close_notify_timer: Option<Pin<Box<Sleep>>>,
}

impl Tls {
    /// Wraps a connection whose TLS handshake is complete.
    pub(super) fn new(stream: TlsStream<BufferedTcp>) -> Self {
        Self {
            stream,
            close_notify_timer: None,
        }
    }

    pub(super) fn info(&self) -> TlsInfo {
        match &self.stream {
            TlsStream::Server(stream) => {
                let connection = stream.get_ref().1;
                TlsInfo::of(connection, connection.server_name())
            }
            TlsStream::Client(stream) => TlsInfo::of(stream.get_ref().1, None),
        }
    }

    pub(super) fn tcp(&self) -> &Tcp {
        self.stream.get_ref().0.tcp()
    }

    pub(super) fn tcp_mut(&mut self) -> &mut Tcp {
        self.stream.get_mut().0.tcp_mut()
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            // An end without close_notify is no error here. A truncation is detected above: a message lacks its last frame, or the
            // connection its Close frame.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            polled => polled,
        }
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.close_notify_timer.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        }
        self.poll_close_notify(cx).map(Ok)
    }

    /// Sends close_notify, which RFC 8446 section 6.1 requires before a close. After the keep-alive time and after an error,
    /// actix-http drops a connection without a shutdown. If the kernel accepts no more bytes, close_notify is not sent.
    pub(super) fn send_close_notify(&mut self) {
        self.stream.get_mut().1.send_close_notify();
        while self.stream.get_ref().1.wants_write() {
            let written = match &mut self.stream {
                TlsStream::Server(stream) => {
                    let (io, connection) = stream.get_mut();
                    connection.write_tls(&mut TryWrite(io.tcp()))
                }
                TlsStream::Client(stream) => {
                    let (io, connection) = stream.get_mut();
                    connection.write_tls(&mut TryWrite(io.tcp()))
                }
            };
            if !written.is_ok_and(|written| written > 0) {
                break;
            }
        }
    }

    /// Reads until the peer ends the connection or the timeout expires. If the socket were closed before the peer's close_notify
    /// arrives, the kernel would reply to it with a reset, and some systems then discard bytes that the peer has not read.
    fn poll_close_notify(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let close_notify_timer = self
            .close_notify_timer
            .get_or_insert_with(|| Box::pin(sleep(CLOSE_NOTIFY_TIMEOUT)));
        if close_notify_timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut block = [0; 1024];
        loop {
            let mut block = ReadBuf::new(&mut block);
            match ready!(Pin::new(self.stream.get_mut().0).poll_read(cx, &mut block)) {
                Ok(()) if !block.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    }
}

/// A writer that does not wait: it writes as much as the kernel accepts.
struct TryWrite<'t>(&'t Tcp);

impl io::Write for TryWrite<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
