//! The metrics in docs/observability.md, against a response of `/metrics`.

use super::markdown::{Document, code_spans};
use crate::support::{process::Process, raw::Raw};

/// Name, type, labels and HELP text of a metric.
type Metric = [String; 4];

/// Reads the metrics of an OpenMetrics exposition, in order.
fn exposed(body: &str) -> Vec<Metric> {
    let mut metrics: Vec<Metric> = Vec::new();
    for line in body.lines() {
        if let Some((family, help)) = line.strip_prefix("# HELP ").and_then(|text| text.split_once(' ')) {
            metrics.push([family.to_owned(), String::new(), String::new(), help.to_owned()]);
        } else if let Some((_, kind)) = line.strip_prefix("# TYPE ").and_then(|text| text.split_once(' ')) {
            let [name, kind_of_last, ..] = metrics.last_mut().unwrap();
            // OpenMetrics adds these suffixes to the names of the samples.
            name.push_str(match kind {
                "counter" => "_total",
                "info" => "_info",
                _ => "",
            });
            kind.clone_into(kind_of_last);
        } else if let Some((_, labels)) = line.split_once('{') {
            let labels = labels.split_once('}').unwrap().0.split("\",");
            let names: Vec<_> = labels.map(|label| label.split_once('=').unwrap().0).collect();
            // `le` is the bound of a bucket, which every histogram has.
            metrics.last_mut().unwrap()[2] = names.join(" ").replace("le", "");
        }
    }
    metrics
}

#[actix_rt::test]
async fn the_table_of_metrics_has_name_type_labels_and_help_of_each() {
    let server = Process::start(&[]).await;
    let (_, body) = Raw::connect(server.addr()).await.get("/metrics").await;
    let mut documented: Vec<Metric> = Document::read("docs/observability.md")
        .table(&["Metric", "Type", "Labels", "Help"])
        .rows
        .into_iter()
        .map(|row| {
            let name = row[0].trim_matches('`').to_owned();
            [
                name,
                row[1].clone(),
                code_spans(&row[2]).join(" "),
                row[3].clone(),
            ]
        })
        .collect();
    // The other systems do not report the figures of the process.
    documented.retain(|[name, ..]| cfg!(target_os = "linux") || !name.starts_with("process_"));
    assert_eq!(documented, exposed(&body));
}
