//! `GET /metrics`: the counters and gauges of the server, as OpenMetrics.

use std::fmt;

use actix_web::{HttpResponse, http::header, web};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeGaugeValue, NoLabelSet, text},
    metrics::MetricType,
    registry::{Registry, Unit},
};

use crate::{
    admission::Admission,
    metrics::{
        CloseCodeLabel, ClosedBy, Counter, Counters, FrameKind, Label, Limit, MessageType, Metrics,
        RefusalReason, Traffic,
    },
    platform::process_figures,
};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Responds with the exposition of all metrics.
pub(crate) async fn metrics(metrics: web::Data<Metrics>, admission: web::Data<Admission>) -> HttpResponse {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape { metrics, admission }));
    let mut exposition = String::with_capacity(16 * 1024);
    if text::encode(&mut exposition, &registry).is_err() {
        return HttpResponse::InternalServerError().finish();
    }
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, CONTENT_TYPE))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(exposition)
}

#[derive(Debug)]
struct Scrape {
    metrics: web::Data<Metrics>,
    admission: web::Data<Admission>,
}

/// A value of the label `direction`, with the counters that have it.
type LabelledTraffic = (&'static str, fn(&Counters) -> &Traffic);

const DIRECTIONS: [LabelledTraffic; 2] = [
    ("received", |counters| &counters.received),
    ("sent", |counters| &counters.sent),
];

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Self { metrics, admission } = self;
        let sum = |read: &dyn Fn(&Counters) -> &Counter| metrics.sum(read);

        encoder
            .encode_descriptor(
                "ws_echo_build",
                "Version of the running server.",
                None,
                MetricType::Info,
            )?
            .encode_info(&[("version", env!("CARGO_PKG_VERSION"))])?;
        gauge(
            &mut encoder,
            "ws_echo_connections",
            "Open WebSocket connections.",
            None,
            &admission.open_sessions(),
        )?;

        let mut family = Family::new(&mut encoder);
        family.counter(
            "ws_echo_connections_opened",
            "WebSocket connections opened.",
            None,
            [([], sum(&|counters| &counters.opened))],
        )?;
        let closed = ClosedBy::ALL.iter().flat_map(|by| {
            CloseCodeLabel::ALL.iter().map(move |code| {
                let labels = [("code", code.name()), ("by", by.name())];
                (
                    labels,
                    metrics.sum(|counters| &counters.closed[by.index()][code.index()]),
                )
            })
        });
        family.counter(
            "ws_echo_connections_closed",
            "WebSocket connections closed, by close code and by the side that closed first.",
            None,
            closed,
        )?;
        family.counter(
            "ws_echo_handshakes_refused",
            "WebSocket handshakes refused, by reason.",
            None,
            RefusalReason::ALL.iter().map(|reason| {
                (
                    [("reason", reason.name())],
                    sum(&|counters| &counters.refused[reason.index()]),
                )
            }),
        )?;
        family.counter(
            "ws_echo_limits_hit",
            "Times a configured limit was reached, by limit.",
            None,
            Limit::ALL.iter().map(|limit| {
                (
                    [("limit", limit.name())],
                    sum(&|counters| &counters.limits[limit.index()]),
                )
            }),
        )?;
        let data = |read: fn(&Traffic) -> &[Counter; MessageType::COUNT]| {
            DIRECTIONS.iter().flat_map(move |(direction, traffic_of)| {
                MessageType::ALL.iter().map(move |kind| {
                    let count = metrics.sum(|counters| &read(traffic_of(counters))[kind.index()]);
                    ([("direction", *direction), ("type", kind.name())], count)
                })
            })
        };
        family.counter(
            "ws_echo_messages",
            "Messages, by direction and type.",
            None,
            data(|traffic| &traffic.messages),
        )?;
        family.counter(
            "ws_echo_message",
            "Message payload after decompression, by direction and type.",
            Some(&Unit::Bytes),
            data(|traffic| &traffic.bytes),
        )?;
        family.counter(
            "ws_echo_frames",
            "Frames, by direction and type.",
            None,
            DIRECTIONS.iter().flat_map(|(direction, traffic_of)| {
                FrameKind::ALL.iter().map(move |kind| {
                    let count = metrics.sum(|counters| &traffic_of(counters).frames[kind.index()]);
                    ([("direction", *direction), ("type", kind.name())], count)
                })
            }),
        )?;
        family.counter(
            "ws_echo_deflate",
            "Payload of compressed messages, by direction, before and after compression.",
            Some(&Unit::Bytes),
            DIRECTIONS.iter().flat_map(|(direction, traffic_of)| {
                [
                    (
                        [("direction", *direction), ("form", "plain")],
                        sum(&|counters| &traffic_of(counters).deflate_plain),
                    ),
                    (
                        [("direction", *direction), ("form", "compressed")],
                        sum(&|counters| &traffic_of(counters).deflate_compressed),
                    ),
                ]
            }),
        )?;

        let (sum, buckets) = metrics.latency();
        let count = buckets.iter().map(|(_, count)| count).sum();
        encoder
            .encode_descriptor(
                "ws_echo_reply_latency_seconds",
                "Time from the last byte of a message until its reply is queued. Excludes replies that a behaviour delays.",
                None,
                MetricType::Histogram,
            )?
            .encode_histogram::<NoLabelSet>(sum.as_secs_f64(), count, &buckets, None)?;
        process(&mut encoder)
    }
}

