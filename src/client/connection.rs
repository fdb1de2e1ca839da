//! An open WebSocket connection.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use actix_web::dev::Payload;
use tokio::{
    io::ReadBuf,
    time::{timeout, timeout_at},
};

use super::{
    MAX_REFUSAL,
    accept::{HandshakeError, Negotiated, Offers, verify},
    dial::dial,
    error::{ConnectError, Reason},
    event::{End, Event, FrameLog},
    facts::Facts,
    http::{exchange, read_start},
    options::Options,
    random,
    raw_frame::RawFrame,
    request_head,
    stream::Stream,
    url::Url,
};
use crate::{
    protocol::{
        Client, CloseFrame, Encoder, EncoderOptions, Incoming, Limits, MaskingKeys, Message, NoObserver,
        ReadBuffer, Role as _, handshake_key,
    },
    transport::{ByteSource, Carrier, Inbound, InputEnd, Outbound},
};

/// Time for which the body of a response other than 101 is read. The response itself has the timeout of [`Options`].
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(2);

/// An open connection. Dropping it closes the TCP connection at once, without a Close frame.
#[derive(Debug)]
pub struct Connection {
    facts: Facts,
    negotiated: Negotiated,
    inbound: Inbound<Client, FrameLog>,
    outbound: Outbound<Client, NoObserver>,
    carrier: Carrier,
    buffer: ReadBuffer,
    frames: FrameLog,
    /// Events that were decoded and not returned.
    events: VecDeque<Event>,
    input: Input,
    keys: MaskingKeys,
    sent_close: bool,
    replies: bool,
    timeout: Duration,
}

/// The purpose of reading the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Messages,
    /// After a Close or a violation: only the end of the TCP connection. RFC 6455 section 7.1.1: the server closes it first.
    End,
    Ended,
}

/// The closing handshake as [`Connection::close`] has seen it.
#[derive(Debug)]
pub struct Closed {
    /// The server's Close frame, if there was one: its body, if it had one.
    pub frame: Option<Option<CloseFrame<'static>>>,
    /// The end of the TCP connection, unless the timeout expired before.
    pub end: Option<End>,
    /// The violation that the server's bytes had.
    pub violation: Option<crate::protocol::Violation>,
}

impl Connection {
    /// Opens a connection.
    ///
    /// # Errors
    /// If a step fails or exceeds its timeout, or the response is no valid 101. The error has the facts of each step that was
    /// reached, with the start of a refusal's body.
    pub async fn connect(url: &Url, options: &Options) -> Result<Self, ConnectError> {
        let mut facts = Facts::default();
        match open(url, options, &mut facts).await {
            Ok((stream, negotiated)) => Ok(Self::new(stream, negotiated, facts, options)),
            Err(reason) => Err(ConnectError {
                reason,
                facts: Box::new(facts),
            }),
        }
    }

    fn new(stream: Stream, negotiated: Negotiated, facts: Facts, options: &Options) -> Self {
        let frames = FrameLog::new(options.frames);
        let limits = Limits {
            message_size: options.max_message_size,
            fragments: options.max_fragments,
        };
        let deflate = negotiated.deflate;
        let encoder = EncoderOptions {
            deflater: deflate.map(|deflate| deflate.deflater::<Client>()),
            fragment: options.fragment,
        };
        let mut buffer = ReadBuffer::default();
        // The server may have sent its first frames with the 101.
        buffer.append(&stream.unread);
        let carrier = stream.carrier;
        Self {
            inbound: Inbound::new(
                ByteSource::new(Payload::None, carrier.clone(), options.read_rate),
                limits,
                deflate.map(|deflate| deflate.inflater::<Client>()),
                frames.clone(),
                Instant::now(),
            ),
            outbound: Outbound::new(Encoder::new(encoder, random::masking_keys(), NoObserver), None),
            facts,
            negotiated,
            carrier,
            buffer,
            frames,
            events: VecDeque::new(),
            input: Input::Messages,
            keys: random::masking_keys(),
            sent_close: false,
            replies: options.replies,
            timeout: options.timeout,
        }
    }

    /// Returns what the client has learned while it connected.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Returns the choices of the server.
    pub fn negotiated(&self) -> &Negotiated {
        &self.negotiated
    }

    /// Returns the number of bytes that the kernel has not accepted yet.
    pub fn unwritten(&self) -> usize {
        self.outbound.unwritten()
    }

