//! The parts of a check.

use futures_core::future::LocalBoxFuture;

use super::{outcome::Outcome, target::Target};

/// The step of a connection that must work before a check runs. The later one includes the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    /// An address that accepts TCP connections.
    Tcp,
    /// TLS with a certificate that verifies, if the URL is wss.
    Http,
    /// An opening handshake that succeeds.
    WebSocket,
}

/// A check. The name is that of [`crate::config::CheckName`].
#[derive(Clone, Copy)]
pub struct Definition {
    /// The step that must work before.
    pub needs: Needs,
    /// The file of its texts.
    pub words: &'static str,
    /// Runs it. It ends within a few times the timeout, whatever the far end does.
    pub run: for<'t> fn(&'t Target) -> LocalBoxFuture<'t, Outcome>,
}
