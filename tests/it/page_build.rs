//! The modules of the build script, which cargo does not test.

#[path = "../../build/bundle.rs"]
pub(crate) mod bundle;
#[path = "../../build/page.rs"]
pub(crate) mod page;
#[path = "../../build/script.rs"]
pub(crate) mod script;
