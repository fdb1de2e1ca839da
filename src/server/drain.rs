//! The drain, between the signal and the end of the process.

use std::time::Duration;

use actix_server::ServerHandle;
use log::info;
use tokio::{sync::oneshot, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::routes::Shared;

/// On inherited sockets: time for the accept thread to pause, and then for the first request of the connections that it accepted
/// before.
const PENDING_HANDSHAKE_GRACE: Duration = Duration::from_millis(200);

/// Waits for `shutdown`, then drains the sessions. Runs as the shutdown signal of actix-server, whose own graceful stop waits for open
/// WebSocket connections without closing them.
pub(super) async fn drain(
    shared: Shared,
    shutdown: CancellationToken,
    inherited: Option<oneshot::Receiver<ServerHandle>>,
) {
    shutdown.cancelled().await;
    let Shared {
        config, admission, ..
    } = shared;
    admission.set_not_ready();
    if let Some(delay) = config.shutdown_delay.duration() {
        info!(delay:% = config.shutdown_delay; "shutdown requested");
        tokio::time::sleep(delay).await;
    }
    // The next process accepts later connections on inherited sockets.
    if let Some(handle) = inherited
        && let Ok(handle) = handle.await
    {
        handle.pause().await;
        // actix-server does not report when its accept thread has paused. This process must serve the connections that it accepts until
        // then.
        tokio::time::sleep(PENDING_HANDSHAKE_GRACE).await;
        let _ = timeout(PENDING_HANDSHAKE_GRACE, admission.first_requests_answered()).await;
    }
    info!(connections = admission.open_sessions(); "draining");
    admission.drain().await;
}
