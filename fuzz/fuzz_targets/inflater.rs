//! permessage-deflate: arbitrary bytes through the inflater, and messages through the deflater and back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ws_echo::protocol::{
    Client, Role, Server,
    deflate::{Deflate, InflateError, Inflater},
};
use ws_echo_fuzz::{Input, pieces};

fuzz_target!(|input: &[u8]| {
    let mut input = Input(input);
    let deflate = input.deflate();
    let limit = usize::from(input.word());
    let lengths = [(); 4].map(|()| input.byte());
    let (cut, releases) = (usize::from(input.word()), input.byte() & 1 == 1);
    let (first, second) = input.0.split_at(cut.min(input.0.len()));
    let messages = [first, second];
    inflate(deflate, messages, lengths, limit);
    round_trip::<Server, Client>(deflate, messages, lengths, releases);
    round_trip::<Client, Server>(deflate, messages, lengths, releases);
});

/// Decompresses one message.
fn message(inflater: &mut Inflater, pieces: &[&[u8]], limit: usize) -> Result<Vec<u8>, InflateError> {
    let mut out = Vec::new();
    for piece in pieces {
        let result = inflater.decompress(piece, &mut out, limit);
        assert!(out.len() <= limit && out.capacity() <= limit);
        result?;
    }
    let result = inflater.finish(&mut out, limit);
    assert!(out.len() <= limit && out.capacity() <= limit);
    result.map(|()| out)
}

/// Checks the decompression of arbitrary bytes: pieces change no byte of the output, and no success to a failure.
fn inflate(deflate: Deflate, messages: [&[u8]; 2], lengths: [u8; 4], limit: usize) {
    let (mut cut, mut whole) = (deflate.inflater::<Server>(), deflate.inflater::<Server>());
    for bytes in messages {
        let cut = message(&mut cut, &pieces(bytes, lengths), limit);
        let whole = message(&mut whole, &[bytes], limit);
        // The reason of a failure may differ: a message can be both corrupt and too big.
        assert_eq!(cut.is_ok(), whole.is_ok());
        match (cut, whole) {
            (Ok(cut), Ok(whole)) => assert_eq!(cut, whole),
            _ => return,
        }
    }
}

/// Compresses each message at the end `From` and decompresses it at the end `To`, with its length as the limit.
fn round_trip<From: Role, To: Role>(
    deflate: Deflate,
    messages: [&[u8]; 2],
    lengths: [u8; 4],
    releases: bool,
) {
    let (mut deflater, mut inflater) = (deflate.deflater::<From>(), deflate.inflater::<To>());
    // The messages come twice: the second time they can refer to the window.
    for plain in messages.into_iter().chain(messages) {
        let mut compressed = b"before".to_vec();
        let is_compressed = deflater.compress(plain, &mut compressed);
        let compressed = compressed
            .strip_prefix(b"before")
            .expect("earlier bytes are kept");
        if is_compressed {
            assert!(compressed.len() < plain.len());
            let out = message(&mut inflater, &pieces(compressed, lengths), plain.len());
            assert_eq!(out.as_deref(), Ok(plain));
        } else {
            assert!(compressed.is_empty());
        }
        if releases {
            deflater.release_context();
        }
    }
}
