//! The time between the server's FIN and the close of the socket.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::ReadBuf,
    time::{Sleep, sleep},
};

use super::carrier::Carrier;

/// Time for which the server waits for the end of the stream after its own FIN.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Reads and discards bytes until the peer ends the stream. If a socket with unread bytes is closed, or bytes arrive after it is
/// closed, the kernel sends a reset, and the peer may then not see the FIN.
#[derive(Debug)]
pub(super) struct Linger(Pin<Box<Sleep>>);

impl Linger {
    pub(super) fn new() -> Self {
        Self(Box::pin(sleep(TIMEOUT)))
    }

    /// Returns `Ready` at the end of the stream, or when the timeout has expired.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, carrier: &Carrier) -> Poll<()> {
        let mut block = [0; 4096];
        while self.0.as_mut().poll(cx).is_pending() {
            let mut block = ReadBuf::new(&mut block);
            let read = ready!(carrier.poll_read(cx, &mut block));
            if read.is_err() || block.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(())
    }
}
