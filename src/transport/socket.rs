//! One TCP connection and its owner: first HTTP/1.1, and the session after the upgrade.

use std::{
    cell::{Cell, RefCell},
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Instant,
};

use futures_core::future::LocalBoxFuture;
use tokio::{
    io::{AsyncRead as _, AsyncWrite as _, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use super::{
    buffered_tcp::BufferedTcp,
    request_clock::RequestClock,
    stream::Stream,
    tcp::Tcp,
    tls_stream::{Tls, TlsInfo},
};

/// A connection that HTTP, the handlers of its requests and the session share.
#[derive(Debug)]
pub struct Socket {
    /// `None` once the connection is closed.
    stream: RefCell<Option<Stream>>,
    reset: Cell<bool>,
    tls: Option<Box<TlsInfo>>,
    owner: RefCell<Owner>,
    /// `None` after the hand-over, so that a session keeps no memory of its request.
    pub(super) http: RefCell<Option<Box<HttpState>>>,
}

/// The state of HTTP on the connection.
#[derive(Debug)]
pub(super) struct HttpState {
    pub(super) clock: RequestClock,
    /// Whether bytes of a response were written since the request started.
    pub(super) responding: bool,
    /// Whether the next response gets the field `X-Head-Bytes`.
    pub(super) reports_head_bytes: bool,
    /// Receives the head of the next response.
    pub(super) head_receiver: Option<HeadReceiver>,
    /// Whether the peer has ended the connection, or the connection has failed.
    disconnected: bool,
    /// Woken when `disconnected` becomes true.
    disconnect_waker: Option<Waker>,
}

type OnHead = dyn FnOnce(&[u8]) -> Option<Vec<u8>>;

/// A function that receives the head of a response, and can replace it.
pub(super) struct HeadReceiver(Box<OnHead>);

impl HeadReceiver {
    /// Returns the bytes to write instead of the head, if there are any.
    pub(super) fn receive(self, head: &[u8]) -> Option<Vec<u8>> {
        (self.0)(head)
    }
}

impl fmt::Debug for HeadReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeadReceiver")
    }
}

/// The owner of a connection. Only the owner reads and writes.
#[derive(Default)]
enum Owner {
    #[default]
    Http,
    /// HTTP until its output is flushed, and then this session.
    HttpUntilFlushed(LocalBoxFuture<'static, ()>),
    Session,
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "Http",
            Self::HttpUntilFlushed(_) => "HttpUntilFlushed",
            Self::Session => "Session",
        })
    }
}

impl Socket {
    /// Creates the socket of a connection that a client has opened. No HTTP server reads it, so the caller owns it from the start.
    pub fn client(io: TcpStream) -> Self {
        Self::owned_by(Owner::Session, Stream::Plain(Tcp::new(io)), None)
    }

    /// Creates the socket of a client whose TLS handshake is complete.
    pub fn tls_client(stream: TlsStream<BufferedTcp>) -> Self {
        let stream = Stream::Tls(Box::new(Tls::new(stream.into())));
        Self::owned_by(Owner::Session, stream, None)
    }

    /// Creates the socket of a connection that the server has accepted.
    pub(super) fn new(stream: Stream) -> Self {
        let http = HttpState {
            clock: RequestClock::new(Instant::now()),
            responding: false,
            reports_head_bytes: false,
            head_receiver: None,
            disconnected: false,
            disconnect_waker: None,
        };
        Self::owned_by(Owner::Http, stream, Some(Box::new(http)))
    }

    fn owned_by(owner: Owner, stream: Stream, http: Option<Box<HttpState>>) -> Self {
        let tls = match &stream {
            Stream::Plain(_) => None,
            Stream::Tls(tls) => Some(Box::new(tls.info())),
        };
        Self {
            stream: RefCell::new(Some(stream)),
            reset: Cell::default(),
            tls,
            owner: RefCell::new(owner),
            http: RefCell::new(http),
        }
    }

