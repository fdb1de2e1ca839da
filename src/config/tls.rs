//! The flags of TLS. They are validated together, so that no other module receives half of a pair.

use std::{fmt, path::PathBuf, str::FromStr};

use clap::{
    ArgMatches, Args, Command, FromArgMatches,
    error::{Error, ErrorKind},
    parser::ValueSource,
};
use rustls::pki_types::ServerName;

use super::{InvalidFlag, ListenAddr, values::boolean};

/// The TLS listeners and their certificate.
#[derive(Debug, Clone, Default)]
pub enum Tls {
    /// No `--tls-listen`.
    #[default]
    Off,
    /// HTTPS and wss beside the plain listeners.
    On {
        /// The addresses to listen on, at least one.
        listen: Vec<ListenAddr>,
        /// The server's certificate.
        certificate: CertificateSource,
    },
}

/// The source of the certificate.
#[derive(Debug, Clone)]
pub enum CertificateSource {
    /// PEM files, which SIGHUP reloads on Unix.
    Files {
        /// The server's certificate, then the intermediate ones.
        cert: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// Made at startup, and not stored.
    SelfSigned {
        /// Names beside those of this machine.
        names: Vec<TlsName>,
        /// The file that its CA is written to.
        ca_out: Option<PathBuf>,
    },
}

/// A name that a certificate can have: a DNS name, one with `*.` before it, or an IP address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsName(String);

impl TlsName {
    /// Returns the name in the form of a certificate.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TlsName {
    type Err = InvalidFlag;

    fn from_str(text: &str) -> Result<Self, InvalidFlag> {
        // RFC 9525 section 6.3: a wildcard is the complete leftmost label.
        let plain = text.strip_prefix("*.").unwrap_or(text);
        let name = ServerName::try_from(plain).map_err(|_| {
            InvalidFlag("a DNS name or an IP address, such as echo.test, *.test or 192.0.2.1")
        })?;
        if plain.len() < text.len() && matches!(name, ServerName::IpAddress(_)) {
            return Err(InvalidFlag("an IP address without a wildcard"));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for TlsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The flags before they are validated.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "TLS")]
struct Flags {
    /// Address and port for HTTPS and wss, in addition to --listen; repeatable. Needs --tls-cert and --tls-key, or
    /// --tls-self-signed
    #[arg(
        long,
        value_name = "ADDR:PORT",
        env = "WS_ECHO_TLS_LISTEN",
        value_delimiter = ','
    )]
    tls_listen: Vec<ListenAddr>,

    /// PEM file of the certificate chain, the server's own certificate first. SIGHUP reloads it on Unix
    #[arg(long, value_name = "FILE", env = "WS_ECHO_TLS_CERT")]
    tls_cert: Option<PathBuf>,

    /// PEM file of the certificate's private key, not encrypted. SIGHUP reloads it on Unix
    #[arg(long, value_name = "FILE", env = "WS_ECHO_TLS_KEY")]
    tls_key: Option<PathBuf>,

    /// Make a certificate for localhost, 127.0.0.1 and ::1 at each start. The log shows its SHA-256
    #[arg(long, env = "WS_ECHO_TLS_SELF_SIGNED", value_parser = boolean)]
    tls_self_signed: bool,

    /// Additional name or address of the self-signed certificate, such as echo.test or *.test; repeatable
    #[arg(long, value_name = "NAME", env = "WS_ECHO_TLS_NAME", value_delimiter = ',')]
    tls_name: Vec<TlsName>,

    /// Write the CA of the self-signed certificate to this file, for clients to trust
    #[arg(long, value_name = "FILE", env = "WS_ECHO_TLS_CA_OUT")]
    tls_ca_out: Option<PathBuf>,
}

impl Flags {
    /// Returns the setting, or an error in which `name` names what was set: a flag or its variable.
    fn validate(self, name: impl Fn(&str) -> String) -> Result<Tls, String> {
        let Self {
            tls_listen: listen,
            tls_cert,
            tls_key,
            tls_self_signed,
            tls_name: names,
            tls_ca_out: ca_out,
        } = self;
        let (what, certificate) = match (tls_cert, tls_key) {
            (cert, key) if tls_self_signed && (cert.is_some() || key.is_some()) => {
                let file = if cert.is_some() { "tls-cert" } else { "tls-key" };
                return Err(format!(
                    "{} cannot be combined with {}; remove one of them",
                    name("tls-self-signed"),
                    name(file)
                ));
            }
            (Some(_), None) => {
                return Err(format!(
                    "{} needs --tls-key, the file of its private key",
                    name("tls-cert")
                ));
            }
            (None, Some(_)) => {
                return Err(format!(
                    "{} needs --tls-cert, the file of its certificate",
                    name("tls-key")
                ));
            }
            (None, None) if tls_self_signed => {
                ("tls-self-signed", CertificateSource::SelfSigned { names, ca_out })
            }
            _ if !names.is_empty() => {
                return Err(format!(
                    "{} needs --tls-self-signed; a certificate from a file has its own names",
                    name("tls-name")
                ));
            }
            _ if ca_out.is_some() => {
                return Err(format!(
                    "{} needs --tls-self-signed; without it the server makes no CA",
                    name("tls-ca-out")
                ));
            }
            (Some(cert), Some(key)) => ("tls-cert", CertificateSource::Files { cert, key }),
            (None, None) if listen.is_empty() => return Ok(Tls::Off),
            (None, None) => {
                return Err(format!(
                    "{} needs a certificate: --tls-cert and --tls-key, or --tls-self-signed",
                    name("tls-listen")
                ));
            }
        };
        if listen.is_empty() {
            return Err(format!(
                "{} needs --tls-listen, such as --tls-listen localhost:3443",
                name(what)
            ));
        }
        Ok(Tls::On { listen, certificate })
    }
}

impl FromArgMatches for Tls {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let name = |flag: &str| match matches.value_source(&flag.replace('-', "_")) {
            Some(ValueSource::EnvVariable) => {
                format!("WS_ECHO_{}", flag.to_ascii_uppercase().replace('-', "_"))
            }
            _ => format!("--{flag}"),
        };
        Flags::from_arg_matches(matches)?
            .validate(name)
            .map_err(|message| Error::raw(ErrorKind::ArgumentConflict, message))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Tls {
    fn augment_args(command: Command) -> Command {
        Flags::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Flags::augment_args_for_update(command)
    }
}
