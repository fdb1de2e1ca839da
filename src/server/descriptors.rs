//! The limit of open file descriptors, of which each connection needs one.

use log::{info, warn};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Cap;

/// Number of descriptors for everything but sessions: listeners, workers, plain HTTP.
const RESERVED_FDS: u64 = 128;

/// Raises the soft limit, a default of the system, to the hard limit, which the operator sets. Logs a warning if that is too low for
/// `max_connections`.
pub fn raise_limit(max_connections: Cap) {
    let Rlimit {
        current: soft,
        maximum: hard,
    } = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: hard,
        maximum: hard,
    };
    let now = if soft == hard {
        soft
    } else {
        match setrlimit(Resource::Nofile, wanted) {
            Ok(()) => hard,
            Err(error) => {
                warn!("cannot raise the limit of open files: {error}");
                soft
            }
        }
    };
    let Some(now) = now else { return };
    let connections = u64::try_from(max_connections.limit()).unwrap_or(u64::MAX);
    info!("open files: {now} at the most");
    if connections != u64::MAX && connections.saturating_add(RESERVED_FDS) > now {
        warn!(
            "open files are fewer than --max-connections {connections} needs; raise the hard limit (ulimit -Hn, LimitNOFILE=) or lower it"
        );
    }
}
