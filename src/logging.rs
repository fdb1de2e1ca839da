//! The format of the log: text or JSON, one line for each record.
//!
//! Any value may contain bytes from a peer. Each value is escaped here, so that no peer can end or start a line, or move a
//! terminal's cursor.

use std::{
    env,
    fmt::{self, Write as _},
    io::{self, Write as _},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use anstream::{AutoStream, ColorChoice};
use env_logger::{Builder, Env, fmt::Formatter};
use log::{
    Level, LevelFilter, Record,
    kv::{self, Key, Value, VisitSource, VisitValue},
};
use serde::{Serializer as _, ser::SerializeMap};

use crate::{
    config::LogFormat,
    escape::{EscapingJson, escaped},
};

/// The target of actix-server's errors of accept. It logs one for each try, twice a second.
const ACCEPT: &str = "actix_server::accept";

/// Minimum time between two of these errors in the log.
const ACCEPT_EVERY: Duration = Duration::from_secs(1);

/// Starts the log on standard error. `RUST_LOG` filters it, by default with `info`. `RUST_LOG_STYLE` switches colours on or
/// off. By default only a terminal gets colours.
pub fn start(format: LogFormat) {
    let accept = Throttle::default();
    let coloured = is_coloured();
    Builder::new()
        // A lost connection is no error, and ws-echo logs the other events of these two crates itself.
        .filter_module("actix_http", LevelFilter::Off)
        .filter_module("actix_server", LevelFilter::Warn)
        .parse_env(Env::default().default_filter_or("info"))
        .format(move |out, record| {
            if record.target() == ACCEPT && !accept.allow(Instant::now()) {
                return Ok(());
            }
            // Not env_logger's own timestamps: their crate takes longer to compile than env_logger.
            let now = SystemTime::now();
            match format {
                LogFormat::Text => write_text(out, now, coloured, record),
                LogFormat::Json => {
                    let time = humantime::format_rfc3339_millis(now).to_string();
                    write_json(out, &time, record)
                }
            }
        })
        .init();
}

/// Allows one record in each [`ACCEPT_EVERY`].
#[derive(Debug, Default)]
struct Throttle(Mutex<Option<Instant>>);

impl Throttle {
    fn allow(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| now.saturating_duration_since(last) >= ACCEPT_EVERY);
        if due {
            *last = Some(now);
        }
        due
    }
}

/// Returns whether the log has colours. Called once, because env_logger would colour each line and remove the colours again
/// for a file.
fn is_coloured() -> bool {
    match env::var("RUST_LOG_STYLE").as_deref() {
        Ok("always") => true,
        Ok("never") => false,
        _ => AutoStream::choice(&io::stderr()) != ColorChoice::Never,
    }
}

/// Writes `[time LEVEL target] event key=value key="a value"`.
fn write_text(out: &mut Formatter, now: SystemTime, coloured: bool, record: &Record<'_>) -> io::Result<()> {
    let time = humantime::format_rfc3339_seconds(now);
    let (level, target) = (record.level(), record.target());
    let (style, plain) = if coloured {
        (style(level), "\x1B[0m")
    } else {
        ("", "")
    };
    let event = event_with_fields(record);
    writeln!(out, "[{time} {style}{level:<5}{plain} {target}] {event}")
}

/// Returns the SGR sequence of ECMA-48 for a level.
fn style(level: Level) -> &'static str {
    match level {
        Level::Error => "\x1B[1;31m",
        Level::Warn => "\x1B[33m",
        Level::Info => "\x1B[32m",
        Level::Debug => "\x1B[34m",
        Level::Trace => "\x1B[36m",
    }
}

/// Returns the event and its fields.
fn event_with_fields(record: &Record<'_>) -> String {
    let mut line = String::with_capacity(256);
    match record.args().as_str() {
        Some(message) => line.push_str(&escaped(message)),
        None => line.push_str(&escaped(&record.args().to_string())),
    }
    // Fails only if the `Display` of a value fails. The rest of the line is still useful.
    let _ = record.key_values().visit(&mut Text(&mut line));
    line
}

/// Appends fields to a line.
struct Text<'l>(&'l mut String);

impl<'kvs> VisitSource<'kvs> for Text<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        if is_null(&value) {
            return Ok(());
        }
        let line = &mut *self.0;
        line.push(' ');
        line.push_str(key.as_str());
        line.push('=');
        let start = line.len();
        let written = write!(line, "{value}");
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"';
        if line.len() == start || !line[start..].bytes().all(plain) {
            let value = line.split_off(start);
            line.push('"');
            for char in value.chars() {
                // `escape_debug` would escape an apostrophe too.
                match char {
                    '\'' => line.push('\''),
                    _ => line.extend(char.escape_debug()),
                }
            }
            line.push('"');
        }
        Ok(written?)
    }
}

