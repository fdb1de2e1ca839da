//! What all workers share.

use std::sync::Arc;

use crate::{
    config::Config,
    session::{Registry, watch::WatchHub},
};

/// One server's settings and sessions.
#[derive(Debug)]
pub struct State {
    /// What the operator set.
    pub config: Config,
    /// Who is connected.
    pub registry: Arc<Registry>,
    /// Who watches whom.
    pub watch: Arc<WatchHub>,
}

impl State {
    /// A server's state before its first connection.
    pub fn new(config: Config) -> Self {
        let registry = Arc::new(Registry::new(
            config.max_connections,
            config.max_connections_per_ip,
        ));
        Self {
            config,
            registry,
            watch: Arc::default(),
        }
    }
}
