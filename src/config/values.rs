//! The types of flag values. Parsing validates each value.

use std::{
    fmt,
    net::IpAddr,
    num::{NonZeroU32, NonZeroUsize},
    str::FromStr,
    time::Duration,
};

use bytesize::ByteSize;
use ipnet::IpNet;
use thiserror::Error;

/// A flag value that is not allowed. The error names the flag and the value; this type has what is expected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected {0}")]
pub struct InvalidFlag(pub(super) &'static str);

/// Parses the number of worker threads.
pub(super) fn workers(text: &str) -> Result<NonZeroUsize, InvalidFlag> {
    text.parse()
        .map_err(|_| InvalidFlag("a whole number of at least 1"))
}

/// Parses a duration of more than 0.
pub(super) fn span(text: &str) -> Result<Duration, InvalidFlag> {
    humantime::parse_duration(text)
        .ok()
        .filter(|span| !span.is_zero())
        .ok_or(InvalidFlag("a duration, such as 20s or 250ms"))
}

/// Parses a field of a request, `NAME: VALUE`.
pub(super) fn field(text: &str) -> Result<(String, String), InvalidFlag> {
    match text.split_once(':') {
        Some((name, value)) if !name.is_empty() && !text.contains(char::is_control) => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(InvalidFlag("a field, such as 'Cookie: a=b'")),
    }
}

/// Parses a boolean variable, with the words that clap accepts.
pub(super) fn boolean(text: &str) -> Result<bool, InvalidFlag> {
    match text.to_ascii_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Ok(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Ok(false),
        _ => Err(InvalidFlag("true or false")),
    }
}

/// `ADDR:PORT` as written. The server resolves it when it binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddr {
    /// A name or an address, without the brackets of IPv6.
    pub host: String,
    /// 0 lets the system choose.
    pub port: u16,
}

impl FromStr for ListenAddr {
    type Err = InvalidFlag;

    fn from_str(text: &str) -> Result<Self, InvalidFlag> {
        const FORM: InvalidFlag =
            InvalidFlag("ADDR:PORT, such as localhost:3000, 0.0.0.0:3000 or [::1]:3000");
        let (host, port) = text.rsplit_once(':').ok_or(FORM)?;
        if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(FORM);
        }
        let port = port.parse().map_err(|_| InvalidFlag("a port from 0 to 65535"))?;
        let host = match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
            Some(Some(inside)) => inside,
            None if host.contains(':') => {
                return Err(InvalidFlag("an IPv6 address in brackets, such as [::1]:3000"));
            }
            Some(None) => return Err(FORM),
            None => host,
        };
        if host.is_empty() {
            return Err(FORM);
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// An origin in the form in which browsers send it (RFC 6454 section 6.2): scheme, host, port if not the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Returns whether an `Origin` header names this origin. Scheme and host are case-insensitive (RFC 3986 section 6.2.2.1).
    pub fn matches(&self, header: &str) -> bool {
        self.0.eq_ignore_ascii_case(header)
    }
}

impl FromStr for Origin {
    type Err = InvalidFlag;

    fn from_str(text: &str) -> Result<Self, InvalidFlag> {
        let origin = text.strip_suffix('/').unwrap_or(text);
        let is_valid = match origin.split_once("://") {
            Some((scheme, host)) => {
                !scheme.is_empty() && !host.is_empty() && !host.contains(['/', '?', '#', '@', ' '])
            }
            // A page with an opaque origin sends `null` (RFC 6454 section 6.1).
            None => origin == "null",
        };
        if is_valid {
            Ok(Self(origin.to_owned()))
        } else {
            Err(InvalidFlag(
                "scheme://host or scheme://host:port without a path, or null",
            ))
        }
    }
}

/// A number of bytes. 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(Option<NonZeroUsize>);

impl Size {
    /// Returns a limit of `bytes` bytes, or none for 0.
    pub fn bytes(bytes: usize) -> Self {
        Self(NonZeroUsize::new(bytes))
    }

    /// Returns the limit in bytes, `usize::MAX` without one.
    pub fn limit(self) -> usize {
        self.0.map_or(usize::MAX, NonZeroUsize::get)
    }
}

