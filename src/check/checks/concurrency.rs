//! `concurrency`: 50 connections at the same time.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::{
    check::{
        definition::{Definition, Needs},
        far_end::leave,
        figures::time,
        outcome::Outcome,
        target::Target,
    },
    client::{ConnectError, Connection, Event, HandshakeError, Reason},
    protocol::Message,
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::WebSocket,
    words: include_str!("../words/concurrency.json"),
    run: |target| Box::pin(run(target)),
};

/// Number of connections.
const COUNT: usize = 50;

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    let start = Instant::now();
    // Each stays open until all have been tried.
    let opened = join_all((0..COUNT).map(|index| open(target, index))).await;
    let took = start.elapsed();
    let (mut connections, mut failures) = (Vec::new(), BTreeMap::new());
    for opened in opened {
        match opened {
            Ok(connection) => connections.push(connection),
            Err(failure) => *failures.entry(failure).or_insert(0) += 1,
        }
    }
    let does = if target.echoes() { "echoed" } else { "were open" };
    let count = connections.len();
    if failures.is_empty() {
        outcome.ok(format!(
            "{count} connections {does} at once, after {}",
            time(took)
        ));
    }
    // ws-echo refuses the first connections past its limit, and closes the others without a response.
    let is_own = failures.keys().any(|failure| failure.is_own);
    for (Failure { reason, .. }, failed) in failures {
        let seen = format!("{failed} of {COUNT} connections at once failed: {reason}");
        if is_own {
            outcome.differs("own-limit", seen);
        } else {
            outcome.broken_unless(!target.is_ws_echo(), "limit", seen);
        }
    }
    join_all(connections.into_iter().map(|connection| end(target, connection))).await;
    outcome
}

/// The reason why a connection does not work.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Failure {
    /// Whether it is a limit of ws-echo.
    is_own: bool,
    reason: String,
}

impl Failure {
    fn new(reason: impl Into<String>) -> Self {
        Self {
            is_own: false,
            reason: reason.into(),
        }
    }

    fn of(error: &ConnectError) -> Self {
        let body = String::from_utf8_lossy(&error.facts.body);
        match &error.reason {
            Reason::Handshake(HandshakeError::Status(status)) => Self {
                is_own: body.contains("has reached its connection limit of"),
                reason: format!("status {status}"),
            },
            // Without the address of the socket, so that equal reasons are counted together.
            Reason::Ended(_) => Self::new("the connection ended before the response"),
            reason => Self::new(reason.to_string()),
        }
    }
}

/// Opens a connection, and waits for the echo of its own message.
async fn open(target: &Target, index: usize) -> Result<Connection, Failure> {
    let mut connection = target.echo(|_| {}).await.map_err(|error| Failure::of(&error))?;
    if !target.echoes() {
        return Ok(connection);
    }
    let text = format!("ws-echo check: connection {index}");
    if let Err(error) = connection.send(&Message::text(&text)).await {
        return Err(Failure::new(format!("no message could be sent: {error}")));
    }
    let deadline = target.deadline();
    loop {
        match connection.next_before(deadline).await {
            Some(Event::Message(reply, _)) if *reply.payload == *text.as_bytes() => return Ok(connection),
            // A greeting of another server.
            Some(Event::Message(..) | Event::Frame(_) | Event::Ping(_) | Event::Pong(_)) => {}
            Some(Event::Close(frame)) => {
                let code = frame.map_or("no code".to_owned(), |frame| frame.code.to_string());
                return Err(Failure::new(format!("a Close with {code}")));
            }
            Some(Event::Violation(_) | Event::End(_)) => {
                return Err(Failure::new("the connection ended before the echo"));
            }
            None => return Err(Failure::new("no echo in time")),
        }
    }
}

async fn end(target: &Target, mut connection: Connection) {
    if target.echoes() {
        leave(connection).await;
    } else {
        // It may send without end, which 50 connections need not read.
        let _ = connection.send_close(Some((1000, ""))).await;
    }
}
