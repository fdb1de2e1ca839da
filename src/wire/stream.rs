//! The TCP connection itself, plain or with TLS on it, and how either ends.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::ready;
use rustls::{ProtocolVersion, ServerConnection};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};
use tokio_rustls::server::TlsStream;

use super::ahead::Ahead;

/// How long the end of a peer's TLS is waited for after our own, which nobody waits for any more.
const LINGER: Duration = Duration::from_secs(1);

/// What TLS agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// `1.2` or `1.3`.
    pub version: &'static str,
    /// By its IANA name.
    pub cipher_suite: &'static str,
    /// The protocol that ALPN chose (RFC 7301), where the client offered any.
    pub alpn: Option<String>,
    /// The name that the client asked for (RFC 6066 section 3), where it named any.
    pub server_name: Option<String>,
}

impl TlsFacts {
    pub(super) fn of(connection: &ServerConnection) -> Self {
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
            cipher_suite: iana(suite),
            alpn: connection
                .alpn_protocol()
                .map(|name| String::from_utf8_lossy(name).into_owned()),
            server_name: connection.server_name().map(str::to_owned),
        }
    }
}

/// rustls tells the suites of TLS 1.3 from older ones by names that are its own.
fn iana(suite: &'static str) -> &'static str {
    match suite {
        "TLS13_AES_128_GCM_SHA256" => "TLS_AES_128_GCM_SHA256",
        "TLS13_AES_256_GCM_SHA384" => "TLS_AES_256_GCM_SHA384",
        "TLS13_CHACHA20_POLY1305_SHA256" => "TLS_CHACHA20_POLY1305_SHA256",
        other => other,
    }
}

/// A TCP connection, with TLS on it or without.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    /// Boxed, so that a plain connection does not pay for its size.
    Tls(Box<Tls>),
}

#[derive(Debug)]
pub(super) struct Tls {
    stream: TlsStream<Ahead>,
    /// Set once close_notify and FIN are out.
    linger: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    /// A connection whose TLS handshake is done.
    pub(super) fn tls(stream: TlsStream<Ahead>) -> Self {
        Self::Tls(Box::new(Tls { stream, linger: None }))
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(io) => Pin::new(io).poll_read(cx, buffer),
            Self::Tls(tls) => match Pin::new(&mut tls.stream).poll_read(cx, buffer) {
                // An end without close_notify is an end. What it may have cut off shows above: a message lacks its last
                // frame, and the connection its Close.
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    Poll::Ready(Ok(()))
                }
                polled => polled,
            },
        }
    }

    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(io) => io.poll_read_ready(cx),
            // What was read may not have been decrypted.
            Self::Tls(_) => Poll::Ready(Ok(())),
        }
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(io) => Pin::new(io).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(&mut tls.stream).poll_write(cx, bytes),
        }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            // A TCP stream holds nothing back.
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(tls) => Pin::new(&mut tls.stream).poll_flush(cx),
        }
    }

    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>, reset: bool) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(io) => Pin::new(io).poll_shutdown(cx),
            // A reset is to look like one, and not like a goodbye that came to nothing.
            Self::Tls(_) if reset => Poll::Ready(Ok(())),
            Self::Tls(tls) => {
                if tls.linger.is_none() {
                    ready!(Pin::new(&mut tls.stream).poll_shutdown(cx))?;
                }
                tls.poll_linger(cx).map(Ok)
            }
        }
    }

    /// Ends it, by a reset where that is asked for.
    pub(super) fn close(mut self, reset: bool) {
        if reset {
            let io = match &self {
                Self::Plain(io) => io,
                Self::Tls(tls) => tls.stream.get_ref().0.tcp(),
            };
            // Lingering for no time at all is how a socket is told to reset (RFC 9293 section 3.10.4, ABORT).
            let _ = SockRef::from(io).set_linger(Some(Duration::ZERO));
        } else if let Self::Tls(tls) = &mut self {
            tls.say_goodbye();
        }
    }
}

impl Tls {
    /// RFC 8446 section 6.1: close_notify comes before every close, and actix drops a connection on more ways than it
    /// shuts one down: when keep-alive is over, or after an error. Where there is no room for it, it is left out.
    fn say_goodbye(&mut self) {
        let (io, connection) = self.stream.get_mut();
        connection.send_close_notify();
        while connection.wants_write() {
            if !connection
                .write_tls(&mut Now(io.tcp()))
                .is_ok_and(|written| written > 0)
            {
                break;
            }
        }
    }

    /// A peer answers close_notify with its own, and where the socket is gone by then, the kernel answers that with a
    /// reset: noise to whoever looks at the wire, and to some systems a reason to throw away what was not read yet.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let linger = self.linger.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        if linger.as_mut().poll(cx).is_ready() {
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

/// Writes what there is room for at once.
struct Now<'s>(&'s TcpStream);

impl io::Write for Now<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
