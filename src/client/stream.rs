//! The bytes of a connection that the client has opened, before frames.

use std::{
    future::poll_fn,
    io,
    task::{Poll, ready},
};

use tokio::io::ReadBuf;

use crate::transport::Carrier;

/// Size of a read in bytes.
const READ: usize = 16 * 1024;

/// A connection, and the bytes that were read and not used.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) carrier: Carrier,
    pub(super) unread: Vec<u8>,
}

impl Stream {
    pub(super) fn new(carrier: Carrier) -> Self {
        Self {
            carrier,
            unread: Vec::new(),
        }
    }

    pub(super) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        poll_fn(|cx| {
            while !bytes.is_empty() {
                let written = ready!(self.carrier.poll_write(cx, bytes))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                bytes = &bytes[written..];
            }
            self.carrier.poll_flush(cx)
        })
        .await
    }

    /// Reads more bytes to `unread`. Returns false at the end of the stream.
    pub(super) async fn read_more(&mut self) -> io::Result<bool> {
        // Not a part of `unread`: a future that is dropped leaves it as it was.
        let mut block = vec![0; READ];
        let mut block = ReadBuf::new(&mut block);
        poll_fn(|cx| self.carrier.poll_read(cx, &mut block)).await?;
        self.unread.extend_from_slice(block.filled());
        Ok(!block.filled().is_empty())
    }
}
