//! The body of a response, part by part as it arrives (RFC 9112 sections 6 and 7).

use std::io;

use thiserror::Error;

use super::{head::ResponseHead, stream::Stream};

/// Longest line of a chunk's size, with its extensions, or of the trailer section, in bytes.
const MAX_LINE: usize = 4096;

/// The framing of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// This number of bytes is left.
    Length(u64),
    /// Until the end of the connection.
    UntilEnd,
    /// Chunks. This number of bytes of the current one is left.
    Chunk(u64),
    /// After the data of a chunk: the line end.
    ChunkEnd,
    /// After the last chunk: lines up to an empty one.
    Trailer,
}

impl Framing {
    pub(super) fn of(head: &ResponseHead) -> Self {
        if (100..200).contains(&head.status) || matches!(head.status, 204 | 304) {
            return Self::Length(0);
        }
        if head.has_token("transfer-encoding", "chunked") {
            return Self::Chunk(0);
        }
        let length = head
            .value("content-length")
            .and_then(|length| length.parse().ok());
        length.map_or(Self::UntilEnd, Self::Length)
    }
}

/// The reason why a body is not complete.
#[derive(Debug, Error)]
pub enum BodyError {
    /// The connection ended within the body.
    #[error("the connection ended within the body")]
    Ended,
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Failed(#[from] io::Error),
    /// The bytes are no chunks.
    #[error("the body has an invalid chunk")]
    Chunk,
}

/// The body of a response. Its memory is that of one read.
#[derive(Debug)]
pub struct Body {
    stream: Stream,
    framing: Framing,
}

impl Body {
    pub(super) fn new(stream: Stream, framing: Framing) -> Self {
        Self { stream, framing }
    }

    /// Returns the next bytes as soon as they arrive, or `None` at the end of the body. If the future is dropped, nothing is lost.
    ///
    /// # Errors
    /// If the connection ends or fails within the body, or the bytes are no chunks.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, BodyError> {
        loop {
            match self.framing {
                Framing::Length(0) => return Ok(None),
                Framing::Length(left) => {
                    if let Some(part) = self.take(left) {
                        self.framing = Framing::Length(left - part.len() as u64);
                        return Ok(Some(part));
                    }
                }
                Framing::UntilEnd => {
                    if let Some(part) = self.take(u64::MAX) {
                        return Ok(Some(part));
                    }
                    if !self.stream.read_more().await? {
                        self.framing = Framing::Length(0);
                    }
                    continue;
                }
                Framing::Chunk(0) => {
                    if let Some(line) = self.line()? {
                        self.framing = match chunk_size(&line)? {
                            0 => Framing::Trailer,
                            size => Framing::Chunk(size),
                        };
                        continue;
                    }
                }
                Framing::Chunk(left) => {
                    if let Some(part) = self.take(left) {
                        self.framing = match left - part.len() as u64 {
                            0 => Framing::ChunkEnd,
                            left => Framing::Chunk(left),
                        };
                        return Ok(Some(part));
                    }
                }
                Framing::ChunkEnd => match self.line()?.as_deref() {
                    Some([]) => {
                        self.framing = Framing::Chunk(0);
                        continue;
                    }
                    Some(_) => return Err(BodyError::Chunk),
                    None => {}
                },
                Framing::Trailer => {
                    if let Some(line) = self.line()? {
                        if line.is_empty() {
                            self.framing = Framing::Length(0);
                        }
                        continue;
                    }
                }
            }
            if !self.stream.read_more().await? {
                return Err(BodyError::Ended);
            }
        }
    }

    /// Takes at most `limit` of the bytes that have arrived.
    fn take(&mut self, limit: u64) -> Option<Vec<u8>> {
        let unread = &mut self.stream.unread;
        let len = usize::try_from(limit).unwrap_or(usize::MAX).min(unread.len());
        (len > 0).then(|| unread.drain(..len).collect())
    }

    /// Takes a line without its end, if it is complete.
    fn line(&mut self) -> Result<Option<Vec<u8>>, BodyError> {
        let unread = &mut self.stream.unread;
        let Some(end) = unread.iter().position(|byte| *byte == b'\n') else {
            return if unread.len() > MAX_LINE {
                Err(BodyError::Chunk)
            } else {
                Ok(None)
            };
        };
        let mut line: Vec<u8> = unread.drain(..=end).collect();
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(line))
    }
}

/// Returns the size in the first line of a chunk.
fn chunk_size(line: &[u8]) -> Result<u64, BodyError> {
    // httparse takes a line without a digit for 0.
    if !line.first().is_some_and(u8::is_ascii_hexdigit) {
        return Err(BodyError::Chunk);
    }
    let line = [line, b"\r\n"].concat();
    match httparse::parse_chunk_size(&line) {
        Ok(httparse::Status::Complete((_, size))) => Ok(size),
        _ => Err(BodyError::Chunk),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(fields: &str) -> Framing {
        let bytes = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
        Framing::of(&ResponseHead::parse(bytes.as_bytes()).unwrap().unwrap().0)
    }

    #[test]
    fn the_fields_decide_the_framing() {
        assert_eq!(framing(""), Framing::UntilEnd);
        assert_eq!(framing("content-length: 5\r\n"), Framing::Length(5));
        assert_eq!(
            framing("Transfer-Encoding: gzip, chunked\r\nContent-Length: 5\r\n"),
            Framing::Chunk(0)
        );
    }

    #[test]
    fn the_size_of_a_chunk_is_hexadecimal() {
        assert_eq!(chunk_size(b"1aF; name=value").unwrap(), 0x1AF);
        for line in [&b""[..], b"x", b"-1", b"FFFFFFFFFFFFFFFFF"] {
            assert!(chunk_size(line).is_err(), "{}", line.escape_ascii());
        }
    }
}
