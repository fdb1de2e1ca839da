//! The page: its files from a directory and from the binary, and no file outside of it.

use std::{fs, io::Read as _, path::PathBuf};

use crate::support::{
    Echo,
    raw::{Body, Head, Raw},
};

async fn get(echo: &Echo, path: &str) -> (Head, String) {
    let mut peer = Raw::connect(echo.addr()).await;
    peer.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
        .await;
    peer.response().await
}

/// Sends GET for `path` with these header lines, and returns the response with its body.
async fn get_with(echo: &Echo, path: &str, lines: &str) -> (Head, Vec<u8>) {
    let mut peer = Raw::connect(echo.addr()).await;
    peer.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n").as_bytes())
        .await;
    let head = peer.head().await;
    let body = Body::of(&head).read_to_end(&mut peer).await;
    (head, body)
}

/// A server with the page from the directory, and one with the page from the binary.
fn both() -> [Echo; 2] {
    [Echo::start(), Echo::with(|config| config.static_dir = None)]
}

/// The paths in `href` and `src` of index.html.
fn links(page: &str) -> Vec<String> {
    let values = page.split(" href=\"").chain(page.split(" src=\"")).skip(1);
    let values = values
        .filter_map(|rest| rest.split_once('"'))
        .map(|(value, _)| value);
    values
        .filter(|value| value.contains('.') && !value.contains(['<', ' ']))
        .map(|value| format!("/{value}"))
        .collect()
}

#[actix_rt::test]
async fn the_page_is_served_at_the_root_with_a_policy_that_allows_no_other_origin() {
    for echo in both() {
        let (head, body) = get(&echo, "/").await;
        assert_eq!(head.status, 200);
        assert!(head.get("content-type").unwrap().starts_with("text/html"));
        assert!(body.contains("id=\"mes\""));
        assert_eq!(get(&echo, "/index.html").await.1, body);
        let policy: Vec<_> = head
            .get("content-security-policy")
            .unwrap()
            .split(';')
            .map(str::trim)
            .collect();
        assert!(policy.contains(&"default-src 'self'"), "{policy:?}");
        assert!(policy.contains(&"connect-src 'self' ws: wss:"), "{policy:?}");
        assert!(!policy.concat().contains("unsafe"), "{policy:?}");
        assert_eq!(head.get("x-content-type-options"), Some("nosniff"));
        assert_eq!(head.get("referrer-policy"), Some("no-referrer"));
        assert_eq!(head.get("cache-control"), Some("no-cache"));
    }
}

#[actix_rt::test]
async fn every_file_that_the_page_names_is_served_with_its_type() {
    for echo in both() {
        let names = links(&get(&echo, "/").await.1);
        for end in [".js", ".css", ".svg"] {
            assert!(names.iter().any(|name| name.ends_with(end)), "{names:?}");
        }
        for name in names {
            let (head, _) = get(&echo, &name).await;
            assert_eq!(head.status, 200, "{name}");
            assert_eq!(head.get("x-content-type-options"), Some("nosniff"));
            let is_part = name.ends_with(".js") || name.ends_with(".css");
            assert_eq!(head.get("content-security-policy").is_none(), is_part, "{name}");
            let content_type = match name.rsplit_once('.').unwrap().1 {
                "js" => "text/javascript",
                "css" => "text/css; charset=utf-8",
                _ => "image/svg+xml",
            };
            assert_eq!(head.get("content-type"), Some(content_type), "{name}");
        }
        // A worker has the policy of its own script.
        for path in ["/js/log/find-worker.js", "/no/such/file"] {
            let (head, _) = get(&echo, path).await;
            assert!(head.get("content-security-policy").is_some(), "{path}");
        }
    }
}

#[actix_rt::test]
async fn a_client_with_the_current_file_gets_304() {
    for echo in both() {
        let (head, body) = get_with(&echo, "/js/main.js", "").await;
        let tag = head.get("etag").unwrap();
        assert!(tag.starts_with('"') && !body.is_empty(), "{tag}");
        for known in [tag, "*", &format!("W/{tag}"), &format!("\"other\", {tag}")] {
            let (head, body) = get_with(&echo, "/js/main.js", &format!("If-None-Match: {known}\r\n")).await;
            assert_eq!((head.status, head.get("etag")), (304, Some(tag)), "{known}");
            assert_eq!(head.get("cache-control"), Some("no-cache"));
            assert_eq!(body, b"");
        }
        let other = get_with(&echo, "/js/main.js", "If-None-Match: \"other\"\r\n").await;
        assert_eq!((other.0.status, other.1), (200, body));
        let (head, _) = get_with(&echo, "/js/main.js", "If-Match: \"other\"\r\n").await;
        assert_eq!(head.status, 412);
    }
}

