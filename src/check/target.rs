//! The far end of the checks, and how they connect to it.

use std::time::Duration;

use tokio::time::Instant;

use super::far_end::FarEnd;
use crate::client::{ConnectError, Connection, Facts, Options, Url};

/// Shows how much of a long wait has passed, of how much, and then nothing.
pub type Clock = fn(Option<(Duration, Duration)>);

/// The far end of the checks.
pub struct Target {
    /// The URL.
    pub url: Url,
    /// The options of each connection: origin, fields, trust, timeout. No extension is offered.
    pub options: Options,
    /// The subprotocols that the user has named.
    pub subprotocols: Vec<String>,
    /// The longest silence of the check idle.
    pub idle: Option<Duration>,
    /// The kind of the far end.
    pub far_end: FarEnd,
    /// The facts of the first connection.
    pub facts: Facts,
    /// Shows a long wait.
    pub clock: Clock,
}

impl Target {
    /// Returns whether the far end is ws-echo, which shows what it received and does what the query asks for.
    pub fn is_ws_echo(&self) -> bool {
        matches!(self.far_end, FarEnd::WsEcho)
    }

    /// Returns the timeout of each step.
    pub fn timeout(&self) -> Duration {
        self.options.timeout
    }

    /// Returns the time at which a reply that is awaited from now on is late.
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.options.timeout
    }

    /// Returns the URL with these behaviours, such as `reply=verbatim&close=1012`. They are for ws-echo alone: another server gets
    /// its URL as it is, because it may refuse a query.
    pub fn url_with(&self, behaviours: &str) -> Url {
        if self.is_ws_echo() {
            self.url.with_parameters(behaviours)
        } else {
            self.url.clone()
        }
    }

    /// Opens a connection with these behaviours.
    ///
    /// # Errors
    /// As [`Connection::connect`].
    pub async fn connect(&self, behaviours: &str) -> Result<Connection, ConnectError> {
        self.connect_with(behaviours, |_| {}).await
    }

    /// Opens a connection with these behaviours, and with options that `change` has changed.
    ///
    /// # Errors
    /// As [`Connection::connect`].
    pub async fn connect_with(
        &self,
        behaviours: &str,
        change: impl FnOnce(&mut Options),
    ) -> Result<Connection, ConnectError> {
        let mut options = self.options.clone();
        change(&mut options);
        Connection::connect(&self.url_with(behaviours), &options).await
    }

    /// Opens a connection on which each message comes back as it was sent.
    ///
    /// # Errors
    /// As [`Connection::connect`].
    pub async fn echo(&self, change: impl FnOnce(&mut Options)) -> Result<Connection, ConnectError> {
        self.connect_with("reply=verbatim", change).await
    }

    /// Returns whether messages come back as they were sent on the connections of [`Self::echo`].
    pub fn echoes(&self) -> bool {
        matches!(self.far_end, FarEnd::WsEcho | FarEnd::Echo)
    }

    /// Returns the names that Via and Server of the response give, such as `1.1 varnish, nginx`.
    pub fn between(&self) -> Option<String> {
        let response = self.facts.response.as_ref()?;
        let names: Vec<_> = ["via", "server"]
            .iter()
            .flat_map(|name| response.values(name))
            .map(String::from_utf8_lossy)
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}
