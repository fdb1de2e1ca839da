//! The drain: what happens between the signal and the end of the process.

use std::time::Duration;

use actix_server::ServerHandle;
use log::info;
use tokio::{sync::oneshot, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::routes::Shared;

/// How long the accept thread has to pause, and connections that it took before for their first request, on sockets that outlive
/// the process.
const PENDING_HANDSHAKE_GRACE: Duration = Duration::from_millis(200);

/// Waits for `shutdown`, then for the sessions to end. Runs inside actix's own shutdown signal, because its graceful stop closes the
/// listeners and waits for open WebSocket connections without ending them.
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
        info!("not ready any more, and draining in {}", config.shutdown_delay);
        tokio::time::sleep(delay).await;
    }
    // A client that connects from now on belongs to the next process, if the sockets outlive this one.
    if let Some(handle) = inherited
        && let Ok(handle) = handle.await
    {
        handle.pause().await;
        // actix-server does not tell when its accept thread has paused. Connections that it takes until then are this process's to
        // serve.
        tokio::time::sleep(PENDING_HANDSHAKE_GRACE).await;
        let _ = timeout(PENDING_HANDSHAKE_GRACE, admission.first_requests_answered()).await;
    }
    info!("shutting down: {} connections open", admission.open_sessions());
    admission.drain().await;
}
