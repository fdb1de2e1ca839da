//! Node and Bun, with the packages that package-lock.json pins, in this crate's target directory.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::Peer;
use crate::{machine, process::Recipe};

const PACKAGES: [(&str, &str); 2] = [
    ("package.json", include_str!("../../node/package.json")),
    ("package-lock.json", include_str!("../../node/package-lock.json")),
];

/// The directory of the packages, installed where they are not there yet.
pub fn install() -> Result<PathBuf, String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/node");
    let modules = here.join("node_modules");
    let up_to_date = PACKAGES
        .iter()
        .all(|(name, text)| fs::read_to_string(here.join(name)).is_ok_and(|is| is == *text));
    if up_to_date && modules.is_dir() {
        return Ok(modules);
    }
    eprintln!("npm ci in {}", here.display());
    fs::create_dir_all(&here).map_err(|error| error.to_string())?;
    for (name, text) in PACKAGES {
        fs::write(here.join(name), text).map_err(|error| error.to_string())?;
    }
    // No script of a package is run: Bun's binary is in the package of its platform.
    let output = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"])
        .arg(&here)
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => Ok(modules),
        Ok(output) => {
            // The next run is to try again.
            let _ = fs::remove_file(here.join(PACKAGES[0].0));
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let line = said
                .lines()
                .find(|line| line.contains("error"))
                .unwrap_or("no word why");
            Err(format!("npm ci failed: {line}"))
        }
        Err(_) => Err("npm is not installed".to_owned()),
    }
}

/// Node's `ws`.
pub fn node(modules: PathBuf) -> Result<Peer, String> {
    let version = machine::said("node", &["--version"]).ok_or("node is not installed")?;
    let package = fs::read_to_string(modules.join("ws/package.json")).unwrap_or_default();
    let library = package
        .split_once("\"version\": \"")
        .and_then(|(_, rest)| rest.split('"').next())
        .ok_or("the package ws is not installed")?;
    let version = format!("ws {library} on Node {version}");
    Ok(peer("node-ws", version, "node".into(), "ws.cjs", modules))
}

/// Bun's built-in server.
pub fn bun(modules: PathBuf) -> Result<Peer, String> {
    let platforms = fs::read_dir(modules.join("@oven"))
        .into_iter()
        .flatten()
        .flatten();
    let (program, version) = platforms
        .map(|platform| platform.path().join("bin/bun"))
        .find_map(|program| Some((program.clone(), machine::said(&program, &["--version"])?)))
        .ok_or("the package bun has no binary that runs here")?;
    Ok(peer("bun", format!("Bun {version}"), program, "bun.js", modules))
}

fn peer(name: &'static str, version: String, program: PathBuf, script: &str, modules: PathBuf) -> Peer {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("node").join(script);
    let recipe = Recipe {
        program,
        arguments: vec![script.into()],
        environment: vec![("NODE_PATH", modules.into()), ("NODE_ENV", "production".into())],
    };
    let mut compressing = recipe.clone();
    compressing.arguments.push("--compress".into());
    Peer {
        name,
        version,
        recipe,
        compressing: Some(compressing),
        stamps: true,
        real: true,
    }
}
