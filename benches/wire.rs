//! The wire alone, without a socket: what a message costs on its way in, and what compressing it does.
//!
//! `cargo bench --bench wire`
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "a benchmark that cannot go on says where"
)]

use std::{
    convert::Infallible,
    hint::black_box,
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::stream;
use ws_echo::{
    metrics::DataKind,
    wire::{
        Inbound, Limits, Outbound, Shape, Source,
        deflate::Deflate,
        frame::{BINARY, Header, MAX_HEADER, TEXT},
        tap::Observer,
    },
};

/// As actix-http reads from a socket.
const CHUNK: usize = 8 * 1024;

fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [1, 2, 3, 4];
    let header = Header {
        fin: true,
        rsv: 0,
        opcode,
        mask: Some(mask),
        len: payload.len() as u64,
        minimal: true,
    };
    let mut frame = header.write(&mut [0; MAX_HEADER]).to_vec();
    frame.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}

fn chunks(bytes: &[u8]) -> Vec<Result<Bytes, Infallible>> {
    bytes
        .chunks(CHUNK)
        .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
        .collect()
}

fn inbound(c: &mut Criterion) {
    let mut group = c.benchmark_group("inbound, plain");
    for (name, bytes) in [
        (
            "16 binary messages of 32 B in a chunk",
            frame(BINARY, &[7; 32]).repeat(16),
        ),
        (
            "16 text messages of 32 B in a chunk",
            frame(TEXT, &[b'x'; 32]).repeat(16),
        ),
        ("a binary message of 16 KiB", frame(BINARY, &[7; 16 * 1024])),
        ("a text message of 16 KiB", frame(TEXT, &[b'x'; 16 * 1024])),
        ("a binary message of 1 MiB", frame(BINARY, &[7; 1024 * 1024])),
        ("a text message of 1 MiB", frame(TEXT, &[b'x'; 1024 * 1024])),
    ] {
        let limits = Limits {
            message_size: 16 << 20,
            fragments: 131_072,
        };
        let chunks = chunks(&bytes);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || {
                    Inbound::new(
                        Source::new(stream::iter(chunks.clone()), None),
                        limits,
                        None,
                        Observer::default(),
                        Instant::now(),
                    )
                },
                |mut inbound| {
                    let mut cx = Context::from_waker(Waker::noop());
                    let mut chunk = inbound.chunk();
                    while let Poll::Ready(Ok(incoming)) = inbound.poll_next(&mut cx, &mut chunk) {
                        black_box(incoming);
                    }
                    inbound.rest(chunk);
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn header(c: &mut Criterion) {
    let bytes = frame(TEXT, &[b'x'; 200]);
    c.bench_function("reading a header", |bencher| {
        bencher.iter(|| Header::read(black_box(&bytes)))
    });
}

fn outbound(c: &mut Criterion) {
    let mut group = c.benchmark_group("outbound, plain");
    for (name, size) in [
        ("16 messages of 32 B", 32),
        ("16 messages of 1 KiB", 1024),
        ("16 messages of 16 KiB", 16 * 1024),
    ] {
        let payload = vec![7; size];
        group.throughput(Throughput::Bytes(16 * size as u64));
        group.bench_function(name, |bencher| {
            let mut cx = Context::from_waker(Waker::noop());
            let outbound = Outbound::new(Shape::default(), None);
            bencher.iter(|| {
                for _ in 0..16 {
                    outbound.message(DataKind::Binary, &[black_box(&payload)]);
                }
                outbound.poll_take(&mut cx)
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
    let agreed = Deflate::negotiate(["permessage-deflate"]).unwrap();
    let mut group = c.benchmark_group("deflate, JSON of about 1 KiB");
    group.throughput(Throughput::Bytes(text.len() as u64));
    let (mut deflater, mut out) = (agreed.deflater(), Vec::new());
    group.bench_function("compress", |bencher| {
        bencher.iter(|| {
            out.clear();
            deflater.compress(black_box(text), &mut out)
        });
    });
    let agreed = Deflate::negotiate(["permessage-deflate; client_no_context_takeover"]).unwrap();
    let (mut compressed, mut inflated) = (Vec::new(), Vec::new());
    agreed.deflater().compress(text, &mut compressed);
    // With the window kept: each message inflates by itself, for the first of a context refers to nothing before it.
    let mut inflater = Deflate::negotiate(["permessage-deflate"]).unwrap().inflater();
    group.bench_function("inflate", |bencher| {
        bencher.iter(|| {
            inflated.clear();
            inflater
                .push(black_box(&compressed), &mut inflated, 1 << 20)
                .unwrap();
            inflater.finish(&mut inflated, 1 << 20).unwrap();
        });
    });
    group.finish();
}

criterion_group!(benches, header, inbound, outbound, deflate);
criterion_main!(benches);
