//! HTTPS and wss, with a client that verifies the certificate and reports an end without close_notify.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_util::StreamExt as _;
use rustls::{
    CertificateError, ClientConfig, RootCertStore, SupportedProtocolVersion,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    version::{TLS12, TLS13},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        client::IntoClientRequest as _,
        http::{HeaderName, HeaderValue},
    },
};

use crate::{
    command_line::assert_fails,
    json::{SECRETS, hides_secrets, validate},
    support::{
        BusyMachine, in_time, memory,
        process::{Process, Signal, ws_echo},
        raw::{self, Raw, upgrade},
        until,
        watcher::Watcher,
    },
};

const BOTH: &[&SupportedProtocolVersion] = &[&TLS12, &TLS13];

/// A running server with TLS.
pub(crate) struct Server {
    process: Process,
    addr: SocketAddr,
    ca: PathBuf,
    _directory: TempDir,
}

impl Server {
    /// Starts a server with a self-signed certificate.
    pub(crate) async fn start(args: &[&str]) -> Self {
        let mut command = ws_echo();
        command.args(args);
        Self::spawn(command).await
    }

    async fn spawn(mut command: tokio::process::Command) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ca = directory.path().join("ca.pem");
        command
            .args([
                "--listen=127.0.0.1:0",
                "--tls-listen=127.0.0.1:0",
                "--tls-self-signed",
                "--tls-ca-out",
            ])
            .arg(&ca);
        let mut process = Process::spawn(command, 1).await;
        let addr = process.listening_on("https").await;
        Self {
            process,
            addr,
            ca,
            _directory: directory,
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn ca(&self) -> &Path {
        &self.ca
    }

    fn client_config(&self) -> ClientConfig {
        client_config(&self.ca, BOTH)
    }

    pub(crate) async fn connect(&self) -> TlsStream<TcpStream> {
        connect(self.addr, self.client_config(), "localhost")
            .await
            .unwrap()
    }

    async fn client(&self, path: &str) -> Client {
        Client::new(self.connect().await, path).await
    }
}

/// Returns a client configuration that trusts only the certificates of `ca`.
fn client_config(ca: &Path, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

async fn connect(
    addr: SocketAddr,
    config: ClientConfig,
    name: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = in_time("a connection", TcpStream::connect(addr)).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    in_time(
        "the TLS handshake",
        TlsConnector::from(Arc::new(config)).connect(name, stream),
    )
    .await
}

/// A tungstenite client over TLS.
struct Client(WebSocketStream<TlsStream<TcpStream>>);

impl Client {
    async fn new(stream: TlsStream<TcpStream>, path: &str) -> Self {
        let url = format!("wss://localhost{path}");
        let (socket, _) = in_time("the handshake", tokio_tungstenite::client_async(url, stream))
            .await
            .unwrap();
        Self(socket)
    }

    async fn exchange(&mut self, text: &str) -> String {
        use futures_util::SinkExt as _;
        in_time("room to send", self.0.send(Message::text(text)))
            .await
            .unwrap();
        let reply = in_time("a reply", self.0.next()).await.unwrap().unwrap();
        reply.into_text().unwrap().as_str().to_owned()
    }
}

/// Opens a session and reads its 101, but no byte after it.
pub(crate) async fn session(mut stream: TlsStream<TcpStream>, path: &str) -> TlsStream<TcpStream> {
    stream.write_all(upgrade(path, "").as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(in_time("the response", stream.read_u8()).await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", head.escape_ascii());
    stream
}

/// Returns the bytes up to the end of the stream. An end without close_notify is an error.
pub(crate) async fn read_to_end(stream: &mut TlsStream<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    in_time("the end", stream.read_to_end(&mut bytes)).await?;
    Ok(bytes)
}

/// Returns the SHA-256 of the server's certificate in the form of the log.
fn fingerprint(stream: &TlsStream<TcpStream>) -> String {
    let leaf = &stream.get_ref().1.peer_certificates().unwrap()[0];
    let digest = ring::digest::digest(&ring::digest::SHA256, leaf);
    let bytes: Vec<_> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

/// A self-signed certificate for localhost and its key, in files.
struct Pair {
    cert: PathBuf,
    key: PathBuf,
    cert_pem: String,
    key_pem: String,
}

impl Pair {
    fn make(directory: &Path, name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let pair = Self {
            cert: directory.join(format!("{name}.pem")),
            key: directory.join(format!("{name}.key")),
            cert_pem: made.cert.pem(),
            key_pem: made.signing_key.serialize_pem(),
        };
        fs::write(&pair.cert, &pair.cert_pem).unwrap();
        fs::write(&pair.key, &pair.key_pem).unwrap();
        pair
    }

    async fn serve(&self) -> (Process, SocketAddr) {
        let [cert, key] = [&self.cert, &self.key].map(|path| path.to_str().unwrap());
        let mut process =
            Process::start(&["--tls-listen=127.0.0.1:0", "--tls-cert", cert, "--tls-key", key]).await;
        let addr = process.listening_on("https").await;
        (process, addr)
    }
}

#[actix_rt::test]
async fn wss_echoes_over_tls_1_2_and_1_3_and_a_json_reply_has_the_version() {
    let server = Server::start(&[]).await;
    for (version, name) in [(&TLS12, "1.2"), (&TLS13, "1.3")] {
        let mut config = client_config(&server.ca, &[version]);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let stream = connect(server.addr, config, "localhost").await.unwrap();
        let suite = stream.get_ref().1.negotiated_cipher_suite().unwrap().suite();
        let mut client = Client::new(stream, "/?reply=json").await;
        let reply: Value = serde_json::from_str(&client.exchange("你好").await).unwrap();
        validate(&reply);
        assert_eq!(reply["data"], "你好");
        // rustls has the prefix TLS13_ in place of IANA's TLS_.
        let suite = suite.as_str().unwrap().replacen("TLS13_", "TLS_", 1);
        assert_eq!(
            reply["connection"]["tls"],
            json!({"version": name, "cipherSuite": suite, "alpn": "http/1.1", "serverName": "localhost"})
        );
        let headers = reply["connection"]["headers"].as_array().unwrap();
        assert_eq!(headers[0], json!(["Host", "localhost"]), "the fields as sent");
    }
}

#[actix_rt::test]
async fn the_handshake_event_has_the_tls_parameters() {
    let server = Server::start(&[]).await;
    let key = "0123456789abcdef";
    let _client = server.client(&format!("/?watch={key}")).await;
    let handshake = Watcher::open(server.process.addr(), key).await.handshake().await;
    assert_eq!(
        (&handshake["tls"]["version"], &handshake["tls"]["serverName"]),
        (&json!("1.3"), &json!("localhost"))
    );
    assert_eq!(handshake["request"]["verbatim"], true);
    assert_eq!(handshake["response"]["verbatim"], true);
}

#[actix_rt::test]
async fn alpn_and_server_name_are_null_in_a_json_reply_if_the_client_sends_none() {
    let server = Server::start(&[]).await;
    let stream = connect(server.addr, server.client_config(), "127.0.0.1")
        .await
        .unwrap();
    let mut client = Client::new(stream, "/?reply=json").await;
    let reply: Value = serde_json::from_str(&client.exchange("x").await).unwrap();
    validate(&reply);
    let tls = &reply["connection"]["tls"];
    assert_eq!((&tls["alpn"], &tls["serverName"]), (&Value::Null, &Value::Null));
}

#[actix_rt::test]
async fn over_tls_the_origin_of_the_server_has_the_scheme_https() {
    let server = Server::start(&[]).await;
    for (origin, hidden) in [
        (None, false),
        (Some("https://localhost"), false),
        (Some("http://localhost"), true),
        (Some("https://evil.example"), true),
    ] {
        let mut request = "wss://localhost/?reply=json".into_client_request().unwrap();
        let lines = SECRETS.iter().map(|&(name, value, _)| (name, value));
        for (name, value) in lines.chain(origin.map(|origin| ("Origin", origin))) {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, value);
        }
        let stream = server.connect().await;
        let (socket, _) = in_time("the handshake", tokio_tungstenite::client_async(request, stream))
            .await
            .unwrap();
        let reply = Client(socket).exchange("x").await;
        let reply = serde_json::from_str(&reply).unwrap();
        assert_eq!(hides_secrets(&reply), hidden, "{origin:?}");
    }
}

#[actix_rt::test]
async fn the_self_signed_certificate_has_the_loopback_names_and_the_configured_ones_only() {
    let server = Server::start(&[
        "--tls-name=Echo.test,*.wild.test",
        "--tls-name=192.0.2.1",
        "--tls-name=localhost",
    ])
    .await;
    for name in [
        "localhost",
        "127.0.0.1",
        "::1",
        "echo.test",
        "any.wild.test",
        "192.0.2.1",
    ] {
        let stream = connect(server.addr, server.client_config(), name).await;
        assert!(stream.is_ok(), "{name}: {stream:?}");
    }
    let other = connect(server.addr, server.client_config(), "other.test")
        .await
        .unwrap_err();
    let error = other.get_ref().unwrap().downcast_ref::<rustls::Error>().unwrap();
    assert!(
        matches!(
            error,
            rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })
        ),
        "{error:?}"
    );
    let loaded = server
        .process
        .skipped
        .iter()
        .find(|line| line.contains("certificate"))
        .unwrap();
    assert!(
        loaded.contains("certificate loaded names=\"localhost, 127.0.0.1, ::1, echo.test, *.wild.test, 192.0.2.1\" sha256="),
        "{loaded}"
    );
}

#[actix_rt::test]
async fn the_log_has_the_sha_256_of_the_served_certificate() {
    let server = Server::start(&[]).await;
    let sha256 = fingerprint(&server.connect().await);
    let loaded = server
        .process
        .skipped
        .iter()
        .find(|line| line.contains("certificate"))
        .unwrap();
    assert!(
        loaded.contains("INFO") && loaded.ends_with(&format!("sha256={sha256}")),
        "{loaded}"
    );
    // Each start makes a new certificate with a new key.
    let other = Server::start(&[]).await;
    assert!(
        connect(other.addr, server.client_config(), "localhost")
            .await
            .is_err()
    );
}

#[actix_rt::test]
async fn plain_and_tls_connections_are_served_at_the_same_time() {
    let server = Server::start(&[]).await;
    let mut plain = server.process.raw("/?reply=json").await;
    let mut secure = server.client("/?reply=verbatim").await;
    assert_eq!(secure.exchange("over TLS").await, "over TLS");
    plain.send(&raw::text("plain")).await;
    let reply: Value = serde_json::from_slice(&plain.frame().await.payload).unwrap();
    validate(&reply);
    assert_eq!(
        (&reply["data"], &reply["connection"]["tls"]),
        (&json!("plain"), &Value::Null)
    );
}

#[actix_rt::test]
async fn a_large_message_is_echoed_complete() {
    let server = Server::start(&[]).await;
    let mut client = server.client("/?reply=verbatim").await;
    let text = "0123456789abcdef".repeat(256 * 1024);
    assert!(client.exchange(&text).await == text);
}

#[actix_rt::test]
async fn the_page_is_served_over_https_and_ends_with_close_notify() {
    let server = Server::start(&[]).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let page = String::from_utf8(read_to_end(&mut stream).await.unwrap()).unwrap();
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(page.ends_with(&fs::read_to_string("static/index.html").unwrap()));
}

#[actix_rt::test]
async fn an_invalid_request_gets_400_and_close_notify() {
    let server = Server::start(&[]).await;
    let mut stream = server.connect().await;
    stream.write_all(b"this is no request\r\n\r\n").await.unwrap();
    let response = read_to_end(&mut stream).await.unwrap();
    assert!(
        response.starts_with(b"HTTP/1.1 400 "),
        "{}",
        response.escape_ascii()
    );
}

#[actix_rt::test]
async fn after_the_closing_handshake_tls_ends_with_close_notify() {
    let server = Server::start(&[]).await;
    for version in BOTH {
        let connect = || connect(server.addr, client_config(&server.ca, &[version]), "localhost");
        let mut peer = session(connect().await.unwrap(), "/").await;
        peer.write_all(&raw::close(4001, "bye")).await.unwrap();
        assert_eq!(
            read_to_end(&mut peer).await.unwrap(),
            b"\x88\x05\x0F\xA1bye",
            "the peer closes"
        );

        let mut peer = session(connect().await.unwrap(), "/?close=4002").await;
        let mut close = [0; 4];
        in_time("a Close", peer.read_exact(&mut close)).await.unwrap();
        assert_eq!(&close, b"\x88\x02\x0F\xA2");
        peer.write_all(&raw::close(4002, "")).await.unwrap();
        assert_eq!(read_to_end(&mut peer).await.unwrap(), b"", "the server closes");
    }
}

#[actix_rt::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn the_close_notify_of_the_client_gets_no_reset() {
    let server = Server::start(&[]).await;
    let mut peer = session(server.connect().await, "/").await;
    peer.write_all(&raw::close(1000, "")).await.unwrap();
    read_to_end(&mut peer).await.unwrap();
    // Sends close_notify and FIN.
    peer.shutdown().await.unwrap();
    until("the server to close the connection", || {
        memory::connections_at(server.addr) == 0
    })
    .await;
    assert!(peer.get_ref().0.take_error().unwrap().is_none());
}

#[actix_rt::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn a_client_that_sends_no_close_notify_is_closed_after_a_timeout() {
    let server = Server::start(&[]).await;
    let mut peer = session(server.connect().await, "/").await;
    peer.write_all(&raw::close(1000, "")).await.unwrap();
    read_to_end(&mut peer).await.unwrap();
    until("the server to close the connection", || {
        memory::connections_at(server.addr) == 0
    })
    .await;
}

