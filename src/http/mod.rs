//! What the page and operators ask over plain HTTP.

pub mod health;
pub mod page;
pub mod watch;
