//! The requests that signals make.

/// A request of the operator to the running process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Drain and exit.
    Shutdown,
    /// Read the certificate's files again.
    Reload,
}
