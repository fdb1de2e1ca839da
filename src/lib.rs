//! The WebSocket endpoint that you point a client, a proxy or a network at to learn the truth about it.
//!
//! The map of this house, from the top down; each room knows only those below it:
//!
//! - [`server`]: binds ([`listener`]), serves until told to stop, drains; over TLS too ([`tls`])
//! - [`routes`]: the whole URL space on one screen
//! - [`session`]: one WebSocket connection = one actix actor: handshake, replies, closing
//! - [`http`]: what the page and operators ask over plain HTTP
//! - [`state`]: what all workers share
//! - [`metrics`]: what all workers count
//! - [`wire`]: the bytes beneath the actor: frames, limits, UTF-8, compression
//! - [`config`]: the command line; [`healthcheck`]: its second command; [`logging`]: the lines of the log; [`descriptors`]:
//!   how many files may be open
//!
//! A message's way: socket, [`wire::Inbound`] (frames to messages), the session (decide, reply), [`wire::Outbound`]
//! (messages to frames), socket. One direction, no way back but the reply itself.

pub mod config;
pub mod descriptors;
pub mod healthcheck;
pub mod http;
pub mod listener;
pub mod logging;
pub mod metrics;
pub mod routes;
pub mod server;
pub mod session;
pub mod state;
pub mod tls;
pub mod wire;
