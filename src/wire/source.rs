//! What comes from the peer: first what HTTP has read already, then what the socket gives.

use std::{
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::{Stream, ready};
use tokio::io::ReadBuf;

use super::{chunk::Chunk, transport::Socket};

/// The bytes of a connection, as they come.
#[derive(Debug)]
pub struct Source<P> {
    /// None once HTTP has no more.
    read_by_http: Option<P>,
    /// None where the connection stays with HTTP.
    socket: Option<Rc<Socket>>,
    /// The last read took all that there was.
    drained: bool,
}

impl<P, E> Source<P>
where
    P: Stream<Item = Result<Bytes, E>> + Unpin,
{
    /// Reads `payload` to its end, and then `socket`.
    pub fn new(payload: P, socket: Option<Rc<Socket>>) -> Self {
        Self {
            read_by_http: Some(payload),
            socket,
            drained: false,
        }
    }

    /// Whoever reads was woken: most often by what has come, and then to try costs less than to ask first.
    pub(super) fn woken(&mut self) {
        self.drained = false;
    }

    /// Reads to the end of `chunk`, where `awaited` bytes of a payload are to come, and returns how much; nothing is the
    /// end.
    ///
    /// # Errors
    /// When the connection is broken.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        chunk: &mut Chunk,
        awaited: u64,
    ) -> Poll<io::Result<usize>> {
        while let Some(payload) = &mut self.read_by_http {
            match ready!(Pin::new(payload).poll_next(cx)) {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(bytes)) => {
                    chunk.push(&bytes);
                    return Poll::Ready(Ok(bytes.len()));
                }
                // Its end is an error where HTTP expected more; what that means is for the socket to say.
                Some(Err(_)) | None => self.read_by_http = None,
            }
        }
        let Some(socket) = &self.socket else {
            return Poll::Ready(Ok(0));
        };
        if self.drained {
            ready!(socket.poll_readable(cx))?;
        }
        let mut room = ReadBuf::new(chunk.room(awaited));
        ready!(socket.poll_read(cx, &mut room))?;
        let read = room.filled().len();
        self.drained = room.remaining() > 0;
        chunk.filled(read);
        Poll::Ready(Ok(read))
    }
}
