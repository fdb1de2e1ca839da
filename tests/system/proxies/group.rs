//! A program that ends with its test, together with each process that it starts.

use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{Child, ChildStdout, Command},
};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process_group, set_child_subreaper, waitpgid};

/// A running program in a process group of its own.
pub(crate) struct Group {
    leader: Child,
}

impl Group {
    /// Starts a program.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        // Workers, whose parent ends first, become children of the tests, which can then wait for them.
        set_child_subreaper(Some(getpid()))?;
        Ok(Self {
            leader: command.process_group(0).spawn()?,
        })
    }

    /// Returns what the program has exited with, unless it runs.
    pub(crate) fn exited(&mut self) -> Option<String> {
        Some(self.leader.try_wait().ok()??.to_string())
    }

    /// Returns the output of the program, once.
    pub(crate) fn take_output(&mut self) -> Option<ChildStdout> {
        self.leader.stdout.take()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.leader);
        // The group is empty if all have exited.
        let _ = kill_process_group(group, Signal::KILL);
        while waitpgid(group, WaitOptions::empty()).is_ok() {}
    }
}