#[actix_rt::test]
#[cfg_attr(windows, ignore = "wine's recv returns a reset as the end of the stream")]
async fn abort_is_a_reset_without_close_notify() {
    let server = Server::start(&[]).await;
    for path in ["/?abort", "/?reply=verbatim&abort&after=1"] {
        let mut peer = session(server.connect().await, path).await;
        if path.contains("after") {
            peer.write_all(&raw::text("a")).await.unwrap();
            let mut reply = [0; 3];
            in_time("the reply", peer.read_exact(&mut reply)).await.unwrap();
            assert_eq!(&reply, b"\x81\x01a");
        }
        let error = read_to_end(&mut peer).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{path}");
    }
}

#[actix_rt::test]
async fn an_end_without_close_notify_loses_no_reply() {
    let mut server = Server::start(&[]).await;
    let mut peer = session(server.connect().await, "/?reply=verbatim").await;
    peer.write_all(&raw::text("last")).await.unwrap();
    // A FIN without close_notify, as of a client that is killed.
    peer.get_mut().0.shutdown().await.unwrap();
    let mut reply = [0; 6];
    in_time("the reply", peer.read_exact(&mut reply)).await.unwrap();
    assert_eq!(&reply, b"\x81\x04last");
    let closed = server.process.logged("connection closed").await;
    assert!(closed.contains("code=1006 by=peer"), "{closed}");
}

