//! `ws-echo check` through real proxies, configured right and wrong. Of a right one nothing is broken, and each wrong one is named
//! by the right check.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "a test that fails panics at the place of the failure"
)]

mod apache;
mod caddy;
mod group;
mod haproxy;
mod matrix;
mod nginx;
mod others;
mod program;
#[path = "../../it/support/mod.rs"]
#[allow(dead_code, reason = "the other tests use the unused parts")]
mod support;
mod varnish;

/// The support of the other tests finds the project and the server through this name.
use system_tests as project;
