//! The kind of the far end: ws-echo, a server that echoes, or one that does not.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use crate::{
    client::{ConnectError, Connection, Event, Facts, HandshakeError, Options, Reason, Url},
    protocol::Message,
};

/// The text of the first message.
const QUESTION: &str = "ws-echo check: do you echo?";

/// Start of each close reason that ws-echo generates.
pub const OWN_REASON: &str = "ws-echo: ";

/// Time for which a server that sends other messages is listened to.
const PATIENCE: Duration = Duration::from_secs(3);

/// Time for which the far end may end a connection that was closed.
const FAREWELL: Duration = Duration::from_secs(1);

/// A server, as the checks know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FarEnd {
    /// ws-echo with its behaviours.
    WsEcho,
    /// Another server that returns each message as it is.
    Echo,
    /// A server that does not.
    Other,
}

/// Opens the first connection, and asks what answers.
///
/// # Errors
/// If there is no connection.
pub async fn discover(url: &Url, options: &Options) -> Result<(FarEnd, Facts), ConnectError> {
    match Connection::connect(&url.with_parameters("hello=json&reply=verbatim"), options).await {
        Ok(connection) => {
            let facts = connection.facts().clone();
            match answer(connection, options).await {
                // Another server may take the query for something else.
                FarEnd::Other => {}
                far_end => return Ok((far_end, facts)),
            }
        }
        // Another server may refuse a query.
        Err(error) if matches!(error.reason, Reason::Handshake(HandshakeError::Status(_))) => {}
        Err(error) => return Err(error),
    }
    let connection = Connection::connect(url, options).await?;
    let facts = connection.facts().clone();
    Ok((answer(connection, options).await, facts))
}

/// Closes a connection, so that the far end logs no error. It need not end the connection in time.
pub async fn leave(connection: Connection) {
    let _ = timeout(FAREWELL, connection.close(Some((1000, "")))).await;
}

async fn answer(mut connection: Connection, options: &Options) -> FarEnd {
    if connection.send(&Message::text(QUESTION)).await.is_err() {
        return FarEnd::Other;
    }
    let mut far_end = FarEnd::Other;
    let listen = async {
        // ws-echo describes the connection first. Others may send a greeting.
        while let Some(event) = connection.next().await {
            let Event::Message(message, _) = event else {
                continue;
            };
            if description(&message).is_some() {
                far_end = FarEnd::WsEcho;
                break;
            }
            if *message.payload == *QUESTION.as_bytes() {
                far_end = FarEnd::Echo;
                break;
            }
        }
    };
    let _ = timeout(PATIENCE.min(options.timeout), listen).await;
    leave(connection).await;
    far_end
}

/// Returns the `connection` of `hello=json`, if this is the message of a ws-echo that has it.
pub fn description(message: &Message<'_>) -> Option<Value> {
    let mut value: Value = serde_json::from_slice(&message.payload).ok()?;
    let connection = value.get_mut("connection")?.take();
    (connection["httpVersion"].is_string() && connection["headers"].is_array()).then_some(connection)
}