#[actix_rt::test]
async fn a_client_that_offers_only_http_2_is_refused() {
    let server = Server::start(&[]).await;
    let mut config = server.client_config();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let error = connect(server.addr, config, "localhost").await.unwrap_err();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
}

#[actix_rt::test]
async fn a_client_without_tls_is_closed_and_logged_without_an_error() {
    let mut command = ws_echo();
    command
        .arg("--handshake-timeout=200ms")
        .env("RUST_LOG", "debug,actix_http=off");
    let mut server = Server::spawn(command).await;

    let mut silent = Raw::connect(server.addr).await;
    silent.end().await;
    let line = server.process.logged("TLS handshake failed").await;
    let peer = silent.stream.local_addr().unwrap().to_string();
    assert!(
        line.contains("DEBUG") && line.contains(&peer) && line.contains("within 200ms"),
        "{line}"
    );

    let mut half = Raw::connect(server.addr).await;
    half.send(b"\x16\x03\x01\x02\x00\x01").await;
    half.end().await;
    server.process.logged("within 200ms").await;

    let mut garbage = Raw::connect(server.addr).await;
    garbage.send(&[0xFF; 100]).await;
    garbage.end_of_stream().await;
    let line = server.process.logged("TLS handshake failed").await;
    assert!(line.contains("DEBUG"), "{line}");

    let mut plain = Raw::connect(server.addr).await;
    plain.send(upgrade("/", "").as_bytes()).await;
    let (head, body) = plain.response().await;
    assert_eq!(head.status, 400);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert!(body["hint"].as_str().unwrap().contains("wss://"), "{body}");
    plain.end().await;

    Raw::connect(server.addr).await.reset();
    in_time("the next connection", async {
        // On a busy machine, this client may exceed the handshake timeout as well.
        while connect(server.addr, server.client_config(), "localhost")
            .await
            .is_err()
        {}
    })
    .await;
    for line in &server.process.skipped {
        assert!(!line.contains("ERROR") && !line.contains("WARN"), "{line}");
    }
}

