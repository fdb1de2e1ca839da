//! The command line: the flags of the configuration, the subcommands, and the texts of `--help`.

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use thiserror::Error;

use super::{Config, environment::without_variables, usage_error};

/// The command line of `ws-echo`.
#[derive(Debug, Clone, Parser)]
#[command(name = "ws-echo", version, about, long_about = LONG_ABOUT, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    /// None serves.
    #[command(subcommand)]
    pub command: Option<Subcommand>,
    /// The configuration of the server.
    #[command(flatten)]
    pub config: Config,
}

const LONG_ABOUT: &str = "\
A WebSocket echo server for testing clients, proxies and networks.

Accepts WebSocket connections on any path and echoes each message with a timestamp: a text message as \
`{prefix}{message},{ms}`, a binary message followed by 8 bytes of big-endian milliseconds. `?reply=verbatim` echoes it \
unchanged. Open `/` in a browser for the page.

Query keys select behaviours, combined with &: reply=stamped|verbatim|json|none, delay, jitter, drop, duplicate, seed, tick, \
close=CODE[:REASON], abort, wire=rsv|opcode|masked|length|utf8|continuation|close-code|close-length, after, fragment, \
rate, pong=off, close-reply=off, compress=off, max-message-size, subprotocol, handshake-delay, handshake-status, watch. \
docs/behaviours.md has an example of each.";

const AFTER_HELP: &str = "\
Sizes are written as 16MiB or 65536, durations as 20s or 250ms. A flag overrides its variable.
The log is written to standard error. RUST_LOG filters it: info by default, ws_echo=debug shows messages.";

/// Commands other than serving.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Subcommand {
    /// Probe /healthz of a running server; exit with 0 if it is alive, with 1 if it is not
    Healthcheck {
        /// URL to probe [default: /healthz at the first --listen address]
        #[arg(long, value_name = "URL", env = "WS_ECHO_HEALTHCHECK_URL")]
        url: Option<String>,
    },
}

/// The reason why a command line starts nothing.
#[derive(Debug, Error)]
pub enum CommandLineError {
    /// A request for help or the version.
    #[error(transparent)]
    Help(clap::Error),
    /// An invalid flag, variable or command, as one line.
    #[error("{0}")]
    Usage(String),
}

impl Cli {
    /// Parses the arguments, of which the first is the program, and the environment.
    ///
    /// # Errors
    /// If an argument or a variable is invalid, or the arguments request help or the version.
    pub fn from_args(args: impl IntoIterator<Item = OsString>) -> Result<Self, CommandLineError> {
        let args: Vec<OsString> = args.into_iter().collect();
        let matches = match Self::command().try_get_matches_from(&args) {
            Ok(matches) => matches,
            Err(error) if !error.use_stderr() => return Err(CommandLineError::Help(error)),
            Err(error) => {
                // clap names the flag in either case. If the arguments alone are valid, the variable is not.
                let alone = without_variables(Self::command()).try_get_matches_from(&args);
                return Err(CommandLineError::Usage(match alone {
                    Ok(_) => usage_error::of_variable(&error, &Self::command()),
                    Err(error) => usage_error::of_argument(&error),
                }));
            }
        };
        Self::from_arg_matches(&matches)
            .map_err(|error| CommandLineError::Usage(usage_error::of_argument(&error)))
    }
}