/// Counters of one name.
struct Family<'e, 'd> {
    encoder: &'e mut DescriptorEncoder<'d>,
}

impl<'e, 'd> Family<'e, 'd> {
    fn new(encoder: &'e mut DescriptorEncoder<'d>) -> Self {
        Self { encoder }
    }

    fn counter<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        series: impl IntoIterator<Item = ([(&'static str, &'static str); N], u64)>,
    ) -> fmt::Result {
        let mut metric = self
            .encoder
            .encode_descriptor(name, help, unit, MetricType::Counter)?;
        for (labels, count) in series {
            if N == 0 {
                metric.encode_counter::<NoLabelSet, _, f64>(&count, None)?;
            } else {
                metric
                    .encode_family(&labels)?
                    .encode_counter::<NoLabelSet, _, f64>(&count, None)?;
            }
        }
        Ok(())
    }
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    value: &impl EncodeGaugeValue,
) -> fmt::Result {
    encoder
        .encode_descriptor(name, help, unit, MetricType::Gauge)?
        .encode_gauge(value)
}

/// Encodes memory, CPU time and descriptors of the process, under the names that all exporters use. A value that the system does not
/// report is left out.
fn process(encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let figures = process_figures();
    if let Some(seconds) = figures.cpu_seconds {
        encoder
            .encode_descriptor(
                "process_cpu",
                "User and system CPU time.",
                Some(&Unit::Seconds),
                MetricType::Counter,
            )?
            .encode_counter::<NoLabelSet, _, f64>(&seconds, None)?;
    }
    let bytes = Some(&Unit::Bytes);
    let start = "Start of the process since the Unix epoch.";
    known_gauge(
        encoder,
        "process_start_time",
        start,
        Some(&Unit::Seconds),
        figures.start_seconds,
    )?;
    known_gauge(
        encoder,
        "process_resident_memory",
        "Resident memory.",
        bytes,
        figures.resident_bytes,
    )?;
    known_gauge(
        encoder,
        "process_virtual_memory",
        "Virtual memory.",
        bytes,
        figures.virtual_bytes,
    )?;
    known_gauge(
        encoder,
        "process_open_fds",
        "Open file descriptors.",
        None,
        figures.open_fds,
    )?;
    let most = "Maximum number of open file descriptors.";
    known_gauge(encoder, "process_max_fds", most, None, figures.max_fds)
}

fn known_gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    value: Option<impl EncodeGaugeValue>,
) -> fmt::Result {
    value.map_or(Ok(()), |value| gauge(encoder, name, help, unit, &value))
}
