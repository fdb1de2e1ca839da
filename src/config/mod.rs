//! The operator's configuration: command line flags, each with its `WS_ECHO_*` variable, checked once.

mod check;
mod command_line;
mod environment;
mod tls;
mod usage_error;
mod values;

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, Command, FromArgMatches as _};

pub use check::{CheckArgs, CheckName, ReportFormat};
pub use command_line::{Cli, CommandLineError, Invocation};
pub use tls::{CertificateSource, Tls, TlsName};
pub use values::{
    AddressFormat, Cap, InvalidFlag, ListenAddr, LogFormat, Network, Origin, Rate, Size, Switch, Timer,
};

use environment::without_variables;
use values::boolean;

/// The addresses, limits, timeouts and behaviours of a server.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Address and port for HTTP and ws; repeatable. A host name is bound on each of its addresses. Port 0 selects a free
    /// port
    #[arg(
        long,
        help_heading = "Listening",
        value_name = "ADDR:PORT",
        env = "WS_ECHO_LISTEN",
        value_delimiter = ',',
        default_value = "localhost:3000"
    )]
    pub listen: Vec<ListenAddr>,

    /// Print the URL of each listener on standard output, one line for each, once the server accepts connections. For programs
    /// that start the server on port 0 [default: none]
    #[arg(
        long,
        help_heading = "Listening",
        value_name = "json|text",
        env = "WS_ECHO_PRINT_ADDRESS"
    )]
    pub print_address: Option<AddressFormat>,

    /// Directory of the page; must contain index.html [default: static if it is one, else the page in the binary]
    #[arg(
        long,
        help_heading = "Listening",
        value_name = "DIR",
        env = "WS_ECHO_STATIC_DIR"
    )]
    pub static_dir: Option<PathBuf>,

    /// Number of worker threads [default: one per CPU core]
    #[arg(long, help_heading = "Listening", value_name = "N", env = "WS_ECHO_WORKERS", value_parser = values::workers)]
    pub workers: Option<NonZeroUsize>,

    /// Address or network of a trusted proxy, such as 10.0.0.0/8; repeatable. The client address and the scheme are those
    /// of its Forwarded, X-Forwarded-For and X-Forwarded-Proto headers [default: none]
    #[arg(
        long,
        help_heading = "Listening",
        value_name = "CIDR",
        env = "WS_ECHO_TRUSTED_PROXY",
        value_delimiter = ','
    )]
    pub trusted_proxy: Vec<Network>,

    /// Origin whose pages may connect, such as `https://example.org`; repeatable. A request without an Origin header is
    /// accepted [default: any]
    #[arg(
        long,
        help_heading = "Listening",
        value_name = "ORIGIN",
        env = "WS_ECHO_ALLOW_ORIGIN",
        value_delimiter = ','
    )]
    pub allow_origin: Vec<Origin>,

    /// HTTPS and wss.
    #[command(flatten)]
    pub tls: Tls,

    /// Maximum size of a message, over all its fragments and after decompression; a larger one gets Close 1009 [0 = no
    /// limit]
    #[arg(
        long,
        help_heading = "Limits",
        value_name = "SIZE",
        env = "WS_ECHO_MAX_MESSAGE_SIZE",
        default_value = "16MiB"
    )]
    pub max_message_size: Size,

    /// Maximum frames of one message; a message with more gets Close 1009 [0 = no limit]
    #[arg(
        long,
        help_heading = "Limits",
        value_name = "N",
        env = "WS_ECHO_MAX_FRAGMENTS",
        default_value = "131072"
    )]
    pub max_fragments: Cap,

    /// Maximum open WebSocket connections; further handshakes get 503 [0 = no limit]
    #[arg(
        long,
        help_heading = "Limits",
        value_name = "N",
        env = "WS_ECHO_MAX_CONNECTIONS",
        default_value = "10000"
    )]
    pub max_connections: Cap,

    /// Maximum open connections of one client address, HTTP and WebSocket together; further ones get 503, except health
    /// checks. The addresses of an IPv6 /64 count as one [0 = no limit]
    #[arg(
        long,
        help_heading = "Limits",
        value_name = "N",
        env = "WS_ECHO_MAX_CONNECTIONS_PER_IP",
        default_value = "0"
    )]
    pub max_connections_per_ip: Cap,

    /// Maximum open HTTP connections, including those in a TLS or WebSocket handshake; further ones get 503, except health
    /// checks [0 = no limit]
    #[arg(
        long,
        help_heading = "Limits",
        value_name = "N",
        env = "WS_ECHO_MAX_HTTP_CONNECTIONS",
        default_value = "1024"
    )]
    pub max_http_connections: Cap,

    /// Maximum bytes of incomplete messages and unsent replies, over all WebSocket connections; a connection that needs
    /// more gets Close 1013 [0 = no limit]
    #[arg(
        long,
        help_heading = "Limits",
        value_name = "SIZE",
        env = "WS_ECHO_MAX_BUFFERED",
        default_value = "1GiB"
    )]
    pub max_buffered: Size,

    /// Maximum WebSocket handshakes per second from one client address, valid or not; further ones get 429. The addresses
    /// of an IPv6 /64 count as one [0 = no limit]
    #[arg(
        long,
        help_heading = "Limits",
        value_name = "N",
        env = "WS_ECHO_MAX_HANDSHAKES_PER_SECOND",
        default_value = "0"
    )]
    pub max_handshakes_per_second: Rate,

    /// Maximum messages per second on one connection. The server reads no faster, so the client's writes block. No message
    /// is dropped [0 = no limit]
    #[arg(
        long,
        help_heading = "Limits",
        value_name = "N",
        env = "WS_ECHO_MAX_MESSAGES_PER_SECOND",
        default_value = "0"
    )]
    pub max_messages_per_second: Rate,

    /// Maximum time from the connection to the end of the request's header section; a slower client gets 408. The TLS
    /// handshake before it has the same limit again [0 = no limit]
    #[arg(
        long,
        help_heading = "Timeouts",
        value_name = "D",
        env = "WS_ECHO_HANDSHAKE_TIMEOUT",
        default_value = "5s"
    )]
    pub handshake_timeout: Timer,

    /// Maximum time from the first byte of a request to the last byte of its body; a slower client gets 408 [0 = no limit]
    #[arg(
        long,
        help_heading = "Timeouts",
        value_name = "D",
        env = "WS_ECHO_REQUEST_TIMEOUT",
        default_value = "10s"
    )]
    pub request_timeout: Timer,

    /// Interval of the server's Pings on each WebSocket connection [0 = no Pings]
    #[arg(
        long,
        help_heading = "Timeouts",
        value_name = "D",
        env = "WS_ECHO_PING_INTERVAL",
        default_value = "20s"
    )]
    pub ping_interval: Timer,

    /// Close with 1001 if nothing, not even a Pong, arrives for this long [0 = never]
    #[arg(
        long,
        help_heading = "Timeouts",
        value_name = "D",
        env = "WS_ECHO_IDLE_TIMEOUT",
        default_value = "60s"
    )]
    pub idle_timeout: Timer,

    /// Reset a connection if data waits to be sent and the client reads nothing for this long [0 = never]
    #[arg(
        long,
        help_heading = "Timeouts",
        value_name = "D",
        env = "WS_ECHO_STALL_TIMEOUT",
        default_value = "30s"
    )]
    pub stall_timeout: Timer,

    /// Delay between SIGTERM, SIGINT or Ctrl-C, when /readyz turns 503, and the drain. Make it longer than the load
    /// balancer's check interval [0 = no delay]
    #[arg(
        long,
        help_heading = "Timeouts",
        value_name = "D",
        env = "WS_ECHO_SHUTDOWN_DELAY",
        default_value = "0"
    )]
    pub shutdown_delay: Timer,

    /// Maximum duration of the drain. The server then drops the connections that are still open [0 = no limit]
    #[arg(
        long,
        help_heading = "Timeouts",
        value_name = "D",
        env = "WS_ECHO_SHUTDOWN_GRACE",
        default_value = "10s"
    )]
    pub shutdown_grace: Timer,

    /// Shut down when standard input ends, such as at the end of the program that started the server
    #[arg(
        long,
        help_heading = "Timeouts",
        env = "WS_ECHO_SHUTDOWN_ON_STDIN_END",
        value_parser = boolean
    )]
    pub shutdown_on_stdin_end: bool,

    /// Prefix of stamped text replies
    #[arg(
        long,
        help_heading = "Behaviours",
        value_name = "TEXT",
        env = "WS_ECHO_PREFIX",
        default_value = "客户端发送的信息："
    )]
    pub prefix: String,

    /// Accept behaviours in the URL's query, such as ?delay=2s. If off, the server ignores the query and every connection
    /// is a plain echo
    #[arg(
        long,
        help_heading = "Behaviours",
        value_name = "on|off",
        env = "WS_ECHO_BEHAVIOURS",
        default_value = "on"
    )]
    pub behaviours: Switch,

    /// Negotiate permessage-deflate when the client offers it
    #[arg(
        long,
        help_heading = "Behaviours",
        value_name = "on|off",
        env = "WS_ECHO_COMPRESS",
        default_value = "on"
    )]
    pub compress: Switch,

    /// Format of the log
    #[arg(
        long,
        help_heading = "Log",
        value_name = "text|json",
        env = "WS_ECHO_LOG_FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
}

