//! The events of a connection.

use std::{cell::RefCell, io, rc::Rc};

use crate::protocol::{CloseFrame, Direction, Message, MessageMeta, Observer, TapEvent, Violation};

/// An event of a connection, in the order of arrival.
#[derive(Debug)]
pub enum Event {
    /// A frame, with [`super::Options::frames`]. The message, Ping, Pong or Close that ends with it follows.
    Frame(Frame),
    /// A message.
    Message(Message<'static>, MessageMeta),
    /// A Ping with its payload.
    Ping(Vec<u8>),
    /// A Pong with its payload.
    Pong(Vec<u8>),
    /// A Close frame, with its body if it has one. Bytes after it are discarded.
    Close(Option<CloseFrame<'static>>),
    /// The server broke the protocol or a limit. Bytes after the invalid frame are discarded.
    Violation(Violation),
    /// The TCP connection ended. No event follows.
    End(End),
}

/// The end of a TCP connection.
#[derive(Debug)]
pub enum End {
    /// By a FIN, with TLS after a close_notify or without one.
    Fin,
    /// By a reset.
    Reset,
    /// By another error, such as one of TLS.
    Failed(io::Error),
}

impl From<Option<io::Error>> for End {
    fn from(error: Option<io::Error>) -> Self {
        match error {
            None => Self::Fin,
            Some(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionReset
                        | io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::BrokenPipe
                ) =>
            {
                Self::Reset
            }
            Some(error) => Self::Failed(error),
        }
    }
}

/// A received frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Whether it is the last frame of its message.
    pub fin: bool,
    /// RSV1, RSV2 and RSV3 as the bits 4, 2 and 1.
    pub rsv: u8,
    /// The opcode.
    pub opcode: u8,
    /// The length of the payload in bytes.
    pub len: u64,
    /// The first 64 bytes of the payload, not decompressed.
    pub start: Vec<u8>,
}

/// Stores the received frames, if the caller has asked for them.
#[derive(Debug, Clone, Default)]
pub(super) struct FrameLog(Option<Rc<RefCell<Vec<Frame>>>>);

impl FrameLog {
    pub(super) fn new(enabled: bool) -> Self {
        Self(enabled.then(Rc::default))
    }

    /// Removes the frames that have arrived since the last call.
    pub(super) fn take(&self) -> Vec<Frame> {
        self.0.as_ref().map(|frames| frames.take()).unwrap_or_default()
    }
}

impl Observer for FrameLog {
    fn taps(&self) -> bool {
        self.0.is_some()
    }

    fn on_tap(&self, event: &TapEvent<'_>) {
        if let (Some(frames), TapEvent::Frame(frame)) = (&self.0, event)
            && frame.direction == Direction::Received
        {
            frames.borrow_mut().push(Frame {
                fin: frame.header.fin,
                rsv: frame.header.rsv,
                opcode: frame.header.opcode,
                len: frame.header.len,
                start: frame.wire_start.to_vec(),
            });
        }
    }
}
