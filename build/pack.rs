//! The compressed copies of a file, and its entity tag.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, Write as _},
};

/// Returns the brotli stream of `bytes`, or None if it is not smaller.
pub(crate) fn brotli(bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let params = brotli::enc::BrotliEncoderParams {
        mode: brotli::enc::backward_references::BrotliEncoderMode::BROTLI_MODE_TEXT,
        size_hint: bytes.len(),
        ..Default::default() // quality 11, window 22
    };
    let mut stream = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut stream, &params)?;
    Ok(smaller(stream, bytes))
}

/// Returns the gzip stream of `bytes`, or None if it is not smaller.
pub(crate) fn gzip(bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(smaller(encoder.finish()?, bytes))
}

fn smaller(stream: Vec<u8>, bytes: &[u8]) -> Option<Vec<u8>> {
    (stream.len() < bytes.len()).then_some(stream)
}

/// Returns the opaque tag of these bytes. The same toolchain makes the same tag.
pub(crate) fn tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