    /// Returns the parameters of TLS, or `None` for a connection without TLS.
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.tls.as_deref()
    }

    /// Returns the current request's request line and header section, with the empty line at its end. Returns
    /// no bytes if they are more than 16 KiB, or were taken before.
    pub fn take_head(&self) -> Vec<u8> {
        self.with_http(|http| http.clock.take_head()).unwrap_or_default()
    }

    /// Records that a handler was called with the request. The caller drops the result once the response is
    /// sent.
    pub fn request_handled(self: &Rc<Self>) -> Serving {
        self.with_http(|http| http.clock.handled(Instant::now()));
        Serving(Rc::clone(self))
    }

    /// Records that the handler awaits the body. The body then has a deadline.
    pub fn await_body(&self) {
        self.with_http(|http| http.clock.await_body());
    }

    /// Records that the handler has received the complete body.
    pub fn body_received(&self) {
        self.with_http(|http| http.clock.complete());
    }

    /// Adds the field `X-Head-Bytes` to the response to the current request.
    pub fn report_head_bytes(&self) {
        self.with_http(|http| http.reports_head_bytes = true);
    }

    /// Passes the head of the response to the current request to `receive` when it is written, with the empty
    /// line at its end. If `receive` returns bytes, even none, they are written instead.
    pub fn on_response_head(&self, receive: impl FnOnce(&[u8]) -> Option<Vec<u8>> + 'static) {
        self.with_http(|http| http.head_receiver = Some(HeadReceiver(Box::new(receive))));
    }

    /// Resolves once the peer has ended the connection, or the connection has failed.
    pub async fn disconnected(&self) {
        poll_fn(|cx| match &mut *self.http.borrow_mut() {
            Some(http) if !http.disconnected => {
                http.disconnect_waker = Some(cx.waker().clone());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        })
        .await;
    }

    /// Makes the next close a reset (RFC 9293 section 3.10.5, ABORT), which drops unsent bytes.
    pub fn reset_on_close(&self) {
        self.reset.set(true);
    }

    /// Makes the kernel store fewer unread bytes.
    pub(super) fn limit_receive_buffer(&self) {
        if let Some(stream) = &*self.stream.borrow() {
            stream.tcp().limit_receive_buffer();
        }
    }

    /// Makes each later read that would be pending try the kernel.
    pub(super) fn bypass_readiness(&self) {
        if let Some(stream) = &mut *self.stream.borrow_mut() {
            stream.tcp_mut().bypass_readiness();
        }
    }

    /// Returns a number that changes whenever the kernel accepts bytes.
    pub(super) fn writes(&self) -> u32 {
        self.stream
            .borrow()
            .as_ref()
            .map_or(0, |stream| stream.tcp().writes())
    }

    /// Reads to `buffer`. A read of 0 bytes is the end of the stream.
    #[inline]
    pub(super) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut *self.stream.borrow_mut() {
            Some(stream) => Pin::new(stream).poll_read(cx, buffer),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Returns `Ready` if a read may return bytes. This costs less than a read.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &*self.stream.borrow() {
            Some(stream) => stream.poll_readable(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    #[inline]
    pub(super) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self.stream.borrow_mut() {
            Some(stream) => Pin::new(stream).poll_write(cx, bytes),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Without TLS there is no buffer: each written byte is in the kernel.
        if self.tls.is_none() {
            return Poll::Ready(Ok(()));
        }
        match &mut *self.stream.borrow_mut() {
            Some(stream) => Pin::new(stream).poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    pub(super) fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self.stream.borrow_mut() {
            // The close sends a reset. A FIN or a close_notify before it would look like a regular end.
            Some(_) if self.reset.get() => Poll::Ready(Ok(())),
            Some(stream) => Pin::new(stream).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Closes the connection, even if other references to it exist.
    pub(super) fn close(&self) {
        if let Some(stream) = self.stream.borrow_mut().take() {
            stream.close(self.reset.get());
        }
    }

    /// Hands the connection over to `session` once HTTP's output is flushed. HTTP then reads the end of the
    /// stream.
    pub(super) fn hand_over(&self, session: LocalBoxFuture<'static, ()>) {
        *self.owner.borrow_mut() = Owner::HttpUntilFlushed(session);
    }

    /// Returns whether the session owns the connection.
    pub(super) fn is_handed_over(&self) -> bool {
        matches!(*self.owner.borrow(), Owner::Session)
    }

    /// Hands the connection over if a session waits for it, and starts the session. HTTP's output must be
    /// flushed. Returns whether a session has started.
    pub(super) fn start_session(&self) -> bool {
        let mut owner = self.owner.borrow_mut();
        match std::mem::take(&mut *owner) {
            Owner::HttpUntilFlushed(session) => {
                tokio::task::spawn_local(session);
                *owner = Owner::Session;
                self.http.take();
                true
            }
            other => {
                *owner = other;
                false
            }
        }
    }

    /// Closes the connection when HTTP ends without a hand-over.
    pub(super) fn end_http(&self) {
        // Drops a session that waits for the connection. It refers to this socket, and such a cycle would
        // never be freed.
        self.owner.take();
        self.on_disconnect();
        self.close();
    }

    pub(super) fn on_disconnect(&self) {
        let waker = self.with_http(|http| {
            http.disconnected = true;
            http.disconnect_waker.take()
        });
        if let Some(waker) = waker.flatten() {
            waker.wake();
        }
    }

    /// Calls `f` with the state of HTTP. Returns `None` after the hand-over.
    pub(super) fn with_http<T>(&self, f: impl FnOnce(&mut HttpState) -> T) -> Option<T> {
        self.http.borrow_mut().as_deref_mut().map(f)
    }
}

/// A response in progress. When it is dropped, the response counts as sent.
#[derive(Debug)]
pub struct Serving(Rc<Socket>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.with_http(|http| {
            http.clock.served();
        });
    }
}