impl Default for Config {
    /// Returns the defaults of the flags, whatever the environment contains.
    fn default() -> Self {
        let command = without_variables(Self::augment_args(Command::new("ws-echo")));
        match Self::from_arg_matches(&command.get_matches_from(["ws-echo"])) {
            Ok(config) => config,
            Err(error) => error.exit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn parse(args: &[&str]) -> Result<Config, String> {
        let args = std::iter::once("ws-echo").chain(args.iter().copied());
        match Invocation::from_args(args.map(Into::into)) {
            Ok(Invocation::Serve(config)) => Ok(*config),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let config = Config::default();
        assert_eq!(
            config.listen,
            [ListenAddr {
                host: "localhost".into(),
                port: 3000
            }]
        );
        assert_eq!(config.prefix, "客户端发送的信息：");
        assert_eq!(config.max_message_size.limit(), 16 * 1024 * 1024);
        assert_eq!(config.max_fragments.limit(), 131_072);
        assert_eq!(config.max_connections.limit(), 10_000);
        assert_eq!(config.max_connections_per_ip.limit(), usize::MAX);
        assert_eq!(config.ping_interval.to_string(), "20s");
        assert_eq!(config.idle_timeout.to_string(), "60s");
        assert_eq!(config.stall_timeout.to_string(), "30s");
        assert_eq!(config.shutdown_grace.to_string(), "10s");
    }

    #[test]
    fn sizes_and_durations_have_units_and_0_is_no_limit() {
        let config = parse(&[
            "--max-message-size=64KiB",
            "--ping-interval=250ms",
            "--idle-timeout=0",
            "--max-connections=0",
        ])
        .unwrap();
        assert_eq!(config.max_message_size.limit(), 65_536);
        assert_eq!(config.ping_interval.duration(), Some(Duration::from_millis(250)));
        assert_eq!(config.idle_timeout.duration(), None);
        assert_eq!(config.max_connections.limit(), usize::MAX);
    }

    #[test]
    fn listen_is_repeatable_and_splits_at_commas() {
        let config = parse(&["--listen", "127.0.0.1:0,[::1]:81", "--listen=example.org:82"]).unwrap();
        let listen: Vec<_> = config.listen.iter().map(ToString::to_string).collect();
        assert_eq!(listen, ["127.0.0.1:0", "[::1]:81", "example.org:82"]);
    }

    #[test]
    fn a_network_contains_its_addresses_also_as_ipv4_mapped_ones() {
        let config = parse(&["--trusted-proxy=10.0.0.0/8,192.0.2.1,fd00::/8"]).unwrap();
        let trusts = |ip: &str| {
            let ip = ip.parse().unwrap();
            config.trusted_proxy.iter().any(|network| network.contains(ip))
        };
        for ip in ["10.1.2.3", "192.0.2.1", "::ffff:10.1.2.3", "fd12::1"] {
            assert!(trusts(ip), "{ip}");
        }
        for ip in ["11.1.2.3", "192.0.2.2", "::ffff:11.1.2.3", "2001:db8::1"] {
            assert!(!trusts(ip), "{ip}");
        }
    }

    #[test]
    fn every_flag_has_its_variable() {
        use clap::CommandFactory;
        for arg in Cli::command()
            .get_arguments()
            .filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()))
        {
            let long = arg.get_long().unwrap();
            let variable = format!("WS_ECHO_{}", long.to_uppercase().replace('-', "_"));
            assert_eq!(
                arg.get_env().and_then(|env| env.to_str()),
                Some(variable.as_str()),
                "--{long}"
            );
        }
    }
}
