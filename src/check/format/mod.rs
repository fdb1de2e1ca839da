//! The formats of a report. Pure.

pub mod json;
pub mod junit;
pub mod markdown;
pub mod text;
