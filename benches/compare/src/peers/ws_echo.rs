//! The server that all this is about, as a user starts it.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::Command,
};

use super::Peer;
use crate::{machine, process::Recipe};

/// ws-echo's own directory.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A binary that is there, or the one that is built now: cargo has nothing to do where it is up to date.
pub fn peer(name: &'static str, binary: Option<&Path>) -> io::Result<Peer> {
    let project = project().canonicalize()?;
    let program = match binary {
        Some(binary) => binary.canonicalize()?,
        None => build(&project)?,
    };
    let says = machine::said(&program, &["--version"])
        .ok_or_else(|| io::Error::other(format!("{} does not run", program.display())))?;
    let commit = match binary {
        Some(_) => ", a binary that was named".to_owned(),
        None => machine::said(
            "git",
            &["-C", &project.to_string_lossy(), "rev-parse", "--short", "HEAD"],
        )
        .map_or(String::new(), |commit| format!(", commit {commit}")),
    };
    let mut arguments: Vec<OsString> = [
        "--listen",
        "127.0.0.1:0",
        "--workers",
        "1",
        "--max-connections",
        "0",
        "--static-dir",
    ]
    .map(OsString::from)
    .to_vec();
    arguments.push(project.join("static").into());
    let recipe = Recipe {
        program,
        arguments,
        environment: Vec::new(),
    };
    Ok(Peer {
        name,
        version: says + &commit,
        // It compresses where a client offers it, without being told.
        compressing: Some(recipe.clone()),
        recipe,
        stamps: true,
        real: true,
    })
}

fn build(project: &Path) -> io::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    // `cargo run` tells this program of its own package. Build scripts that look there would be run anew, and what hangs
    // on them built anew, each time that this build and one by hand take turns.
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(variable);
        }
    }
    let status = command
        .current_dir(project)
        .args([
            "build",
            "--release",
            "--locked",
            "--bin",
            "ws-echo",
            "--message-format=short",
        ])
        .stdout(io::stderr())
        .status()?;
    if !status.success() {
        return Err(io::Error::other("ws-echo cannot be built"));
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    Ok(project.join(target).join("release/ws-echo"))
}
