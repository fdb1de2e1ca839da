//! Puts the page into the binary: joined to few files, and each of them compressed if that is smaller.
#![expect(
    clippy::print_stdout,
    reason = "cargo reads the instructions of a build script there"
)]

mod bundle;
mod pack;
mod page;
mod script;

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use page::Files;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=static");
    println!("cargo::rerun-if-changed=build");
    let root =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("no CARGO_MANIFEST_DIR")?).join("static");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("no OUT_DIR")?);
    let mut files = Files::new();
    read(&root, "", &mut files)?;
    let mut code = String::from("&[\n");
    // The map is in the order in which the server looks a name up.
    for (index, (name, bytes)) in page::packed(files)?.iter().enumerate() {
        let field = |kind: &str, bytes: Option<&[u8]>| -> Result<String, Box<dyn Error>> {
            let Some(bytes) = bytes else {
                return Ok("None".to_owned());
            };
            let file = out.join(format!("page-{index}.{kind}"));
            fs::write(&file, bytes)?;
            Ok(format!("Some(include_bytes!({file:?}))"))
        };
        let identity = field("identity", Some(bytes))?;
        let brotli = field("br", pack::brotli(bytes)?.as_deref())?;
        let gzip = field("gz", pack::gzip(bytes)?.as_deref())?;
        let (content_type, tag) = (content_type(name)?, pack::tag(bytes));
        writeln!(
            code,
            "    EmbeddedFile {{ name: {name:?}, content_type: {content_type:?}, tag: {tag:?}, \
             identity: {}, brotli: {brotli}, gzip: {gzip} }},",
            identity.trim_start_matches("Some"),
        )?;
    }
    code.push(']');
    fs::write(out.join("page.rs"), code)?;
    Ok(())
}

/// Adds all files of the page under `folder`, with `/` between the parts of their names on every system.
fn read(root: &Path, folder: &str, files: &mut Files) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|name| format!("{name:?} is not UTF-8"))?;
        if name.starts_with('.') {
            continue;
        }
        let name = if folder.is_empty() {
            name
        } else {
            format!("{folder}/{name}")
        };
        if entry.file_type()?.is_dir() {
            read(root, &name, files)?;
        } else {
            files.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(())
}

fn content_type(name: &str) -> Result<&'static str, String> {
    Ok(match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("LICENSE" | "txt") => "text/plain; charset=utf-8",
        Some("md") => "text/markdown; charset=utf-8",
        _ => {
            return Err(format!(
                "static/{name}: no content type for this name in build/main.rs"
            ));
        }
    })
}
