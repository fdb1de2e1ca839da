//! The handlers of plain HTTP, for the page and for operators.

pub(crate) mod behaviours;
pub(crate) mod check;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod method_not_allowed;
pub(crate) mod metrics;
pub(crate) mod page;
pub(crate) mod poll;
mod representation;
mod sse;
pub(crate) mod watch;
