//! One TCP connection and its owner: HTTP/1.1 first, then the session after the upgrade.

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
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

use super::{request_clock::RequestClock, stream::Stream, tls_stream::TlsInfo};

/// A connection, shared by HTTP, the handlers of its requests and the session.
#[derive(Debug)]
pub struct Socket {
    /// None once the connection is closed.
    stream: RefCell<Option<Stream>>,
    reset: Cell<bool>,
    tls: Option<Box<TlsInfo>>,
    owner: RefCell<Owner>,
    /// None after the hand-over: a session keeps nothing of its request.
    pub(super) http: RefCell<Option<Box<HttpState>>>,
}

/// The state of HTTP on the connection.
#[derive(Debug)]
pub(super) struct HttpState {
    pub(super) clock: RequestClock,
    /// Whether bytes of a response were written since the request began.
    pub(super) responding: bool,
    /// Whether the next response gets `X-Head-Bytes`.
    pub(super) reports_head_bytes: bool,
    /// Whether the peer has ended the connection, or it has failed.
    peer_gone: bool,
    waiting: Option<Waker>,
}

/// The owner, which reads and writes the connection.
#[derive(Default)]
enum Owner {
    #[default]
    Http,
    /// HTTP, until its output is flushed, and then this session.
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
    pub(super) fn new(stream: Stream) -> Self {
        let tls = match &stream {
            Stream::Plain(_) => None,
            Stream::Tls(tls) => Some(Box::new(tls.info())),
        };
        Self {
            stream: RefCell::new(Some(stream)),
            reset: Cell::default(),
            tls,
            owner: RefCell::default(),
            http: RefCell::new(Some(Box::new(HttpState {
                clock: RequestClock::new(Instant::now()),
                responding: false,
                reports_head_bytes: false,
                peer_gone: false,
                waiting: None,
            }))),
        }
    }

    /// Returns the parameters of TLS. None on a plain connection.
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.tls.as_deref()
    }

    /// Returns the bytes of the current request's head, with its empty line. Empty if it is longer than 16 KiB or was taken before.
    pub fn take_head(&self) -> Vec<u8> {
        self.with_http(|http| http.clock.take_head()).unwrap_or_default()
    }

    /// Records that a handler has the request. The caller drops the result when the response is done.
    pub fn request_handled(self: &Rc<Self>) -> Serving {
        self.with_http(|http| http.clock.handled(Instant::now()));
        Serving(Rc::clone(self))
    }

    /// Records that the handler reads the body, which has a deadline from now on.
    pub fn await_body(&self) {
        self.with_http(|http| http.clock.await_body());
    }

    /// Records that the handler has received the complete body.
    pub fn body_received(&self) {
        self.with_http(|http| http.clock.complete());
    }

    /// Adds `X-Head-Bytes` to the response to the current request.
    pub fn report_head_bytes(&self) {
        self.with_http(|http| http.reports_head_bytes = true);
    }

    /// Resolves once the peer has ended the connection, or it has failed.
    pub async fn peer_gone(&self) {
        poll_fn(|cx| match &mut *self.http.borrow_mut() {
            Some(http) if !http.peer_gone => {
                http.waiting = Some(cx.waker().clone());
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

    /// Makes each later read that would be pending read from the kernel.
    pub(super) fn ask_kernel(&self) {
        if let Some(stream) = &mut *self.stream.borrow_mut() {
            stream.tcp_mut().ask_kernel();
        }
    }

    /// Returns a number that changes whenever the kernel accepts bytes.
    pub(super) fn writes(&self) -> u32 {
        self.stream
            .borrow()
            .as_ref()
            .map_or(0, |stream| stream.tcp().writes())
    }

    /// Reads to `buffer`. A read of no bytes is the end.
    #[inline]
    pub(super) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut *self.stream.borrow_mut() {
            Some(stream) => Pin::new(stream).poll_read(cx, buffer),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Is ready if a read may find bytes. Costs less than a read.
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
        // The kernel has all that was written to a plain connection.
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
            // A reset must not come after a FIN or a close_notify.
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

    /// Hands the connection over to `session` once HTTP's output is flushed. HTTP then reads the end of the stream.
    pub(super) fn hand_over(&self, session: LocalBoxFuture<'static, ()>) {
        *self.owner.borrow_mut() = Owner::HttpUntilFlushed(session);
    }

    /// Whether the session owns the connection.
    pub(super) fn is_handed_over(&self) -> bool {
        matches!(*self.owner.borrow(), Owner::Session)
    }

    /// Starts the session that waits for the connection, after HTTP's output is flushed. Returns whether there was one.
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
        // A waiting session refers to this socket, so without this neither would ever be dropped.
        self.owner.take();
        self.note_peer_gone();
        self.close();
    }

    pub(super) fn note_peer_gone(&self) {
        let waiting = self.with_http(|http| {
            http.peer_gone = true;
            http.waiting.take()
        });
        if let Some(waker) = waiting.flatten() {
            waker.wake();
        }
    }

    pub(super) fn with_http<T>(&self, with: impl FnOnce(&mut HttpState) -> T) -> Option<T> {
        self.http.borrow_mut().as_deref_mut().map(with)
    }
}

/// A response in progress. Dropping it records that the response is done.
#[derive(Debug)]
pub struct Serving(Rc<Socket>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.with_http(|http| {
            http.clock.served();
        });
    }
}