#[actix_rt::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn a_shutdown_does_not_wait_for_a_tls_handshake() {
    // Neither the timeout nor the grace period ends the handshake.
    let server = Server::start(&["--handshake-timeout=0", "--shutdown-grace=0"]).await;
    let mut silent = Raw::connect(server.addr).await;
    until("the server to accept the connection", || {
        memory::connections_at(server.addr) == 1
    })
    .await;
    let mut session = session(server.connect().await, "/").await;
    server.process.signal(Signal::TERM);
    let mut close = [0; 4];
    in_time("a Close", session.read_exact(&mut close)).await.unwrap();
    assert_eq!(&close[2..], 1001_u16.to_be_bytes());
    drop(session);
    silent.end().await;
    let (status, log) = server.process.exit().await;
    assert_eq!(status.code(), Some(0), "{log:#?}");
}

/// Writes a message to the kernel without the runtime.
fn send_in_one_call(peer: &mut TlsStream<TcpStream>, bytes: &[u8]) {
    use std::io::Write as _;
    let (stream, tls) = peer.get_mut();
    tls.writer().write_all(bytes).unwrap();
    let socket = socket2::SockRef::from(&*stream);
    while tls.wants_write() {
        tls.write_tls(&mut &*socket).unwrap();
    }
}

#[actix_rt::test]
async fn messages_in_the_kernel_before_the_signal_get_replies_over_tls() {
    const CLOSE: &[u8] = b"\x88\x18\x03\xE9ws-echo: shutting down";
    const REPLY: &[u8] = b"\x81\x05hello";
    let busy = BusyMachine::start();
    let mut lost = Vec::new();
    for _ in 0..12 {
        let server = Server::start(&["--workers=1", "--shutdown-grace=60s"]).await;
        let mut peers = Vec::new();
        for _ in 0..50 {
            peers.push(session(server.connect().await, "/?reply=verbatim").await);
        }
        for peer in &mut peers {
            send_in_one_call(peer, &raw::text("hello"));
        }
        server.process.signal(Signal::TERM);
        let mut unanswered = 0;
        for peer in &mut peers {
            // The Close is longer than a reply.
            let mut bytes = vec![0; CLOSE.len()];
            in_time("a frame", peer.read_exact(&mut bytes)).await.unwrap();
            if bytes == CLOSE {
                unanswered += 1;
            } else {
                let mut end = [0; REPLY.len()];
                in_time("a Close", peer.read_exact(&mut end)).await.unwrap();
                bytes.extend(end);
                assert_eq!(
                    bytes.escape_ascii().to_string(),
                    [REPLY, CLOSE].concat().escape_ascii().to_string()
                );
            }
            peer.write_all(&raw::close(1001, "")).await.unwrap();
        }
        lost.push(unanswered);
        assert_eq!(server.process.exit().await.0.code(), Some(0));
    }
    drop(busy);
    println!("measured: lost replies of 50 messages over TLS, in each of 12 shutdowns: {lost:?}");
    assert_eq!(lost, [0; 12], "lost replies of 50 messages");
}

