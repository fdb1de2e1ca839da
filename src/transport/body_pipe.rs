//! The bytes of a session as the body of its 101, for a connection that HTTP does not hand over.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures_core::Stream;
use thiserror::Error;

/// Maximum number of bytes in the pipe. Further writes are pending.
const CAPACITY: usize = 64 * 1024;

/// The end of the body that the session writes.
#[derive(Debug, Default)]
pub struct BodyPipe(RefCell<State>);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    end: Option<End>,
    reset: bool,
    reader_dropped: bool,
    /// Number of reads by HTTP. It wraps.
    reads: u32,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Finished,
    Reset,
}

impl BodyPipe {
    /// Creates both ends.
    pub fn new() -> (Rc<Self>, PipeBody) {
        let pipe = Rc::new(Self::default());
        (Rc::clone(&pipe), PipeBody(pipe))
    }

    pub(super) fn reset_on_close(&self) {
        self.0.borrow_mut().reset = true;
    }

    pub(super) fn reads(&self) -> u32 {
        self.0.borrow().reads
    }

    pub(super) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let state = &mut *self.0.borrow_mut();
        if state.reader_dropped {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        }
        let len = bytes.len().min(CAPACITY - state.bytes.len());
        if len == 0 {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.bytes.extend_from_slice(&bytes[..len]);
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(len))
    }

    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let state = &mut *self.0.borrow_mut();
        if state.bytes.is_empty() || state.reader_dropped {
            return Poll::Ready(Ok(()));
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(super) fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end(End::Finished);
        self.poll_flush(cx)
    }

    pub(super) fn close(&self) {
        let reset = self.0.borrow().reset;
        self.end(if reset { End::Reset } else { End::Finished });
    }

    fn end(&self, end: End) {
        let state = &mut *self.0.borrow_mut();
        state.end.get_or_insert(end);
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }
}

/// The end of the body that HTTP reads.
#[derive(Debug)]
pub struct PipeBody(Rc<BodyPipe>);

/// The error that ends the body if the session resets the connection.
#[derive(Debug, Error)]
#[error("reset on request")]
pub struct Reset;

impl Stream for PipeBody {
    type Item = Result<Bytes, Reset>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let state = &mut *self.0.0.borrow_mut();
        if let Some(End::Reset) = state.end {
            return Poll::Ready(Some(Err(Reset)));
        }
        if !state.bytes.is_empty() {
            state.reads = state.reads.wrapping_add(1);
            if let Some(writer) = state.writer.take() {
                writer.wake();
            }
            return Poll::Ready(Some(Ok(std::mem::take(&mut state.bytes).into())));
        }
        if state.end.is_some() {
            return Poll::Ready(None);
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for PipeBody {
    fn drop(&mut self) {
        let state = &mut *self.0.0.borrow_mut();
        state.reader_dropped = true;
        if let Some(writer) = state.writer.take() {
            writer.wake();
        }
    }
}
