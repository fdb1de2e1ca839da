//! The integration tests. A file tests one subject, and the name of a test is a sentence about the server.
//!
//! Most tests mount the production routes on actix's test server. Their clients are awc, tungstenite (which shares no code with
//! the server) and a client that writes single bytes. The tests of the process (its command line, signals, sockets and memory)
//! start the binary. Each server has its own port, and no test depends on another.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    missing_docs,
    reason = "a test that fails panics at the place of the failure"
)]

mod admission;
mod behaviours;
mod behaviours_json;
mod check;
mod client;
mod closing;
mod command_line;
mod compression;
mod control;
mod deploy;
mod descriptors;
mod docs;
mod endings;
mod events;
mod fragments;
mod handshake;
mod health;
mod hostile;
mod json;
mod keys;
mod limits;
mod metrics;
mod packing;
mod page;
mod page_build;
mod poll;
mod print_address;
mod project;
mod proxy;
mod rates;
mod refusals;
mod replies;
mod requested;
mod scripts;
mod server_first;
mod shutdown;
mod support;
mod tls;
mod tls_behaviours;
mod violations;
mod watch;
mod watch_handshake;
