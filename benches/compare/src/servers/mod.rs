//! The compared servers and their command lines.

mod npm;
mod responder;
mod rust;

use std::{
    env, io,
    path::{Path, PathBuf},
    process::Command,
};

pub use self::rust::serve;
use crate::{Options, machine};

/// The server that the others are compared with.
pub const OURS: &str = "ws-echo";
/// No WebSocket server. It shows the highest rate of the load generator.
pub const RESPONDER: &str = "responder";
pub const NAMES: [&str; 8] = [
    OURS,
    "bare-actors",
    "actix-ws",
    "fastwebsockets",
    "tokio-tungstenite",
    "node-ws",
    "bun",
    RESPONDER,
];

/// How to start a server.
#[derive(Clone, Debug)]
pub struct Spec {
    pub name: &'static str,
    pub version: String,
    pub command: Vec<String>,
    /// Whether it can send stamped replies, and negotiates permessage-deflate if it gets `--compress=on`.
    pub full: bool,
    /// Whether its TLS listener is measured.
    pub tls: bool,
}

impl Spec {
    fn new(name: &'static str, version: String, full: bool, program: &Path, arguments: &[&str]) -> Self {
        let mut command = vec![program.to_string_lossy().into_owned()];
        command.extend(arguments.iter().copied().map(str::to_owned));
        Self {
            name,
            version,
            command,
            full,
            tls: false,
        }
    }

    /// Returns the same server with permessage-deflate, if it has it.
    pub fn compressing(&self) -> Option<Self> {
        self.full.then(|| self.clone().with(&["--compress=on"]))
    }

    /// Returns the same server with more arguments.
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.command.extend(arguments.iter().copied().map(str::to_owned));
        self
    }
}

/// Returns the requested servers that this machine can start, and why the others cannot be started.
pub fn find(options: &Options) -> io::Result<(Vec<Spec>, Vec<String>)> {
    let wanted =
        |name: &&str| options.servers.is_empty() || options.servers.iter().any(|server| server == name);
    let (mut servers, mut missing) = (Vec::new(), Vec::new());
    if wanted(&OURS) {
        servers.push(ws_echo(OURS, options.ws_echo.as_deref())?);
    }
    if let Some(before) = &options.before {
        servers.push(ws_echo("before", Some(before))?);
    }
    for name in NAMES.into_iter().skip(1).filter(wanted) {
        match name {
            "node-ws" | "bun" => match npm::find(name) {
                Ok(spec) => servers.push(spec),
                Err(error) => missing.push(format!("{name} is skipped: {error}")),
            },
            _ => servers.push(Spec::new(
                name,
                version(name),
                false,
                &env::current_exe()?,
                &["serve", name],
            )),
        }
    }
    Ok((servers, missing))
}

/// Returns the library of a compared Rust server and its version, from the lock file of this program.
fn version(name: &str) -> String {
    let library = match name {
        "bare-actors" => "actix-web-actors",
        RESPONDER => return "no WebSocket server".to_owned(),
        name => name,
    };
    let entry = format!("name = \"{library}\"\nversion = \"");
    let version = include_str!("../../Cargo.lock")
        .split_once(&entry)
        .and_then(|(_, rest)| rest.split('"').next());
    format!("{library} {}", version.unwrap_or("?"))
}

/// Returns ws-echo with its defaults: the named binary, or the one that cargo builds.
pub fn ws_echo(name: &'static str, binary: Option<&Path>) -> io::Result<Spec> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()?;
    let (program, origin) = match binary {
        Some(binary) => (binary.canonicalize()?, ", from --ws-echo or --before".to_owned()),
        None => {
            let commit = ["-C", &project.to_string_lossy(), "rev-parse", "--short", "HEAD"];
            let commit = machine::output("git", &commit).map(|commit| format!(", commit {commit}"));
            (build(&project)?, commit.unwrap_or_default())
        }
    };
    let version = machine::output(&program, &["--version"]);
    let version = version.ok_or_else(|| io::Error::other(format!("{} does not run", program.display())))?;
    let flags = [
        "--listen=127.0.0.1:0",
        "--workers=1",
        "--max-connections=0",
        "--static-dir",
    ];
    let spec = Spec::new(name, version + &origin, true, &program, &flags);
    Ok(spec.with(&[&project.join("static").to_string_lossy()]))
}

fn build(project: &Path) -> io::Result<PathBuf> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // `cargo run` sets the variables of this package. If they reached the build of ws-echo, build scripts that read
    // them, and everything that depends on these, would be rebuilt after each build by hand.
    for (variable, _) in env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(variable);
        }
    }
    command.args([
        "build",
        "--release",
        "--locked",
        "--bin=ws-echo",
        "--message-format=short",
    ]);
    if !command
        .current_dir(project)
        .stdout(io::stderr())
        .status()?
        .success()
    {
        return Err(io::Error::other("ws-echo cannot be built"));
    }
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    Ok(project.join(target).join("release/ws-echo"))
}
