//! The connection that actix-http reads and writes until HTTP/1.1 hands it over or closes it.
//!
//! It adds these functions, which actix-http lacks:
//! - deadlines for a request's header section and body, with a response that names the flag
//! - a deadline for a peer that reads nothing
//! - the field `X-Head-Bytes`
//! - a response to a request that is incomplete when the server stops
//! - the hand-over of the connection to a session

use std::{
    fmt, io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Instant,
};

use futures_core::{future::LocalBoxFuture, ready};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep_until},
};
use tokio_rustls::server::TlsStream;

use super::{
    buffered_tcp::BufferedTcp, error_body::ErrorBody, head_bytes, request_clock::Phase, socket::Socket,
    stall::StallDeadline, stream::Stream, tcp::Tcp, tls_stream::Tls,
};

pub use super::request_clock::HttpTimeouts;

/// A connection for actix-http. It owns the guard `G` until HTTP ends on the connection.
pub struct Http1Io<G> {
    socket: Rc<Socket>,
    guard: G,
    timeouts: HttpTimeouts,
    /// The timer of the request's deadline. `None` if there is no deadline.
    timer: Option<Pin<Box<Sleep>>>,
    stall: StallDeadline,
    /// Resolves when the server has drained.
    stop: LocalBoxFuture<'static, ()>,
    /// Bytes of this layer, which are written before those of HTTP.
    own_output: Vec<u8>,
    /// Whether this layer has sent the last response. HTTP then reads the end of the stream, and its output is discarded.
    ended: bool,
}

impl<G> fmt::Debug for Http1Io<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http1Io")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

impl<G> Http1Io<G> {
    /// Wraps a connection without TLS. `stop` resolves when the server has drained. A request that is incomplete then gets 503.
    pub fn plain(
        io: TcpStream,
        guard: G,
        timeouts: HttpTimeouts,
        stop: impl Future<Output = ()> + 'static,
    ) -> Self {
        Self::new(Stream::Plain(Tcp::new(io)), guard, timeouts, Box::pin(stop))
    }

    /// Wraps a connection whose TLS handshake is complete.
    pub fn tls(
        stream: TlsStream<BufferedTcp>,
        guard: G,
        timeouts: HttpTimeouts,
        stop: impl Future<Output = ()> + 'static,
    ) -> Self {
        let stream = Stream::Tls(Box::new(Tls::new(stream.into())));
        Self::new(stream, guard, timeouts, Box::pin(stop))
    }

    fn new(stream: Stream, guard: G, timeouts: HttpTimeouts, stop: LocalBoxFuture<'static, ()>) -> Self {
        Self {
            socket: Rc::new(Socket::new(stream)),
            guard,
            timeouts,
            timer: None,
            stall: StallDeadline::new(timeouts.stall),
            stop,
            own_output: Vec::new(),
            ended: false,
        }
    }

    /// Returns the connection for handlers.
    pub fn socket(&self) -> Rc<Socket> {
        Rc::clone(&self.socket)
    }

    /// Returns the guard that lives until HTTP ends on the connection.
    pub fn guard(&self) -> &G {
        &self.guard
    }

