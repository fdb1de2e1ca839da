//! ws-echo is a WebSocket echo server for testing clients, proxies and networks.
//!
//! The rooms, from the top down; each imports only rooms below it (`.ci/imports.py` checks that):
//!
//! - [`server`]: the life of the process: bind, serve, drain; over TLS too ([`tls`])
//! - [`routes`]: the whole URL space on one screen
//! - `handshake`: a request to a session: validate, negotiate, open
//! - `http`: the page, polling, events, metrics, health
//! - [`session`]: one WebSocket connection = one actix actor: what is sent and when
//! - [`admission`]: caps, rates, the memory budget, and the open sessions
//! - [`transport`]: bytes from and to a peer: TCP, TLS, an upgraded connection
//! - [`protocol`]: RFC 6455 and RFC 7692 without a socket, a clock or a runtime
//! - [`metrics`], [`config`]: used by all but protocol; [`logging`], [`healthcheck`]: used by the binary
//!
//! A message: socket, [`transport::Inbound`] (bytes to messages), the session (reply), [`transport::Outbound`] (messages to bytes),
//! socket. Nothing below calls up.

pub mod admission;
pub mod config;
mod handshake;
pub mod healthcheck;
mod http;
pub mod logging;
pub mod metrics;
pub mod protocol;
pub mod routes;
pub mod server;
pub mod session;
pub mod tls;
pub mod transport;
