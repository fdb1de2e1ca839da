//! The value of `?hello=`: the first message of a connection, which the server sends.

/// The first message of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hello {
    /// `json`: the `connection` of `reply=json`.
    Json,
    /// `time`: the time, as of `tick`.
    Time,
    /// `text:TEXT`: this text.
    Text(String),
}