    /// Returns `Ready` once the request has exceeded its deadline or the server has drained, after it has sent the response.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((phase, deadline, started, responding)) = self.socket.with_http(|http| {
            let deadline = http.clock.deadline(&self.timeouts);
            (
                http.clock.phase,
                deadline,
                http.clock.has_started(),
                http.responding,
            )
        }) else {
            return Poll::Pending;
        };
        if matches!(phase, Phase::Idle | Phase::Serving) {
            self.timer = None;
            return Poll::Pending;
        }
        let response = if self.poll_timer(cx, deadline).is_ready() {
            let (error, hint) = match phase {
                Phase::Head => (
                    "the header section of the request is not complete in time",
                    "send the complete header section within --handshake-timeout",
                ),
                _ => (
                    "the body of the request is not complete in time",
                    "send the complete request within --request-timeout of its first byte",
                ),
            };
            // A client that has sent nothing gets the response, too (RFC 9110 section 15.5.9).
            Some(ErrorBody { error, hint }.to_response("408 Request Timeout"))
        } else if self.stop.as_mut().poll(cx).is_ready() {
            // A future must not be polled after it has resolved.
            self.stop = Box::pin(std::future::pending());
            let body = ErrorBody {
                error: "the server is shutting down",
                hint: "connect to another server, or retry later",
            };
            started.then(|| body.to_response("503 Service Unavailable"))
        } else {
            return Poll::Pending;
        };
        if let Some(response) = response
            && !responding
        {
            self.own_output = response;
        }
        self.ended = true;
        // Writes as much as the kernel accepts now. `poll_shutdown` writes the remaining bytes.
        let _ = self.poll_own_output(cx);
        let _ = self.socket.poll_flush(cx);
        Poll::Ready(())
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()> {
        let Some(deadline) = deadline else {
            self.timer = None;
            return Poll::Pending;
        };
        let deadline = deadline.into();
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx)
    }

    fn poll_own_output(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.own_output.is_empty() {
            let written = ready!(self.socket.poll_write(cx, &self.own_output))?;
            self.own_output.drain(..written);
        }
        Poll::Ready(Ok(()))
    }

    /// Turns a pending write into an error once the peer has read nothing for `--stall-timeout`, or once the request has exceeded
    /// its deadline. [`Self::poll_end`] cannot check the deadline here, because HTTP may not read while a response is unwritten.
    fn fail_if_stalled<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stall.clear();
            return polled;
        }
        let deadline = self
            .socket
            .with_http(|http| http.clock.deadline(&self.timeouts))
            .flatten();
        let expired = self.poll_timer(cx, deadline).is_ready();
        if self.stall.poll(cx, self.socket.writes()).is_pending() && !expired {
            return Poll::Pending;
        }
        // The peer does not read the unsent bytes. A reset frees their memory in the kernel.
        self.socket.reset_on_close();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_write_http(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_own_output(cx))?;
        if let Some(receiver) = self.socket.with_http(|http| http.head_receiver.take()).flatten() {
            // actix-http writes the complete head first.
            let end = head_bytes::end(bytes).unwrap_or(bytes.len());
            if let Some(replacement) = receiver.receive(&bytes[..end]) {
                self.socket.with_http(|http| http.responding = true);
                self.own_output = replacement;
                let _ = self.poll_own_output(cx)?;
                return Poll::Ready(Ok(end));
            }
        }
        let request_len = self.socket.with_http(|http| {
            http.responding = true;
            std::mem::take(&mut http.reports_head_bytes).then(|| http.clock.head_len())
        });
        if let Some(Some(request_len)) = request_len
            && let Some((head, replaced)) = head_bytes::insert(bytes, request_len)
        {
            self.own_output = head;
            let _ = self.poll_own_output(cx)?;
            return Poll::Ready(Ok(replaced));
        }
        self.socket.poll_write(cx, bytes)
    }
}

impl<G> Drop for Http1Io<G> {
    fn drop(&mut self) {
        if !self.socket.is_handed_over() {
            self.socket.end_http();
        }
    }
}

impl<G: Unpin> AsyncRead for Http1Io<G> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.ended || this.socket.is_handed_over() {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        match this.socket.poll_read(cx, buffer) {
            Poll::Pending => this.poll_end(cx).map(Ok),
            polled => {
                let received = &buffer.filled()[before..];
                if received.is_empty() {
                    this.socket.on_disconnect();
                } else {
                    this.socket.with_http(|http| {
                        if http.clock.phase == Phase::Idle {
                            http.responding = false;
                        }
                        http.clock.received(received, Instant::now());
                    });
                }
                polled
            }
        }
    }
}

impl<G: Unpin> AsyncWrite for Http1Io<G> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(Ok(bytes.len()));
        }
        if this.socket.is_handed_over() {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        }
        let polled = this.poll_write_http(cx, bytes);
        this.fail_if_stalled(cx, polled)
    }

    /// Flushes the output and then hands the connection over, if a session waits for it. actix-http flushes once its buffer is
    /// written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.socket.is_handed_over() {
            return Poll::Ready(Ok(()));
        }
        let polled = match this.poll_own_output(cx) {
            Poll::Ready(Ok(())) => this.socket.poll_flush(cx),
            polled => polled,
        };
        ready!(this.fail_if_stalled(cx, polled))?;
        if this.socket.start_session() {
            // Makes actix-http read again. It reads the end of the stream, and its task ends.
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.socket.is_handed_over() {
            return Poll::Ready(Ok(()));
        }
        let polled = match this.poll_own_output(cx) {
            Poll::Ready(Ok(())) => this.socket.poll_shutdown(cx),
            polled => polled,
        };
        this.fail_if_stalled(cx, polled)
    }
}
