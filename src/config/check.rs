//! The flags of `ws-echo check`.

use std::{path::PathBuf, time::Duration};

use super::{
    ListenAddr,
    values::{field, span},
};

/// The flags of `ws-echo check`.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckArgs {
    /// URL of the far end, through the proxy, such as wss://example.org/chat
    #[arg(value_name = "URL")]
    pub url: String,

    /// Value of Origin [default: none]
    #[arg(long, value_name = "ORIGIN")]
    pub origin: Option<String>,

    /// Subprotocol to offer; repeatable [default: two made-up names if the far end is ws-echo, else none]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub subprotocol: Vec<String>,

    /// Additional field of each request, such as 'Authorization: Bearer x'; repeatable
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = field)]
    pub headers: Vec<(String, String)>,

    /// PEM file of certificate authorities to trust, besides those of Mozilla and of the system; repeatable
    #[arg(long, value_name = "FILE")]
    pub ca: Vec<PathBuf>,

    /// Run the other checks although the certificate does not verify
    #[arg(long)]
    pub insecure: bool,

    /// Address to connect to instead of the URL's host; Host and the name in the certificate stay those of the URL
    #[arg(long, value_name = "HOST:PORT")]
    pub connect_to: Option<ListenAddr>,

    /// URL of the same server without the proxy. Each check runs on both, and the report has what differs
    #[arg(long, value_name = "URL")]
    pub direct: Option<String>,

    /// Longest silence to wait for in the check idle; without it, that check does not run
    #[arg(long, value_name = "DURATION", value_parser = span)]
    pub idle: Option<Duration>,

    /// Timeout of each step: to resolve, to connect, for TLS, for a response, for each reply
    #[arg(long, value_name = "DURATION", value_parser = span, default_value = "10s")]
    pub timeout: Duration,

    /// Checks to run; separated by commas [default: all]
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub only: Vec<CheckName>,

    /// Checks to leave out; separated by commas, with the names of --only
    #[arg(
        long,
        value_name = "CHECK",
        value_delimiter = ',',
        hide_possible_values = true
    )]
    pub skip: Vec<CheckName>,

    /// Format of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ReportFormat,
}

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportFormat {
    /// a line for each check as it ends, then what to change
    Text,
    /// one object, with the schema docs/check.schema.json
    Json,
    /// an XML file for CI systems
    Junit,
    /// for issues and pull requests
    Markdown,
}

/// The names of the checks, in the order in which they run. This is the one list of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum CheckName {
    /// every address of the host accepts connections
    Addresses,
    /// version, ALPN, names, chain and days left of the certificate
    Tls,
    /// the response to the opening handshake
    Handshake,
    /// the fields that the far end received
    Headers,
    /// the subprotocols that arrive and the one that comes back
    Subprotocol,
    /// permessage-deflate as it is offered, negotiated and used
    Compression,
    /// messages of each kind and each form of the length
    Messages,
    /// the largest message that passes, both ways
    Size,
    /// fragments as they arrive, with control frames between
    Frames,
    /// Pings each way, and who answers them
    Ping,
    /// close codes and reasons, both ways
    Close,
    /// what a client sees if the far end resets or ends the TCP connection
    Reset,
    /// messages 20 ms apart come one by one
    Latency,
    /// how much is buffered for a slow reader
    Backpressure,
    /// 50 connections at once
    Concurrency,
    /// after how long silence is cut; needs --idle
    Idle,
    /// invalid frames, passed on or stopped
    Faults,
    /// /poll and /events through the same proxy
    Polling,
}

impl CheckName {
    /// Returns the name, as in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Addresses => "addresses",
            Self::Tls => "tls",
            Self::Handshake => "handshake",
            Self::Headers => "headers",
            Self::Subprotocol => "subprotocol",
            Self::Compression => "compression",
            Self::Messages => "messages",
            Self::Size => "size",
            Self::Frames => "frames",
            Self::Ping => "ping",
            Self::Close => "close",
            Self::Reset => "reset",
            Self::Latency => "latency",
            Self::Backpressure => "backpressure",
            Self::Concurrency => "concurrency",
            Self::Idle => "idle",
            Self::Faults => "faults",
            Self::Polling => "polling",
        }
    }
}
