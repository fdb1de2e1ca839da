//! Benchmarks of the protocol without a socket: decoding, encoding and compressing a message.
//!
//! `cargo bench -p micro-benchmarks --bench protocol`
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark fails with a panic")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ws_echo::protocol::{
    Client,
    DataKind::{self, Binary, Text},
    Decoder, Encoder, EncoderOptions, Limits, MaskingKeys, NoObserver, ReadBuffer, Server,
    deflate::Deflate,
    frame::Header,
};

/// Bytes of a read while no large payload is incomplete.
const READ: usize = 64 * 1024;

fn frame(kind: DataKind, payload: &[u8]) -> Vec<u8> {
    let keys = MaskingKeys::new(|| [1, 2, 3, 4]);
    let mut encoder = Encoder::<Client, _>::new(EncoderOptions::default(), keys, NoObserver);
    let mut frame = Vec::new();
    encoder.message(kind, &[payload], &mut Vec::new(), &mut frame);
    frame
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode, plain");
    for (name, bytes) in [
        ("16 binary messages of 32 B", frame(Binary, &[7; 32]).repeat(16)),
        ("16 text messages of 32 B", frame(Text, &[b'x'; 32]).repeat(16)),
        ("a binary message of 16 KiB", frame(Binary, &[7; 16 * 1024])),
        ("a text message of 16 KiB", frame(Text, &[b'x'; 16 * 1024])),
        ("a binary message of 1 MiB", frame(Binary, &[7; 1024 * 1024])),
        ("a text message of 1 MiB", frame(Text, &[b'x'; 1024 * 1024])),
    ] {
        let limits = Limits {
            message_size: 16 << 20,
            fragments: 131_072,
        };
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || {
                    (
                        Decoder::<Server, _>::new(limits, None, NoObserver),
                        ReadBuffer::default(),
                    )
                },
                |(decoder, buffer)| {
                    for read in bytes.chunks(READ) {
                        buffer.append(read);
                        while let Some(decoded) = decoder.decode(buffer).unwrap() {
                            black_box(decoded.within(buffer));
                        }
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
    let bytes = frame(Text, &[b'x'; 200]);
    c.bench_function("read a header", |bencher| {
        bencher.iter(|| Header::read(black_box(&bytes)))
    });
}

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode, plain");
    for (name, size) in [
        ("16 messages of 32 B", 32),
        ("16 messages of 1 KiB", 1024),
        ("16 messages of 16 KiB", 16 * 1024),
    ] {
        let payload = vec![7; size];
        let mut encoder = Encoder::<Server, _>::new(EncoderOptions::default(), (), NoObserver);
        let mut out = Vec::new();
        group.throughput(Throughput::Bytes(16 * size as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                for _ in 0..16 {
                    encoder.message(Binary, &[black_box(&payload)], &mut Vec::new(), &mut out);
                }
                out.len()
            });
        });
    }
    group.finish();
}

fn deflate(c: &mut Criterion) {
    let text: String = (0..20)
        .map(|i| format!("{{\"id\":{i},\"name\":\"sensor {i}\",\"value\":{}}},", i * 37))
        .collect();
    let text = &text.as_bytes()[..text.len().min(1024)];
    let negotiated = Deflate::negotiate(["permessage-deflate"]).unwrap();
    let mut group = c.benchmark_group("deflate, JSON of about 1 KiB");
    group.throughput(Throughput::Bytes(text.len() as u64));
    let (mut deflater, mut out) = (negotiated.deflater::<Server>(), Vec::new());
    group.bench_function("compress", |bencher| {
        bencher.iter(|| {
            out.clear();
            deflater.compress(black_box(text), &mut out)
        });
    });
    // The first message of a context refers to no earlier one, so it can be decompressed repeatedly.
    let (mut compressed, mut plain) = (Vec::new(), Vec::new());
    negotiated.deflater::<Client>().compress(text, &mut compressed);
    let mut inflater = negotiated.inflater::<Server>();
    group.bench_function("decompress", |bencher| {
        bencher.iter(|| {
            plain.clear();
            inflater
                .decompress(black_box(&compressed), &mut plain, 1 << 20)
                .unwrap();
            inflater.finish(&mut plain, 1 << 20).unwrap();
        });
    });
    group.finish();
}

criterion_group!(benches, decode, encode, deflate);
criterion_main!(benches);