/// Writes one object: `time`, `level`, `target`, the event as `message`, and the fields.
fn write_json(out: &mut impl io::Write, time: &str, record: &Record<'_>) -> io::Result<()> {
    let mut line = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::with_formatter(&mut line, EscapingJson);
    let mut object = serializer.serialize_map(None)?;
    object.serialize_entry("time", time)?;
    object.serialize_entry("level", &Lower(record.level()))?;
    object.serialize_entry("target", record.target())?;
    object.serialize_entry("message", &AsDisplay(record.args()))?;
    record
        .key_values()
        .visit(&mut Json(&mut object))
        .map_err(io::Error::other)?;
    object.end()?;
    line.push(b'\n');
    out.write_all(&line)
}

/// Adds fields to an object.
struct Json<'m, M>(&'m mut M);

impl<'kvs, M: SerializeMap> VisitSource<'kvs> for Json<'_, M> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let key = key.as_str();
        let done = if is_null(&value) {
            return Ok(());
        } else if let Some(number) = value.to_u64() {
            self.0.serialize_entry(key, &number)
        } else if let Some(switch) = value.to_bool() {
            self.0.serialize_entry(key, &switch)
        } else {
            self.0.serialize_entry(key, &AsDisplay(&value))
        };
        done.map_err(|error| kv::Error::boxed(error.to_string()))
    }
}

/// Returns whether a value is null. Null values are left out.
fn is_null(value: &Value<'_>) -> bool {
    struct IsNull(bool);
    impl VisitValue<'_> for IsNull {
        fn visit_any(&mut self, _: Value<'_>) -> Result<(), kv::Error> {
            Ok(())
        }
        fn visit_null(&mut self) -> Result<(), kv::Error> {
            self.0 = true;
            Ok(())
        }
    }
    let mut visitor = IsNull(false);
    value.visit(&mut visitor).is_ok() && visitor.0
}

/// Serialises a value by its `Display`, without a copy.
struct AsDisplay<'s, T>(&'s T);

impl<T: fmt::Display> serde::Serialize for AsDisplay<'_, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

struct Lower(log::Level);

impl serde::Serialize for Lower {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.as_str().to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use log::Level;
    use serde_json::Value as Read;

    use super::*;

    /// Returns a record with this message and value in in_both_formats formats.
    fn in_both_formats(message: &str, value: &str) -> (String, Read) {
        let pairs = [
            ("key", Value::from(value)),
            ("unknown", Value::null()),
            ("number", Value::from(7_u64)),
        ];
        let args = format_args!("{message}").to_string();
        let mut out = Vec::new();
        let mut text = String::new();
        let mut write = |args: fmt::Arguments<'_>| {
            let record = Record::builder()
                .level(Level::Info)
                .target("t")
                .args(args)
                .key_values(&pairs)
                .build();
            text = event_with_fields(&record);
            write_json(&mut out, "now", &record).unwrap();
        };
        write(format_args!("{args}"));
        assert_eq!(out.pop(), Some(b'\n'));
        let json = String::from_utf8(out).unwrap();
        assert_eq!(escaped(&json), json);
        (text, serde_json::from_str(&json).unwrap())
    }

    #[test]
    fn peer_bytes_end_no_line_in_either_format() {
        let evil = "a\nb\r\u{1b}[2J\u{2028}\u{202E}\u{85}\" key=\"forged";
        let (text, object) = in_both_formats(evil, evil);
        assert_eq!(escaped(&text), text);
        assert_eq!(text.matches("key=\"a").count(), 1, "{text}");
        assert!(text.contains("\\\" key=\\\"forged\" number=7"), "{text}");
        assert_eq!(object["message"], evil);
        assert_eq!(object["key"], evil);
        assert_eq!(object["number"], 7);
        assert_eq!(object.get("unknown"), None);
    }

    #[test]
    fn printable_ascii_is_unquoted_and_any_other_value_is_quoted() {
        assert_eq!(in_both_formats("m", "/a?b=c").0, "m key=/a?b=c number=7");
        assert_eq!(in_both_formats("m", "").0, "m key=\"\" number=7");
        assert_eq!(
            in_both_formats("m", "it's 你好").0,
            "m key=\"it's 你好\" number=7"
        );
    }

    #[test]
    fn repeated_accept_errors_are_logged_once_a_second() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let allowed = (0..30).filter(|tenth| throttle.allow(start + Duration::from_millis(tenth * 100)));
        assert_eq!(allowed.count(), 3);
    }
}
