//! The figures of the process that every exporter reports.

/// Memory, CPU time and descriptors of this process. `None` if the system does not report the value.
#[derive(Debug, Default)]
pub(crate) struct ProcessFigures {
    /// User and system CPU time in seconds.
    pub(crate) cpu_seconds: Option<f64>,
    /// Start of the process, in seconds since the Unix epoch.
    pub(crate) start_seconds: Option<f64>,
    /// Resident memory in bytes.
    pub(crate) resident_bytes: Option<u64>,
    /// Virtual memory in bytes.
    pub(crate) virtual_bytes: Option<u64>,
    /// Number of open file descriptors.
    pub(crate) open_fds: Option<usize>,
    /// Maximum number of open file descriptors.
    pub(crate) max_fds: Option<u64>,
}

/// Returns no figure: outside Linux they need system calls without a safe interface.
#[cfg(not(target_os = "linux"))]
pub(crate) fn process_figures() -> ProcessFigures {
    ProcessFigures::default()
}
