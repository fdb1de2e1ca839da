//! The page from a directory: each file as it is at the time of the request, not compressed.

use std::path::{Component, Path};

use actix_files::Files;
use actix_web::dev::{HttpServiceFactory, ServiceRequest, fn_service};

use super::shared::{INDEX, get_or_head, not_found};

/// Serves the files of `directory`.
pub(super) fn files(directory: &Path) -> impl HttpServiceFactory + use<> {
    Files::new("/", directory)
        .guard(get_or_head())
        .path_filter(|path, _| !leaves_directory_on_windows(path))
        .index_file(INDEX)
        .default_handler(fn_service(async |request: ServiceRequest| {
            Ok(request.into_response(not_found()))
        }))
}

/// Whether Windows reads `path` as anything but a file below the directory: another drive, an alternate stream or a device.
/// The same names are refused on every system.
fn leaves_directory_on_windows(path: &Path) -> bool {
    path.components().any(|part| match part {
        Component::Normal(part) => {
            let part = part.to_string_lossy();
            part.contains(['\\', ':', '\0']) || is_device(&part)
        }
        _ => true,
    })
}

/// Whether Windows reads `name` as a device, with any extension and with spaces after it.
fn is_device(name: &str) -> bool {
    let stem = name
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" => true,
        stem => ["COM", "LPT"]
            .iter()
            .filter_map(|kind| stem.strip_prefix(kind))
            .any(|number| {
                matches!(
                    number,
                    "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"
                )
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_meaning_on_windows_are_refused() {
        for name in [
            "CON",
            "con",
            "nul.txt",
            "aux.tar.gz",
            "COM1",
            "lpt9.js",
            "COM¹",
            "PRN .txt",
            "CONIN$",
        ] {
            assert!(leaves_directory_on_windows(Path::new(name)), "{name}");
            assert!(
                leaves_directory_on_windows(&Path::new("js").join(name)),
                "js/{name}"
            );
        }
        for name in ["C:index.html", "index.html::$DATA", "..\\secret", "a\0b"] {
            assert!(leaves_directory_on_windows(Path::new(name)), "{name}");
        }
        // Windows parses the path of /js/main.js like this. There, actix-files refuses a backslash in the URL before.
        assert_eq!(
            leaves_directory_on_windows(Path::new("js\\main.js")),
            !cfg!(windows)
        );
        for name in [
            "index.html",
            "js/connection/tab.js",
            "console.js",
            "com.js",
            "COM10",
            "null",
            "auxiliary.css",
        ] {
            assert!(!leaves_directory_on_windows(Path::new(name)), "{name}");
        }
    }
}