#[actix_rt::test]
#[cfg_attr(windows, ignore = "needs SIGHUP")]
async fn sighup_serves_the_new_certificate_to_new_connections_and_keeps_open_ones() {
    let directory = tempfile::tempdir().unwrap();
    let old = Pair::make(directory.path(), "served");
    let new = Pair::make(directory.path(), "new");
    let (mut process, addr) = old.serve().await;
    let trusts_old = client_config(&old.cert, BOTH);
    let loaded = process
        .skipped
        .iter()
        .find(|line| line.contains("certificate"))
        .unwrap();
    let stream = connect(addr, trusts_old.clone(), "localhost").await.unwrap();
    assert!(loaded.ends_with(&fingerprint(&stream)), "{loaded}");
    let mut open = Client::new(stream, "/?reply=verbatim").await;
    // The client has received its session ticket before the reply, and could resume.
    assert_eq!(open.exchange("before").await, "before");

    fs::write(&old.cert, &new.cert_pem).unwrap();
    fs::write(&old.key, &new.key_pem).unwrap();
    process.signal(Signal::HUP);
    let loaded = process.logged("certificate loaded").await;

    let stream = connect(addr, client_config(&new.cert, BOTH), "localhost")
        .await
        .unwrap();
    assert!(loaded.ends_with(&fingerprint(&stream)), "{loaded}");
    let mut renewed = Client::new(stream, "/?reply=verbatim").await;
    assert_eq!(renewed.exchange("new").await, "new");
    assert_eq!(open.exchange("after").await, "after");
    // A resumption with the old certificate fails, too.
    assert!(connect(addr, trusts_old, "localhost").await.is_err());
}

