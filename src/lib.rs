//! ws-echo is a WebSocket echo server for testing clients, proxies and networks.
//!
//! The modules, from top to bottom. Each imports only modules below it, which `.ci/imports.py` checks:
//!
//! - [`server`]: the life of the process: bind, serve, drain. [`tls`] adds the certificate and the TLS handshake
//! - [`routes`]: the URL space
//! - `handshake`: from a request to a session: validate, negotiate, open
//! - `http`: the page, polling, events, metrics, health
//! - [`session`]: one WebSocket connection, as one actix actor. It decides which messages are sent, and when
//! - [`admission`]: caps, rates, the memory budget, and the open sessions
//! - [`transport`]: bytes from and to a peer, over TCP, TLS or an upgraded connection
//! - [`protocol`]: RFC 6455 and RFC 7692 without a socket, a clock or a runtime
//! - [`metrics`] and [`config`]: imported by every module except protocol
//! - [`platform`]: what differs between operating systems
//! - [`escape`]: text from a peer, for a terminal
//! - [`client`]: a WebSocket client, over the same [`transport`] and [`protocol`]
//! - [`logging`], [`healthcheck`], [`completions`] and [`man`]: used by the binary
//!
//! The path of a message: socket, [`transport::Inbound`] (bytes to messages), session (reply), [`transport::Outbound`]
//! (messages to bytes), socket.

pub mod admission;
pub mod check;
pub mod client;
pub mod completions;
pub mod config;
pub mod escape;
mod handshake;
pub mod healthcheck;
mod http;
pub mod logging;
pub mod man;
pub mod metrics;
pub mod platform;
pub mod protocol;
pub mod routes;
pub mod server;
pub mod session;
pub mod tls;
pub mod transport;
