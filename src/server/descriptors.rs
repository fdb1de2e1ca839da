//! The limit of open file descriptors, of which each connection needs one.

use log::{info, warn};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Cap;

/// Number of descriptors for everything except connections: listeners, worker threads, files of the page.
const RESERVED_FDS: usize = 128;

/// Raises the soft limit to the hard limit: the soft one is a default of the system, the hard one is set by the operator. Logs a
/// warning if the limit is too low for the number of connections that the caps allow.
pub fn raise_limit(max_connections: Cap, max_http_connections: Cap) {
    let Rlimit {
        current: soft,
        maximum: hard,
    } = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: hard,
        maximum: hard,
    };
    let raised = if soft == hard {
        soft
    } else {
        match setrlimit(Resource::Nofile, wanted) {
            Ok(()) => hard,
            Err(error) => {
                warn!(reason:% = error; "cannot raise open file limit");
                soft
            }
        }
    };
    let Some(limit) = raised else { return };
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
