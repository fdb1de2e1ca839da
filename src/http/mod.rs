//! What the page and operators ask over plain HTTP.

pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod page;
pub(crate) mod poll;
mod sse;
pub(crate) mod watch;
