//! The command line: the flags of the configuration, the commands, and the texts of `--help`.

use std::ffi::OsString;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, parser::ValueSource};
use clap_complete::Shell;
use thiserror::Error;

use super::{CheckArgs, Config, environment::without_variables, usage_error};

/// The command line of `ws-echo`, as clap parses and describes it.
#[derive(Debug, Parser)]
#[command(
    name = "ws-echo",
    version,
    about,
    long_about = LONG_ABOUT,
    override_usage = USAGE,
    max_term_width = 100,
    after_help = AFTER_HELP
)]
pub struct Cli {
    /// None serves.
    #[command(subcommand)]
    subcommand: Option<Subcommand>,
    #[command(flatten)]
    config: Config,
}

const USAGE: &str = "\
ws-echo [serve] [OPTIONS]
       ws-echo [OPTIONS] healthcheck [--url <URL>]
       ws-echo check [OPTIONS] <URL>
       ws-echo completions <SHELL>
       ws-echo man";

const LONG_ABOUT: &str = "\
A WebSocket echo server for testing clients, proxies and networks.

Accepts WebSocket connections on any path and echoes each message with a timestamp: a text message as \
`{prefix}{message},{ms}`, a binary message followed by 8 bytes of big-endian milliseconds. `?reply=verbatim` echoes it \
unchanged. Open `/` in a browser for the page.

Query keys select behaviours, combined with &: reply=stamped|verbatim|json|none, delay, jitter, drop, duplicate, seed, hello, push, tick, \
close=[CODE[:REASON]], abort, fin, freeze, wire=rsv|opcode|masked|length|utf8|continuation|close-code|close-length, after, fragment, \
rate, read-rate, ping, pong=off, close-reply, compress=off, max-message-size, subprotocol, handshake-delay, \
handshake=wrong-accept|no-accept|no-upgrade|http10|garbage|truncated|folded|two-subprotocols|unasked-extension|glued, \
handshake-status, auth, set-header, watch. \
docs/behaviours.md has an example of each.";

const AFTER_HELP: &str = "\
Sizes are written as 16MiB or 65536, durations as 20s or 250ms. A flag overrides its variable.
The log is written to standard error. RUST_LOG filters it: info by default, ws_echo=debug shows messages.";

#[derive(Debug, clap::Subcommand)]
enum Subcommand {
    /// Serve until SIGTERM or SIGINT; the default
    Serve(Box<Config>),

    /// Probe /healthz of a running server; exit with 0 if it is alive, with 1 if it is not
    Healthcheck {
        /// URL to probe [default: /healthz at the first --listen address]
        #[arg(long, value_name = "URL", env = "WS_ECHO_HEALTHCHECK_URL")]
        url: Option<String>,
    },

    /// Check what stands between this client and a server: ws-echo, or any other that echoes. Exit with 0 if nothing is broken, 1
    /// if something is, 2 for wrong use, 3 if nobody answers
    Check(Box<CheckArgs>),

    /// Print the completions of a shell
    Completions {
        /// Shell that reads the completions
        shell: Shell,
    },

    /// Print the man page as roff
    Man,
}

/// What the command line requests.
#[derive(Debug)]
pub enum Invocation {
    /// Serve with this configuration.
    Serve(Box<Config>),
    /// Probe a running server.
    Healthcheck {
        /// The URL to probe, or None for the server that the configuration describes.
        url: Option<String>,
        /// The configuration of that server.
        config: Box<Config>,
    },
    /// Check a server.
    Check(Box<CheckArgs>),
    /// Print the completions of a shell.
    Completions(Shell),
    /// Print the man page.
    Man,
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

impl Invocation {
    /// Parses the arguments, of which the first is the program, and the environment.
    ///
    /// # Errors
    /// If an argument or a variable is invalid, or the arguments request help or the version.
    pub fn from_args(args: impl IntoIterator<Item = OsString>) -> Result<Self, CommandLineError> {
        let args: Vec<OsString> = args.into_iter().collect();
        let matches = parse(&args)?;
        Self::from_matches(&matches)
            .map_err(|error| CommandLineError::Usage(usage_error::of_argument(&error, &Cli::command())))
    }

    fn from_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        if needs_no_config(matches) {
            // Without `Cli`, whose variables may be invalid together.
            return Ok(match Subcommand::from_arg_matches(matches)? {
                Subcommand::Check(args) => Self::Check(args),
                Subcommand::Completions { shell } => Self::Completions(shell),
                _ => Self::Man,
            });
        }
        let Cli { subcommand, config } = Cli::from_arg_matches(matches)?;
        Ok(match subcommand {
            Some(Subcommand::Serve(config)) => Self::Serve(config),
            Some(Subcommand::Healthcheck { url }) => Self::Healthcheck {
                url,
                config: Box::new(config),
            },
            Some(Subcommand::Check(args)) => Self::Check(args),
            Some(Subcommand::Completions { shell }) => Self::Completions(shell),
            Some(Subcommand::Man) => Self::Man,
            None => Self::Serve(Box::new(config)),
        })
    }
}

fn parse(args: &[OsString]) -> Result<ArgMatches, CommandLineError> {
    let matches = match Cli::command().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) if !error.use_stderr() => return Err(CommandLineError::Help(error)),
        // clap names the flag in either case. If the arguments alone are valid, the variable is not.
        Err(error) => match without_variables(Cli::command()).try_get_matches_from(args) {
            Ok(matches) if needs_no_config(&matches) => matches,
            Ok(_) => {
                let error = usage_error::of_variable(&error, &Cli::command());
                return Err(CommandLineError::Usage(error));
            }
            Err(error) => {
                let error = usage_error::of_argument(&error, &Cli::command());
                return Err(CommandLineError::Usage(error));
            }
        },
    };
    // The flags after `serve` are a second set of the same flags, which would replace the first.
    if matches.subcommand_name() == Some("serve")
        && let Some(flag) = first_flag(&matches)
    {
        let error = format!("unexpected --{flag} before serve; move it after serve");
        return Err(CommandLineError::Usage(error));
    }
    Ok(matches)
}

/// Returns whether the command does not depend on the configuration of a server. A file that a shell reads at its start may contain
/// it, so an invalid variable of the server is no error.
fn needs_no_config(matches: &ArgMatches) -> bool {
    matches!(matches.subcommand_name(), Some("check" | "completions" | "man"))
}

/// Returns a flag before the command, without its hyphens.
fn first_flag(matches: &ArgMatches) -> Option<String> {
    let command = Cli::command();
    let mut given = command
        .get_arguments()
        .filter(|arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine));
    Some(given.next()?.get_long()?.to_owned())
}