impl FromStr for Size {
    type Err = InvalidFlag;

    fn from_str(text: &str) -> Result<Self, InvalidFlag> {
        let size: ByteSize = text
            .parse()
            .map_err(|_| InvalidFlag("a size, such as 16MiB, 64KiB or 65536"))?;
        let bytes = usize::try_from(size.as_u64())
            .map_err(|_| InvalidFlag("a size that this machine can address"))?;
        Ok(Self::bytes(bytes))
    }
}

/// A maximum count. 0 is no cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap(Option<NonZeroUsize>);

impl Cap {
    /// Returns a cap of `count`, or none for 0.
    pub fn of(count: usize) -> Self {
        Self(NonZeroUsize::new(count))
    }

    /// Returns the cap, `usize::MAX` without one.
    pub fn limit(self) -> usize {
        self.0.map_or(usize::MAX, NonZeroUsize::get)
    }
}

impl FromStr for Cap {
    type Err = InvalidFlag;

    fn from_str(text: &str) -> Result<Self, InvalidFlag> {
        text.parse()
            .map(Self::of)
            .map_err(|_| InvalidFlag("a whole number, or 0 for no limit"))
    }
}

/// A maximum number per second. 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(Option<NonZeroU32>);

impl Rate {
    /// Returns a rate of `count` a second, or none for 0.
    pub fn per_second(count: u32) -> Self {
        Self(NonZeroU32::new(count))
    }

    /// Returns the rate, or None without a limit.
    pub fn limit(self) -> Option<NonZeroU32> {
        self.0
    }
}

impl FromStr for Rate {
    type Err = InvalidFlag;

    fn from_str(text: &str) -> Result<Self, InvalidFlag> {
        text.parse()
            .map(Self::per_second)
            .map_err(|_| InvalidFlag("a whole number per second, or 0 for no limit"))
    }
}

/// A network of IP addresses. A single address is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Returns whether the network contains `ip`. An IPv4-mapped IPv6 address counts as IPv4.
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.0.contains(&ip.to_canonical())
    }
}

impl FromStr for Network {
    type Err = InvalidFlag;

    fn from_str(text: &str) -> Result<Self, InvalidFlag> {
        text.parse()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
            .map(Self)
            .map_err(|_| InvalidFlag("an address or a network, such as 192.0.2.1, 10.0.0.0/8 or fd00::/8"))
    }
}

/// The format of the lines on standard output that have the addresses of the listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum AddressFormat {
    /// one JSON object per line, with address, port, tls, ws and http
    Json,
    /// the URL for WebSocket clients, such as `ws://127.0.0.1:3000/`
    Text,
}

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// `[time LEVEL target] event key=value`
    Text,
    /// one JSON object per line
    Json,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Switch {
    /// enabled
    On,
    /// disabled
    Off,
}

impl Switch {
    /// Returns whether it is on.
    pub fn is_on(self) -> bool {
        self == Self::On
    }
}

/// A duration. 0 switches the timer off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer(Option<Duration>);

impl Timer {
    /// Returns a timer of this length, or none for zero.
    pub fn of(duration: Duration) -> Self {
        Self((!duration.is_zero()).then_some(duration))
    }

    /// Returns the duration, or None if the timer is off.
    pub fn duration(self) -> Option<Duration> {
        self.0
    }
}

impl FromStr for Timer {
    type Err = InvalidFlag;

    fn from_str(text: &str) -> Result<Self, InvalidFlag> {
        if text == "0" {
            return Ok(Self(None));
        }
        humantime::parse_duration(text)
            .map(Self::of)
            .map_err(|_| InvalidFlag("a duration, such as 20s or 250ms, or 0"))
    }
}

impl fmt::Display for Timer {
    /// Writes whole seconds, or else milliseconds: `60s`, `1500ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("0"),
            Some(span) if span.subsec_nanos() == 0 => write!(f, "{}s", span.as_secs()),
            Some(span) => write!(f, "{}ms", span.as_millis()),
        }
    }
}
