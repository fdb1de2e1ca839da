//! What this server does, one file a behaviour, each test a sentence.
//!
//! Most tests mount the production routes on actix's test server and talk to it as awc, as tungstenite (which shares no
//! code with the server), or byte by byte. What belongs to the process (its command line, its signals, its sockets, its
//! memory) is tested on the real binary. Every server has a port of its own; nothing depends on another test.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    missing_docs,
    reason = "a test that cannot go on panics, and says where"
)]

mod admission;
mod behaviours;
mod closing;
mod command_line;
mod compression;
mod control;
mod descriptors;
mod events;
mod fragments;
mod handshake;
mod health;
mod hostile;
mod json;
mod keys;
mod limits;
mod metrics;
mod page;
mod poll;
mod proxy;
mod rates;
mod refusals;
mod replies;
mod shutdown;
mod support;
mod tls;
mod violations;
mod watch;