    /// Sends a message, compressed if that was negotiated and makes it shorter. Reads nothing meanwhile: to send more than the
    /// server reads before it has written its replies, call [`Self::queue`] and [`Self::next`].
    ///
    /// # Errors
    /// If the connection has failed, or the server reads nothing for the timeout. The message then is still in the queue.
    pub async fn send(&mut self, message: &Message<'_>) -> io::Result<()> {
        self.queue(message);
        self.flush().await
    }

    /// Appends a message to those that [`Self::next`] and [`Self::flush`] write.
    pub fn queue(&mut self, message: &Message<'_>) {
        self.outbound.message(message.kind, &[&message.payload]);
    }

    /// Sends a frame as it is.
    ///
    /// # Errors
    /// Those of [`Self::send`].
    pub async fn send_frame(&mut self, frame: RawFrame<'_>) -> io::Result<()> {
        let key = Client::masking_key(&mut self.keys).unwrap_or_default();
        self.send_bytes(&frame.to_bytes(key)).await
    }

    /// Sends bytes that need not be a frame.
    ///
    /// # Errors
    /// Those of [`Self::send`].
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.outbound.raw(bytes);
        self.flush().await
    }

    /// Sends a Close frame with this code and reason, or without a body. Later events still arrive.
    ///
    /// # Errors
    /// Those of [`Self::send`].
    pub async fn send_close(&mut self, body: Option<(u16, &str)>) -> io::Result<()> {
        self.queue_close(body);
        self.flush().await
    }

    fn queue_close(&mut self, body: Option<(u16, &str)>) {
        // RFC 6455 section 5.5.1: no frame after a Close.
        if !std::mem::replace(&mut self.sent_close, true) {
            self.outbound.close(body);
        }
    }

    /// Writes what is queued.
    ///
    /// # Errors
    /// Those of [`Self::send`].
    pub async fn flush(&mut self) -> io::Result<()> {
        timeout(self.timeout, poll_fn(|cx| self.poll_flush(cx)))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.outbound.poll_write(cx, &self.carrier))?;
        self.carrier.poll_flush(cx)
    }

    /// Returns the next event, or `None` after [`Event::End`]. Writes what is queued meanwhile. If the future is dropped, no event
    /// is lost.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Returns the next event as [`Self::next`] does, or `None` after the timeout, too.
    pub async fn next_in_time(&mut self) -> Option<Event> {
        let limit = self.timeout;
        timeout(limit, self.next()).await.unwrap_or(None)
    }

    /// Returns the next event as [`Self::next`] does, or `None` after `deadline`, too. A loop with one deadline ends, whatever the
    /// server sends.
    pub async fn next_before(&mut self, deadline: tokio::time::Instant) -> Option<Event> {
        timeout_at(deadline, self.next()).await.unwrap_or(None)
    }

    /// Returns the next message. Skips frames and Pongs, and Pings that were replied to. Returns `None` after the timeout, and if
    /// a Close, a violation or the end comes first.
    pub async fn next_message(&mut self) -> Option<Message<'static>> {
        let limit = self.timeout;
        let messages = async {
            loop {
                match self.next().await? {
                    Event::Message(message, _) => return Some(message),
                    Event::Frame(_) | Event::Ping(_) | Event::Pong(_) => {}
                    Event::Close(_) | Event::Violation(_) | Event::End(_) => return None,
                }
            }
        };
        timeout(limit, messages).await.unwrap_or(None)
    }

    /// Sends a Close frame unless one was sent, and returns how the server and its TCP connection end. Messages meanwhile are
    /// dropped. It takes at most the timeout.
    pub async fn close(mut self, body: Option<(u16, &str)>) -> Closed {
        self.queue_close(body);
        let mut closed = Closed {
            frame: None,
            end: None,
            violation: None,
        };
        let limit = self.timeout;
        let events = async {
            while let Some(event) = self.next().await {
                match event {
                    Event::Close(frame) => closed.frame = Some(frame),
                    Event::Violation(violation) => closed.violation = Some(violation),
                    Event::End(end) => closed.end = Some(end),
                    Event::Frame(_) | Event::Message(..) | Event::Ping(_) | Event::Pong(_) => {}
                }
            }
        };
        // After the timeout, `closed` has what came before.
        let _ = timeout(limit, events).await;
        closed
    }

    /// Resets the TCP connection.
    pub fn abort(self) {
        self.carrier.reset_on_close();
    }

    /// Ends the outgoing direction of the TCP connection by a FIN, without a Close frame. Later events still arrive.
    ///
    /// # Errors
    /// Those of [`Self::send`].
    pub async fn fin(&mut self) -> io::Result<()> {
        self.flush().await?;
        let (limit, carrier) = (self.timeout, &self.carrier);
        timeout(limit, poll_fn(|cx| carrier.poll_shutdown(cx)))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Some(event));
            }
            // If this fails, the input shows why: a Close frame may have arrived before the reset.
            let _ = self.poll_flush(cx);
            match self.input {
                Input::Messages => ready!(self.poll_message(cx)),
                Input::End => {
                    let end = ready!(self.poll_end(cx));
                    self.input = Input::Ended;
                    return Poll::Ready(Some(Event::End(end)));
                }
                Input::Ended => return Poll::Ready(None),
            }
        }
    }

    /// Decodes the next part of the input, and appends its events.
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.inbound.poll_next(cx, &mut self.buffer);
        // The frames of a message that is incomplete are events, too.
        let frames = self.frames.take();
        let is_new = !frames.is_empty();
        self.events.extend(frames.into_iter().map(Event::Frame));
        let incoming = match polled {
            Poll::Ready(incoming) => incoming,
            Poll::Pending if is_new => return Poll::Ready(()),
            Poll::Pending => return Poll::Pending,
        };
        let event = match incoming {
            Ok(Incoming::Message(message, meta)) => Event::Message(message.into_owned(), meta),
            Ok(Incoming::Ping(payload)) => {
                if self.replies && !self.sent_close {
                    self.outbound.pong(payload);
                }
                Event::Ping(payload.to_vec())
            }
            Ok(Incoming::Pong(payload)) => Event::Pong(payload.to_vec()),
            Ok(Incoming::Close(frame)) => {
                let frame = frame.map(CloseFrame::into_owned);
                if self.replies {
                    // RFC 6455 section 5.5.1: the reply has the code that was received.
                    let body = frame.as_ref().map(|frame| (frame.code, &*frame.reason));
                    self.queue_close(body);
                }
                self.input = Input::End;
                Event::Close(frame)
            }
            Err(InputEnd::Violation(violation, _)) => {
                if self.replies {
                    self.queue_close(Some((violation.close_code(), &violation.to_string())));
                }
                self.input = Input::End;
                Event::Violation(violation)
            }
            Err(InputEnd::Eof(error)) => {
                self.input = Input::Ended;
                Event::End(error.into())
            }
            // Only `Inbound::drain` ends the input so.
            Err(InputEnd::Drained(_)) => return Poll::Ready(()),
        };
        self.events.push_back(event);
        Poll::Ready(())
    }

    /// Discards bytes until the end of the TCP connection.
    fn poll_end(&self, cx: &mut Context<'_>) -> Poll<End> {
        let mut block = [0; 4096];
        loop {
            let mut block = ReadBuf::new(&mut block);
            match ready!(self.carrier.poll_read(cx, &mut block)) {
                Ok(()) if !block.filled().is_empty() => {}
                read => return Poll::Ready(read.err().into()),
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.carrier.close();
    }
}

/// Opens the TCP connection, and performs the opening handshake.
async fn open(url: &Url, options: &Options, facts: &mut Facts) -> Result<(Stream, Negotiated), Reason> {
    let key = handshake_key::key(random::nonce());
    facts.request = request_head::handshake(url, &key, options)?;
    let mut stream = Stream::new(dial(url, options, facts).await?);
    let request = facts.request.clone();
    let head = exchange(&mut stream, &request, options, facts).await?;
    let offers = Offers {
        key: &key,
        subprotocols: &options.subprotocols,
        extensions: &options.extensions,
    };
    match verify(&head, offers) {
        Ok(negotiated) => Ok((stream, negotiated)),
        Err(error) => {
            if let HandshakeError::Status(_) = error {
                let deadline = tokio::time::Instant::now() + REFUSAL_TIMEOUT.min(options.timeout);
                facts.body = read_start(stream, &head, MAX_REFUSAL, deadline).await;
            }
            Err(error.into())
        }
    }
}
