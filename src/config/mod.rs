//! What the operator may set: command line flags, each with its `WS_ECHO_*` variable, checked once.

mod tls;
mod values;

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, Parser, Subcommand};

pub use tls::{CertificateSource, Tls, TlsName};
pub use values::{Cap, InvalidFlag, ListenAddr, LogFormat, Network, Origin, Rate, Size, Switch, Timer};

/// The command line of `ws-echo`.
#[derive(Debug, Clone, Parser)]
#[command(name = "ws-echo", version, about, long_about = LONG_ABOUT, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve.
    #[command(flatten)]
    pub config: Config,
}

const LONG_ABOUT: &str = "\
The WebSocket endpoint that you point a client, a proxy or a network at to learn the truth about it.

Every path answers a WebSocket handshake; what it receives it sends back with the time: \
a text as `{prefix}{message},{ms}`, a binary message followed by 8 bytes of big-endian milliseconds. \
`?reply=verbatim` sends it back as it came. Without a handshake, `/` is a page to watch that in a browser.

A URL asks for more, keys combined with &: reply=stamped|verbatim|json|none, delay, jitter, drop, duplicate, seed, tick, \
close=CODE[:REASON], abort, wire=rsv|opcode|masked|length|utf8|continuation|close-code|close-length, after, fragment, \
rate, pong=off, close-reply=off, compress=off, max-message-size, subprotocol, handshake-delay, handshake-status, watch. \
docs/behaviours.md has an example of each.";

const AFTER_HELP: &str = "\
Sizes read 16MiB or 65536, durations 20s or 250ms; 0 switches a timer or a cap off.
The log goes to standard error; RUST_LOG filters it (info by default, ws_echo=debug shows the messages).";

/// Commands beside serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Ask a running server's /healthz; exit with 0 when it is alive, with 1 when it is not
    Healthcheck {
        /// What to ask [default: /healthz at the first --listen address]
        #[arg(long, value_name = "URL", env = "WS_ECHO_HEALTHCHECK_URL")]
        url: Option<String>,
    },
}

/// How the server listens, what it allows, and how long it waits.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Address and port for plain HTTP and ws; repeatable. A name listens on every address it has, port 0 picks a free one
    #[arg(
        long,
        value_name = "ADDR:PORT",
        env = "WS_ECHO_LISTEN",
        value_delimiter = ',',
        default_value = "localhost:3000"
    )]
    pub listen: Vec<ListenAddr>,

    /// HTTPS and wss.
    #[command(flatten)]
    pub tls: Tls,

    /// Directory of the page; it must hold an index.html
    #[arg(
        long,
        value_name = "DIR",
        env = "WS_ECHO_STATIC_DIR",
        default_value = "static"
    )]
    pub static_dir: PathBuf,

    /// Worker threads [default: one per core]
    #[arg(long, value_name = "N", env = "WS_ECHO_WORKERS")]
    pub workers: Option<NonZeroUsize>,

    /// What a stamped text reply begins with
    #[arg(
        long,
        value_name = "TEXT",
        env = "WS_ECHO_PREFIX",
        default_value = "客户端发送的信息："
    )]
    pub prefix: String,

    /// Largest message, over all its fragments; a larger one is answered by Close 1009
    #[arg(
        long,
        value_name = "SIZE",
        env = "WS_ECHO_MAX_MESSAGE_SIZE",
        default_value = "16MiB"
    )]
    pub max_message_size: Size,

    /// Most frames that one message may have; more are answered by Close 1009
    #[arg(
        long,
        value_name = "N",
        env = "WS_ECHO_MAX_FRAGMENTS",
        default_value = "131072"
    )]
    pub max_fragments: Cap,

    /// Most WebSocket connections at once; one more gets 503
    #[arg(
        long,
        value_name = "N",
        env = "WS_ECHO_MAX_CONNECTIONS",
        default_value = "10000"
    )]
    pub max_connections: Cap,

    /// Maximum open connections of one client address, HTTP and WebSocket together; further ones get 503, except health
    /// checks. The addresses of an IPv6 /64 count as one [0 = no limit]
    #[arg(
        long,
        value_name = "N",
        env = "WS_ECHO_MAX_CONNECTIONS_PER_IP",
        default_value = "0"
    )]
    pub max_connections_per_ip: Cap,

    /// Maximum open HTTP connections, including those in a TLS or WebSocket handshake; further ones get 503, except health
    /// checks [0 = no limit]
    #[arg(
        long,
        value_name = "N",
        env = "WS_ECHO_MAX_HTTP_CONNECTIONS",
        default_value = "1024"
    )]
    pub max_http_connections: Cap,

    /// Maximum bytes of incomplete messages and unsent replies, over all WebSocket connections; a connection that needs
    /// more gets Close 1013 [0 = no limit]
    #[arg(
        long,
        value_name = "SIZE",
        env = "WS_ECHO_MAX_BUFFERED",
        default_value = "1GiB"
    )]
    pub max_buffered: Size,

    /// Most WebSocket handshakes a second from one address, well made or not; one more gets 429
    #[arg(
        long,
        value_name = "N",
        env = "WS_ECHO_MAX_HANDSHAKES_PER_SECOND",
        default_value = "0"
    )]
    pub max_handshakes_per_second: Rate,

    /// Most messages a second from one connection; what comes faster waits, and the peer feels that its writes stall
    #[arg(
        long,
        value_name = "N",
        env = "WS_ECHO_MAX_MESSAGES_PER_SECOND",
        default_value = "0"
    )]
    pub max_messages_per_second: Rate,

    /// Address or network of a proxy whose Forwarded or X-Forwarded-For and -Proto headers are believed, such as
    /// 10.0.0.0/8; repeatable [default: none]
    #[arg(
        long,
        value_name = "CIDR",
        env = "WS_ECHO_TRUSTED_PROXY",
        value_delimiter = ','
    )]
    pub trusted_proxy: Vec<Network>,

    /// Whether URLs may ask for behaviours such as ?delay=2s; off, query strings are not read and every connection is a
    /// plain echo
    #[arg(long, value_name = "on|off", env = "WS_ECHO_BEHAVIOURS", default_value = "on")]
    pub behaviours: Switch,

    /// Whether permessage-deflate is agreed to where a client offers it
    #[arg(long, value_name = "on|off", env = "WS_ECHO_COMPRESS", default_value = "on")]
    pub compress: Switch,

    /// Origin whose pages may connect, such as `https://example.org`; repeatable [default: any].
    /// A request without an Origin header comes from no page and is let in
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "WS_ECHO_ALLOW_ORIGIN",
        value_delimiter = ','
    )]
    pub allow_origin: Vec<Origin>,

    /// Time between the server's pings
    #[arg(long, value_name = "D", env = "WS_ECHO_PING_INTERVAL", default_value = "20s")]
    pub ping_interval: Timer,

    /// A peer that sends nothing for so long, not even a Pong, gets Close 1001
    #[arg(long, value_name = "D", env = "WS_ECHO_IDLE_TIMEOUT", default_value = "60s")]
    pub idle_timeout: Timer,

    /// Reset a connection if data waits to be sent and the client reads nothing for this long [0 = never]
    #[arg(long, value_name = "D", env = "WS_ECHO_STALL_TIMEOUT", default_value = "30s")]
    pub stall_timeout: Timer,

    /// Maximum time from the connection to the end of the request's header section; a slower client gets 408. The TLS
    /// handshake before it has the same limit again [0 = no limit]
    #[arg(
        long,
        value_name = "D",
        env = "WS_ECHO_HANDSHAKE_TIMEOUT",
        default_value = "5s"
    )]
    pub handshake_timeout: Timer,

    /// Maximum time from the first byte of a request to the last byte of its body; a slower client gets 408 [0 = no limit]
    #[arg(
        long,
        value_name = "D",
        env = "WS_ECHO_REQUEST_TIMEOUT",
        default_value = "10s"
    )]
    pub request_timeout: Timer,

    /// On SIGTERM or SIGINT, the time from the moment that /readyz answers 503 to the drain, in which everything is
    /// served: as long as a balancer needs to notice
    #[arg(long, value_name = "D", env = "WS_ECHO_SHUTDOWN_DELAY", default_value = "0")]
    pub shutdown_delay: Timer,

    /// The longest wait for open connections to end once the drain has begun
    #[arg(long, value_name = "D", env = "WS_ECHO_SHUTDOWN_GRACE", default_value = "10s")]
    pub shutdown_grace: Timer,

    /// What the lines of the log are: text for people, or one JSON object each
    #[arg(
        long,
        value_name = "text|json",
        env = "WS_ECHO_LOG_FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
}

