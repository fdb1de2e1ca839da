//! Node's `ws` and Bun, with the packages that package-lock.json pins.

use std::{
    fs, io,
    path::Path,
    process::{Command, Stdio},
};

use super::Spec;
use crate::machine;

/// Installs the packages and returns one of the two servers.
pub fn find(name: &'static str) -> io::Result<Spec> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/node");
    install(&directory)?;
    if name == "node-ws" {
        let (script, package) = (
            directory.join("ws.cjs"),
            directory.join("node_modules/ws/package.json"),
        );
        let print = format!("'ws ' + require({package:?}).version + ' on Node ' + process.version");
        let version = machine::output("node", &["-p", &print]);
        let version = version.ok_or_else(|| io::Error::other("node is not installed"))?;
        return Ok(Spec::new(
            name,
            version,
            true,
            Path::new("node"),
            &[&script.to_string_lossy()],
        ));
    }
    // There is one package for each platform, and some processors can run several.
    let platforms = fs::read_dir(directory.join("node_modules/@oven"))?.flatten();
    let mut programs = platforms.map(|platform| platform.path().join("bin/bun"));
    let bun = programs.find_map(|program| Some((machine::output(&program, &["--version"])?, program)));
    let (version, program) =
        bun.ok_or_else(|| io::Error::other("the package bun has no binary that runs here"))?;
    let script = directory.join("bun.js");
    Ok(Spec::new(
        name,
        format!("Bun {version}"),
        true,
        &program,
        &[&script.to_string_lossy()],
    ))
}

fn install(directory: &Path) -> io::Result<()> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
    let lock = directory.join("package-lock.json");
    let installed = fs::read(&lock).ok() == fs::read(source.join("package-lock.json")).ok();
    fs::create_dir_all(directory)?;
    for file in fs::read_dir(source)?.flatten() {
        fs::copy(file.path(), directory.join(file.file_name()))?;
    }
    if installed && directory.join("node_modules").is_dir() {
        return Ok(());
    }
    eprintln!("npm ci in {}", directory.display());
    let mut command = Command::new("npm");
    // No script of a package runs: Bun's binary is in the package of its platform.
    command
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"])
        .arg(directory);
    let status = command.stdin(Stdio::null()).stdout(io::stderr()).status();
    if status.as_ref().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    // The next run tries again.
    let _ = fs::remove_file(lock);
    Err(io::Error::other(format!("npm ci failed: {status:?}")))
}