#[actix_rt::test]
async fn head_gets_the_header_section_of_get_and_no_body() {
    for echo in both() {
        let (of_get, _) = get(&echo, "/js/main.js").await;
        let mut peer = Raw::connect(echo.addr()).await;
        // A body of the first response would be read as the second one.
        for path in ["/js/main.js", "/no/such/file", "/"] {
            peer.send(format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
                .await;
            let head = peer.head().await;
            assert_eq!(
                head.status,
                if path.starts_with("/no") { 404 } else { 200 },
                "{path}"
            );
            if path.ends_with("main.js") {
                for name in [
                    "content-length",
                    "content-type",
                    "etag",
                    "accept-ranges",
                    "cache-control",
                ] {
                    assert_eq!(head.get(name), of_get.get(name), "{name}");
                    assert!(head.get(name).is_some(), "{name}");
                }
            }
        }
    }
}

#[actix_rt::test]
async fn a_range_of_a_file_is_served() {
    for echo in both() {
        let (head, whole) = get_with(&echo, "/js/main.js", "").await;
        let (tag, len) = (head.get("etag").unwrap(), whole.len());
        for (range, part) in [
            ("0-9", 0..10),
            ("5-", 5..len),
            ("-7", len - 7..len),
            ("0-9,20-29", 0..10),
        ] {
            let (head, body) = get_with(&echo, "/js/main.js", &format!("Range: bytes={range}\r\n")).await;
            let content_range = format!("bytes {}-{}/{len}", part.start, part.end - 1);
            assert_eq!(
                (head.status, head.get("content-range")),
                (206, Some(&*content_range)),
                "{range}"
            );
            assert_eq!(body, whole[part]);
        }
        let (head, _) = get_with(&echo, "/js/main.js", &format!("Range: bytes={len}-\r\n")).await;
        assert_eq!(
            (head.status, head.get("content-range")),
            (416, Some(&*format!("bytes */{len}")))
        );
        for lines in [
            "Range: lines=0-9\r\n",
            "Range: bytes=0-9\r\nIf-Range: \"other\"\r\n",
        ] {
            let (head, body) = get_with(&echo, "/js/main.js", lines).await;
            assert_eq!((head.status, body.len()), (200, len), "{lines}");
        }
        let lines = format!("Range: bytes=0-9\r\nIf-Range: {tag}\r\n");
        assert_eq!(get_with(&echo, "/js/main.js", &lines).await.0.status, 206);
    }
}

#[actix_rt::test]
async fn the_page_in_the_binary_and_the_query_keys_are_compressed_for_a_client_that_accepts_it() {
    let echo = Echo::with(|config| config.static_dir = None);
    for (path, brotli) in [
        ("/", "br"),
        ("/js/main.js", "br"),
        ("/behaviours.json", "gzip"),
        ("/check.json", "gzip"),
    ] {
        let (plain, whole) = get_with(&echo, path, "").await;
        assert_eq!(
            (plain.get("content-encoding"), plain.get("vary")),
            (None, Some("accept-encoding"))
        );
        for (accepted, encoding) in [
            ("gzip, deflate, br, zstd", Some(brotli)),
            ("gzip, br;q=0", Some("gzip")),
            ("gzip;q=0.5, br;q=0", Some("gzip")),
            ("GZIP", Some("gzip")),
            ("identity", None),
            ("deflate", None),
            ("br;q=0, gzip;q=0", None),
            ("", None),
        ] {
            let (head, body) = get_with(&echo, path, &format!("Accept-Encoding: {accepted}\r\n")).await;
            assert_eq!(
                (head.status, head.get("content-encoding")),
                (200, encoding),
                "{path} {accepted}"
            );
            assert_eq!(head.get("content-type"), plain.get("content-type"));
            assert_eq!(head.get("vary"), Some("accept-encoding"));
            // Another representation has another tag, and its own is revalidated.
            let tag = head.get("etag").unwrap();
            assert_eq!(
                Some(tag) == plain.get("etag"),
                encoding.is_none(),
                "{path} {accepted}"
            );
            let lines = format!("Accept-Encoding: {accepted}\r\nIf-None-Match: {tag}\r\n");
            assert_eq!(get_with(&echo, path, &lines).await.0.status, 304);
            match encoding {
                None => assert_eq!(body, whole),
                Some("gzip") => {
                    let mut content = Vec::new();
                    flate2::read::GzDecoder::new(&body[..])
                        .read_to_end(&mut content)
                        .unwrap();
                    assert_eq!(content, whole);
                }
                Some(_) => assert!(body.len() < whole.len() * 2 / 3, "{}: {path}", body.len()),
            }
        }
    }
}

#[actix_rt::test]
async fn the_page_has_no_script_or_style_that_its_own_policy_forbids() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/static/index.html")).unwrap();
    let page = page.to_lowercase();
    for script in page.split("<script").skip(1) {
        let (attributes, body) = script.split_once('>').unwrap();
        assert!(attributes.contains("src="), "<script{attributes}>");
        assert!(
            body.trim_start().starts_with("</script"),
            "<script{attributes}> has a body"
        );
    }
    for forbidden in ["<style", " style=", " onclick=", " onload=", "javascript:"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

/// Returns the number of bytes of the response to a request for this file with these fields: of its header section, and of its
/// content.
async fn weight(echo: &Echo, file: &str, fields: &str) -> (usize, usize) {
    let mut peer = Raw::connect(echo.addr()).await;
    peer.send(format!("GET {file} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").as_bytes())
        .await;
    let head = peer.head_bytes().await;
    let (_, length) = head.split_once("content-length: ").unwrap();
    (head.len(), length.lines().next().unwrap().parse().unwrap())
}

#[actix_rt::test]
async fn the_page_weighs_less_than_50_kb_on_the_wire_and_170_kb_as_files_until_its_first_echo() {
    let echo = Echo::with(|config| config.static_dir = None);
    for language in ["en", "zh"] {
        let texts = format!("/js/shell/texts.{language}.js");
        let mut files = links(&get(&echo, "/").await.1);
        files.extend(["/".to_owned(), texts]);
        let (mut wire, mut plain) = (0, 0);
        for file in &files {
            let (head, content) = weight(&echo, file, "Accept-Encoding: gzip, deflate, br, zstd\r\n").await;
            wire += head + content;
            plain += weight(&echo, file, "").await.1;
        }
        println!(
            "{language}: {wire} bytes in {} responses, {plain} bytes as files",
            files.len()
        );
        assert!(wire < 50_000, "{language}: {wire} bytes: {files:?}");
        assert!(plain < 170_000, "{language}: {plain} bytes: {files:?}");
    }
}

#[actix_rt::test]
async fn a_missing_file_gets_404_with_a_hint() {
    for echo in both() {
        let (head, body) = get(&echo, "/nothing/here").await;
        assert_eq!(head.status, 404);
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert!(json["error"].is_string() && json["hint"].is_string(), "{body}");
    }
}

/// A static directory with a page, and a secret file beside it.
struct Site {
    echo: Echo,
    directory: tempfile::TempDir,
}

impl Site {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("secret.txt"), "secret").unwrap();
        let site = directory.path().join("static");
        fs::create_dir_all(site.join("sub")).unwrap();
        fs::write(site.join("index.html"), "page").unwrap();
        fs::write(site.join("sub/file.txt"), "file").unwrap();
        fs::write(site.join(".hidden"), "hidden").unwrap();
        let echo = Echo::with(|config| config.static_dir = Some(site));
        Self { echo, directory }
    }

    fn files(&self) -> PathBuf {
        self.directory.path().join("static")
    }
}