impl Default for Config {
    /// The defaults of the command line, whatever the environment says.
    fn default() -> Self {
        /// A command without variables, so that the defaults can be read off the one place that has them.
        fn without_env(command: clap::Command) -> clap::Command {
            command.mut_args(|arg| arg.env(None::<&str>))
        }
        use clap::{CommandFactory, FromArgMatches};
        let matches = without_env(Cli::command()).get_matches_from(["ws-echo"]);
        match Cli::from_arg_matches(&matches) {
            Ok(cli) => cli.config,
            Err(error) => error.exit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn parse(args: &[&str]) -> Result<Config, String> {
        Cli::try_parse_from(std::iter::once("ws-echo").chain(args.iter().copied()))
            .map(|cli| cli.config)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_those_of_the_contract() {
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
    fn sizes_durations_and_caps_read_as_people_write_them() {
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
    fn several_addresses_come_by_flag_or_by_comma() {
        let config = parse(&["--listen", "127.0.0.1:0,[::1]:81", "--listen=example.org:82"]).unwrap();
        let listen: Vec<_> = config.listen.iter().map(ToString::to_string).collect();
        assert_eq!(listen, ["127.0.0.1:0", "[::1]:81", "example.org:82"]);
    }

    #[test]
    fn a_bad_value_says_what_is_allowed() {
        for (args, expected) in [
            (["--listen", "localhost"], "write ADDR:PORT"),
            (["--listen", "localhost:66000"], "no number from 0 to 65535"),
            (["--listen", "::1:80"], "needs brackets"),
            (["--max-message-size", "much"], "write a size such as 16MiB"),
            (["--max-fragments", "-1"], "whole number"),
            (["--ping-interval", "20"], "write a duration such as 20s"),
            (["--allow-origin", "example.org"], "an origin is scheme://host"),
            (["--workers", "0"], "--workers"),
            (["--max-handshakes-per-second", "-1"], "whole number a second"),
            (["--trusted-proxy", "10.0.0.0/33"], "such as 10.0.0.0/8"),
            (
                ["--trusted-proxy", "proxy.example.org"],
                "write an address or a network",
            ),
            (["--log-format", "xml"], "text, json"),
        ] {
            let error = parse(&[&format!("{}={}", args[0], args[1])]).unwrap_err();
            assert!(error.contains(expected), "{args:?}: {error}");
        }
    }

    #[test]
    fn a_network_holds_its_addresses_however_they_are_seen() {
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