#[actix_rt::test]
#[cfg_attr(windows, ignore = "needs SIGHUP")]
async fn sighup_with_an_invalid_file_keeps_the_current_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let pair = Pair::make(directory.path(), "served");
    let (mut process, addr) = pair.serve().await;
    let trusts = client_config(&pair.cert, BOTH);
    for (cert, why) in [
        ("not a certificate\n", "no certificate in"),
        (&Pair::make(directory.path(), "other").cert_pem, "does not match"),
    ] {
        fs::write(&pair.cert, cert).unwrap();
        process.signal(Signal::HUP);
        let line = process.logged("certificate reload failed").await;
        assert!(line.contains("ERROR") && line.contains(why), "{line}");
        let stream = connect(addr, trusts.clone(), "localhost").await.unwrap();
        assert_eq!(
            Client::new(stream, "/?reply=verbatim").await.exchange("x").await,
            "x"
        );
    }
    fs::write(&pair.cert, &pair.cert_pem).unwrap();
    process.signal(Signal::HUP);
    process.logged("certificate loaded").await;
}

#[actix_rt::test]
#[cfg_attr(windows, ignore = "needs SIGHUP")]
async fn sighup_without_certificate_files_has_no_effect() {
    let mut plain = Process::start(&[]).await;
    plain.signal(Signal::HUP);
    plain.logged("SIGHUP ignored").await;
    plain.raw("/").await;
    let mut server = Server::start(&[]).await;
    server.process.signal(Signal::HUP);
    server.process.logged("SIGHUP ignored").await;
    server.connect().await;
}

