//! What the page and operators ask over plain HTTP.

pub mod events;
pub mod health;
pub mod metrics;
pub mod page;
pub mod poll;
pub mod watch;
