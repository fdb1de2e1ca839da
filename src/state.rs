//! What all workers share.

use std::sync::Arc;

use crate::{
    config::Config,
    metrics::Metrics,
    session::{PerAddress, Registry, watch::WatchHub},
};

/// One server's settings and sessions.
#[derive(Debug)]
pub struct State {
    /// What the operator set.
    pub config: Config,
    /// What is counted.
    pub metrics: Metrics,
    /// Who is connected.
    pub registry: Arc<Registry>,
    /// How often each address may come.
    pub handshakes: PerAddress,
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
            handshakes: PerAddress::new(config.max_handshakes_per_second),
            config,
            metrics: Metrics::default(),
            registry,
            watch: Arc::default(),
        }
    }
}
