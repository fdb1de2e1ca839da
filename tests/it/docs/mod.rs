//! The documents, held against the program: a table, a link or a command in them is true, or a test here fails.

mod check;
mod commands;
mod copied_lines;
mod fixtures;
mod flags;
mod links;
mod log_events;
mod markdown;
mod metrics;
mod readmes;
mod recipes;
mod wpt;
