//! Benchmarks of two pure parts of a session: the reply to a message, and the parser of the query.
//!
//! `cargo bench -p micro-benchmarks --bench session`
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "a benchmark fails with a panic"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ws_echo::{
    protocol::{DataKind, Message, MessageMeta},
    session::{
        behaviour::Behaviour,
        reply::{Received, ReplyContext, ReplyMode},
    },
};

/// Milliseconds since the Unix epoch, with the number of digits of a real timestamp.
const NOW: u64 = 1_800_000_000_000;

fn reply(c: &mut Criterion) {
    let context = ReplyContext {
        prefix: "客户端发送的信息：",
        connection: None,
    };
    let mut group = c.benchmark_group("reply to a message");
    for (name, mode, kind, size) in [
        ("verbatim, 32 B", ReplyMode::Verbatim, DataKind::Binary, 32),
        ("stamped, a text of 32 B", ReplyMode::Stamped, DataKind::Text, 32),
        ("stamped, 32 B binary", ReplyMode::Stamped, DataKind::Binary, 32),
        ("json, a text of 32 B", ReplyMode::Json, DataKind::Text, 32),
        (
            "json, a text of 16 KiB",
            ReplyMode::Json,
            DataKind::Text,
            16 * 1024,
        ),
        (
            "json, 16 KiB binary",
            ReplyMode::Json,
            DataKind::Binary,
            16 * 1024,
        ),
    ] {
        let payload = vec![b'x'; size];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let received = Received {
                    message: Message {
                        kind,
                        payload: black_box(&payload[..]).into(),
                    },
                    seq: 1,
                    received_at: NOW,
                    meta: MessageMeta {
                        frames: 1,
                        compressed: false,
                    },
                };
                let reply = mode.reply(received, context, NOW).unwrap();
                reply.parts().iter().map(|part| part.len()).sum::<usize>()
            });
        });
    }
    group.finish();
}

fn behaviour(c: &mut Criterion) {
    let mut group = c.benchmark_group("parse a query");
    for (name, query) in [
        ("empty", ""),
        ("one key", "reply=verbatim"),
        (
            "ten keys",
            "reply=json&delay=250ms&jitter=1s&drop=0.1&duplicate=0.2&seed=7&fragment=100&rate=20000&close=4000:bye&after=10",
        ),
        ("an unknown key", "token=eyJhbGciOiJIUzI1NiJ9"),
        ("an invalid value", "delay=soon"),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| Behaviour::from_query(black_box(query), 1 << 20, |_| ()));
        });
    }
    group.finish();
}

criterion_group!(benches, reply, behaviour);
criterion_main!(benches);