#[actix_rt::test]
async fn the_static_directory_of_these_tests_is_served() {
    let site = Site::start();
    assert_eq!(get(&site.echo, "/").await.1, "page");
    assert_eq!(get(&site.echo, "/sub/file.txt").await.1, "file");
}

#[actix_rt::test]
async fn no_path_leads_out_of_the_page() {
    let site = Site::start();
    // On Windows these are devices, and elsewhere files.
    #[cfg(not(windows))]
    for name in ["CON", "con.html", "COM1", "LPT1.js", "sub/NUL"] {
        fs::write(site.files().join(name), "secret").unwrap();
    }
    let embedded = Echo::with(|config| config.static_dir = None);
    for path in [
        "/../secret.txt",
        "/sub/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E%2Fsecret.txt",
        "/..%2fsecret.txt",
        "/sub/..%2f..%2fsecret.txt",
        "/%252e%252e/secret.txt",
        "/..\\secret.txt",
        "/..%5Csecret.txt",
        "/.%00./secret.txt",
        "//../secret.txt",
        "/....//secret.txt",
        "/%c0%ae%c0%ae/secret.txt",
        "/./../secret.txt",
        "/sub/../../static/../secret.txt",
        "//etc/passwd",
        "/%2Fetc%2Fpasswd",
        "/etc/passwd",
        "/index.html%00",
        "/%00",
        "/sub%00/file.txt",
        "/.hidden",
        "/sub",
        "/sub/",
        // What Windows reads as another drive, a device or an alternate stream.
        "/C:/secret.txt",
        "/C:secret.txt",
        "/c%3A%5Csecret.txt",
        "/sub\\..\\..\\secret.txt",
        "/..%5c..%5csecret.txt",
        "/%5C%5Chost%5Cshare%5Csecret.txt",
        "/index.html::$DATA",
        "/index.html%3A%3A$DATA",
        "/sub:$I30:$INDEX_ALLOCATION/file.txt",
        "/CON",
        "/con.html",
        "/sub/NUL",
        "/COM1",
        "/LPT1.js",
        "/CONIN$",
    ] {
        for echo in [&site.echo, &embedded] {
            let (head, body) = get(echo, path).await;
            assert!(matches!(head.status, 400 | 404), "{path}: {head:?}");
            for word in ["secret", "root:", "hidden"] {
                assert!(!body.contains(word), "{path}: {body}");
            }
        }
    }
}

