//! JSON, with the schema docs/check.schema.json.

use serde::Serialize as _;

use crate::{check::report::Report, escape::EscapingJson};

/// Returns one line.
pub fn write(report: &Report) -> String {
    let mut out = Vec::new();
    // Writing to memory does not fail, and each key is a string.
    let _ = report.serialize(&mut serde_json::Serializer::with_formatter(
        &mut out,
        EscapingJson,
    ));
    out.push(b'\n');
    String::from_utf8_lossy(&out).into_owned()
}