#[actix_rt::test]
async fn an_unusable_file_fails_with_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let (good, other) = (
        Pair::make(directory.path(), "good"),
        Pair::make(directory.path(), "other"),
    );
    let write = |name: &str, text: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let missing = directory.path().join("missing.pem");
    let empty = write("empty.pem", b"");
    let binary = write("binary.der", &[0x30, 0x82, 0xFF, 0x00, b'\n', 0xFE]);
    let cut = write("cut.pem", &good.cert_pem.as_bytes()[..200]);
    let cut_key = write("cut.key", &good.key_pem.as_bytes()[..100]);
    let no_base64 = write(
        "no_base64.pem",
        b"-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----\n",
    );
    let no_certificate = write(
        "no_certificate.pem",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    let no_key = write(
        "no_key.pem",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    let encrypted = write(
        "encrypted.key",
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let old_encrypted = write(
        "old_encrypted.key",
        b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n\
          -----END RSA PRIVATE KEY-----\n",
    );
    for (cert, key, words) in [
        (&missing, &good.key, ["missing.pem", "--tls-cert", "(os error 2)"]),
        (&good.cert, &missing, ["missing.pem", "--tls-key", "(os error 2)"]),
        (
            &directory.path().to_owned(),
            &good.key,
            ["--tls-cert", "cannot read", "(os error "],
        ),
        (
            &empty,
            &good.key,
            ["no certificate", "empty.pem", "BEGIN CERTIFICATE"],
        ),
        (&binary, &good.key, ["no certificate", "binary.der", "PEM"]),
        (
            &good.key,
            &good.cert,
            ["no certificate", "good.key", "--tls-cert"],
        ),
        (&cut, &good.key, ["cut.pem", "--tls-cert", "invalid PEM"]),
        (
            &no_base64,
            &good.key,
            ["no_base64.pem", "--tls-cert", "invalid PEM"],
        ),
        (
            &no_certificate,
            &good.key,
            ["invalid certificate", "no_certificate.pem", "--tls-cert"],
        ),
        (
            &good.cert,
            &good.cert,
            ["no private key", "good.pem", "--tls-key"],
        ),
        (
            &good.cert,
            &empty,
            ["no private key", "empty.pem", "BEGIN PRIVATE KEY"],
        ),
        (&good.cert, &cut_key, ["cut.key", "--tls-key", "invalid PEM"]),
        (
            &good.cert,
            &no_key,
            ["unsupported private key", "no_key.pem", "--tls-key"],
        ),
        (
            &good.cert,
            &encrypted,
            ["encrypted.key", "is encrypted", "openssl pkey"],
        ),
        (
            &good.cert,
            &old_encrypted,
            ["old_encrypted.key", "is encrypted", "openssl pkey"],
        ),
        (
            &good.cert,
            &other.key,
            ["other.key", "does not match", "good.pem"],
        ),
    ] {
        let [cert, key] = [cert, key].map(|path| path.to_str().unwrap());
        let args = [
            "--listen=127.0.0.1:0",
            "--tls-listen=127.0.0.1:0",
            "--tls-cert",
            cert,
            "--tls-key",
            key,
        ];
        assert_fails(&args, &[], 1, &["ws-echo: ", words[0], words[1], words[2]]).await;
    }
    let missing = directory.path().join("no/such/directory/ca.pem");
    assert_fails(
        &[
            "--listen=127.0.0.1:0",
            "--tls-listen=127.0.0.1:0",
            "--tls-self-signed",
            "--tls-ca-out",
            missing.to_str().unwrap(),
        ],
        &[],
        1,
        &["ws-echo: ", "cannot write", "ca.pem", "--tls-ca-out"],
    )
    .await;
}

#[actix_rt::test]
async fn a_second_server_on_the_same_port_does_not_overwrite_the_ca_of_the_first() {
    let server = Server::start(&[]).await;
    let addr = server.addr.to_string();
    let ca = server.ca.to_str().unwrap();
    let args = [
        "--listen=127.0.0.1:0",
        "--tls-listen",
        &addr,
        "--tls-self-signed",
        "--tls-ca-out",
        ca,
    ];
    assert_fails(&args, &[], 1, &[&addr, "address in use"]).await;
    server.connect().await;
}

#[actix_rt::test]
async fn conflicting_flags_are_named_with_exit_code_2() {
    let listen = "--tls-listen=127.0.0.1:0";
    for (args, words) in [
        (&[listen, "--tls-cert=c"][..], &["--tls-cert needs --tls-key"][..]),
        (&[listen, "--tls-key=k"], &["--tls-key needs --tls-cert"]),
        (
            &[listen],
            &["--tls-listen needs a certificate", "--tls-self-signed"],
        ),
        (
            &["--tls-cert=c", "--tls-key=k"],
            &["--tls-cert needs --tls-listen, such as --tls-listen localhost:3443"],
        ),
        (&["--tls-self-signed"], &["--tls-self-signed needs --tls-listen"]),
        (
            &[listen, "--tls-self-signed", "--tls-cert=c", "--tls-key=k"],
            &["--tls-self-signed cannot be combined with --tls-cert"],
        ),
        (
            &[listen, "--tls-self-signed", "--tls-key=k"],
            &["--tls-self-signed cannot be combined with --tls-key"],
        ),
        (
            &[listen, "--tls-cert=c", "--tls-key=k", "--tls-ca-out=ca"],
            &["--tls-ca-out needs --tls-self-signed"],
        ),
        (&["--tls-ca-out=ca"], &["--tls-ca-out needs --tls-self-signed"]),
        (
            &[listen, "--tls-cert=c", "--tls-key=k", "--tls-name=n"],
            &["--tls-name needs --tls-self-signed"],
        ),
        (&["--tls-name=n"], &["--tls-name needs --tls-self-signed"]),
    ] {
        assert_fails(args, &[], 2, words).await;
    }
    assert_fails(
        &["--tls-key=k"],
        &[("WS_ECHO_TLS_SELF_SIGNED", "true")],
        2,
        &["ws-echo: WS_ECHO_TLS_SELF_SIGNED cannot be combined with --tls-key; remove one of them"],
    )
    .await;
}

#[actix_rt::test]
async fn variables_configure_tls_and_can_disable_a_switch() {
    let directory = tempfile::tempdir().unwrap();
    let ca = directory.path().join("ca.pem");
    let mut command = ws_echo();
    command
        .env("WS_ECHO_LISTEN", "127.0.0.1:0")
        .env("WS_ECHO_TLS_LISTEN", "127.0.0.1:0,127.0.0.2:0")
        .env("WS_ECHO_TLS_SELF_SIGNED", "on")
        .env("WS_ECHO_TLS_NAME", "one.test,two.test")
        .env("WS_ECHO_TLS_CA_OUT", &ca);
    let mut process = Process::spawn(command, 1).await;
    for name in ["one.test", "two.test"] {
        let addr = process.listening_on("https").await;
        connect(addr, client_config(&ca, BOTH), name).await.unwrap();
    }
    let mut command = ws_echo();
    command
        .args(["--listen=127.0.0.1:0"])
        .env("WS_ECHO_TLS_SELF_SIGNED", "false");
    Process::spawn(command, 1).await;
}

#[actix_rt::test]
#[cfg_attr(windows, ignore = "needs sockets passed by LISTEN_FDS")]
async fn an_inherited_socket_named_https_is_served_with_tls() {
    let directory = tempfile::tempdir().unwrap();
    let ca = directory.path().join("ca.pem");
    let ca_out = format!("--tls-ca-out={}", ca.display());
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let args = ["--tls-listen=127.0.0.1:0", "--tls-self-signed", &ca_out];
    let mut process = Process::spawn(Process::command_with_socket(&socket, "https", &args), 0).await;
    let addr = process.listening_on("https").await;
    assert_eq!(addr, socket.local_addr().unwrap());
    connect(addr, client_config(&ca, BOTH), "localhost")
        .await
        .unwrap();

    let without = Process::command_with_socket(&socket, "https", &[])
        .output()
        .await
        .unwrap();
    assert_eq!(without.status.code(), Some(1));
    let error = String::from_utf8(without.stderr).unwrap();
    assert!(
        error.contains("named https") && error.contains("--tls-cert"),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1, "{error}");
}
