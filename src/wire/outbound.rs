//! From actix's codec to the socket, on connections that negotiated compression.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;

use super::{
    deflate::Deflater,
    frame::{BINARY, Header, MAX_HEADER, RSV1, TEXT},
};

/// The codec's frames, the data frames among them compressed where that makes them shorter.
#[derive(Debug)]
pub struct Outbound<B> {
    body: Pin<Box<B>>,
    deflater: Deflater,
}

impl<B> Outbound<B> {
    /// Compresses what `body` gives, which must be whole frames, each message in one: the codec makes no others.
    pub fn new(body: B, deflater: Deflater) -> Self {
        Self {
            body: Box::pin(body),
            deflater,
        }
    }
}

impl<B, E> Stream for Outbound<B>
where
    B: Stream<Item = Result<Bytes, E>>,
{
    type Item = Result<Bytes, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = ready!(self.body.as_mut().poll_next(cx));
        Poll::Ready(chunk.map(|chunk| chunk.map(|chunk| compress(&mut self.deflater, chunk))))
    }
}

/// Compresses the data frames in `frames`; gives them back as they are where none gets shorter.
fn compress(deflater: &mut Deflater, frames: Bytes) -> Bytes {
    let mut out: Option<BytesMut> = None;
    let mut compressed = Vec::new();
    let mut rest = &frames[..];
    while let Some((header, len)) = Header::read(rest) {
        let end = usize::try_from(header.len)
            .map_or(rest.len(), |payload| len.saturating_add(payload))
            .min(rest.len());
        let (frame, after) = rest.split_at(end);
        compressed.clear();
        if matches!(header.opcode, TEXT | BINARY) && deflater.compress(&frame[len..], &mut compressed) {
            let done = frames.len() - rest.len();
            let out = out.get_or_insert_with(|| {
                let mut out = BytesMut::with_capacity(frames.len());
                out.extend_from_slice(&frames[..done]);
                out
            });
            let header = Header {
                rsv: RSV1,
                len: compressed.len() as u64,
                ..header
            };
            out.extend_from_slice(header.write(&mut [0; MAX_HEADER]));
            out.extend_from_slice(&compressed);
        } else if let Some(out) = &mut out {
            out.extend_from_slice(frame);
        }
        rest = after;
    }
    out.map_or(frames, BytesMut::freeze)
}