#[actix_rt::test]
async fn a_nul_byte_in_the_path_gets_400() {
    let site = Site::start();
    let mut peer = Raw::connect(site.echo.addr()).await;
    peer.send(b"GET /index.html\0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    assert_eq!(peer.head().await.status, 400);
}

#[actix_rt::test]
async fn a_file_that_is_cut_short_while_it_is_served_ends_the_connection_before_its_length() {
    let site = Site::start();
    let path = site.files().join("large.bin");
    // More than the buffers of both sockets hold.
    let len = 256 * 1024 * 1024;
    let file = fs::File::create(&path).unwrap();
    file.set_len(len).unwrap();
    let mut peer = Raw::connect(site.echo.addr()).await;
    peer.send(b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    let head = peer.head().await;
    assert_eq!(head.get("content-length"), Some(&*len.to_string()));
    file.set_len(1024).unwrap();
    assert!(Body::of(&head).is_truncated(&mut peer).await);
}

#[actix_rt::test]
async fn no_method_writes_a_file() {
    let site = Site::start();
    for method in ["PUT", "DELETE", "POST", "PATCH"] {
        let mut peer = Raw::connect(site.echo.addr()).await;
        let request =
            format!("{method} /sub/file.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        peer.send(request.as_bytes()).await;
        assert_eq!(peer.head().await.status, 405, "{method}");
    }
    assert_eq!(get(&site.echo, "/sub/file.txt").await.1, "file");
}

#[actix_rt::test]
async fn an_unsupported_method_gets_405_with_the_allowed_ones_and_a_hint() {
    let servers = both();
    for (method, path, allow, hint) in [
        ("POST", "/", "GET, HEAD", "use GET or HEAD"),
        ("DELETE", "/index.html", "GET, HEAD", "use GET or HEAD"),
        ("POST", "/metrics", "GET, HEAD", "use GET or HEAD"),
        ("PUT", "/poll", "GET, POST", "use GET or POST"),
        ("POST", "/events", "GET", "use GET"),
        ("POST", "/watch/key", "GET", "use GET"),
    ] {
        for echo in &servers {
            let mut peer = Raw::connect(echo.addr()).await;
            let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
            peer.send(request.as_bytes()).await;
            let (head, body) = peer.response().await;
            assert_eq!(
                (head.status, head.get("allow")),
                (405, Some(allow)),
                "{method} {path}"
            );
            assert_eq!(head.get("content-type"), Some("application/json"));
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            let error = format!("method {method} is not allowed");
            assert_eq!(body, serde_json::json!({ "error": error, "hint": hint }));
        }
    }
}
