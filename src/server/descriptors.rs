//! The limit of open file descriptors, of which each connection needs one.

use log::{info, warn};

use crate::{config::Cap, platform::raise_open_file_limit};

/// Number of descriptors for everything except connections: listeners, worker threads, files of the page.
const RESERVED_FDS: usize = 128;

/// Raises the soft limit to the hard limit. Logs a warning if the limit is too low for the number of connections that the caps
/// allow.
pub fn raise_limit(max_connections: Cap, max_http_connections: Cap) {
    let (limit, raised) = raise_open_file_limit();
    if let Err(error) = raised {
        warn!(reason:% = error; "cannot raise open file limit");
    }
    let Some(limit) = limit else { return };
    info!(limit; "open file limit");
    let (connections, http) = (max_connections.limit(), max_http_connections.limit());
    let needed = [http, RESERVED_FDS]
        .into_iter()
        .try_fold(connections, usize::checked_add);
    // Without a cap there is no number to compare with.
    if let Some(needed) = needed
        && needed as u64 > limit
    {
        warn!(limit, needed; "open file limit is below --max-connections");
    }
}
