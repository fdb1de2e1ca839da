//! The static directory: the page's files, and no file outside it.

use std::fs;

use crate::support::{
    Echo,
    raw::{Head, Raw},
};

async fn get(echo: &Echo, path: &str) -> (Head, String) {
    let mut peer = Raw::connect(echo.addr()).await;
    peer.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
        .await;
    peer.response().await
}

#[actix_rt::test]
async fn the_page_is_served_at_the_root_with_a_policy_that_allows_no_other_origin() {
    let echo = Echo::start();
    let (head, body) = get(&echo, "/").await;
    assert_eq!(head.status, 200);
    assert!(head.get("content-type").unwrap().starts_with("text/html"));
    assert!(body.contains("id=\"mes\""));
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
}

#[actix_rt::test]
async fn every_file_of_the_page_is_served_under_its_own_name() {
    let echo = Echo::start();
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/static");
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            let name = entry.file_name().into_string().unwrap();
            let (head, _) = get(&echo, &format!("/{name}")).await;
            assert_eq!(head.status, 200, "{name}");
            assert!(head.get("content-security-policy").is_some(), "{name}");
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

#[actix_rt::test]
async fn a_missing_file_gets_404_with_a_hint() {
    let echo = Echo::start();
    let (head, body) = get(&echo, "/nothing/here").await;
    assert_eq!(head.status, 404);
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert!(json["error"].is_string() && json["hint"].is_string(), "{body}");
}

/// A static directory with a page, and a secret file beside it.
struct Site {
    echo: Echo,
    _directory: tempfile::TempDir,
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
        let echo = Echo::with(|config| config.static_dir = site);
        Self {
            echo,
            _directory: directory,
        }
    }
}

#[actix_rt::test]
async fn the_static_directory_of_these_tests_is_served() {
    let site = Site::start();
    assert_eq!(get(&site.echo, "/").await.1, "page");
    assert_eq!(get(&site.echo, "/sub/file.txt").await.1, "file");
}

#[actix_rt::test]
async fn no_path_leads_out_of_the_static_directory() {
    let site = Site::start();
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
    ] {
        let (head, body) = get(&site.echo, path).await;
        assert!(matches!(head.status, 400 | 404), "{path}: {head:?}");
        for word in ["secret", "root:", "hidden"] {
            assert!(!body.contains(word), "{path}: {body}");
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
    let echo = Echo::start();
    for (method, path, allow, hint) in [
        ("POST", "/", "GET, HEAD", "use GET or HEAD"),
        ("DELETE", "/index.html", "GET, HEAD", "use GET or HEAD"),
        ("POST", "/metrics", "GET, HEAD", "use GET or HEAD"),
        ("PUT", "/poll", "GET, POST", "use GET or POST"),
        ("POST", "/events", "GET", "use GET"),
        ("POST", "/watch/key", "GET", "use GET"),
    ] {
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
