//! A blocking WebSocket client for one connection, plain or with TLS.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use flate2::{Decompress, FlushDecompress};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned,
    SupportedProtocolVersion,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime},
    version::TLS13,
};

use crate::{
    frame::{self, Header},
    process::Server,
    workload::Reply,
};

const TIMEOUT: Duration = Duration::from_secs(20);
/// The accept value for the key of RFC 6455's example, which all requests here have.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Returns the request of an opening handshake.
pub fn request(reply: Reply) -> Vec<u8> {
    let path = if reply == Reply::Stamped {
        "/"
    } else {
        "/?reply=verbatim"
    };
    let offer = match reply {
        Reply::Compressed => "Sec-WebSocket-Extensions: permessage-deflate\r\n",
        _ => "",
    };
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offer}\r\n"
    )
    .into_bytes()
}

/// Checks the status and the accept value of a response.
pub fn check_response(head: &str) -> io::Result<()> {
    if head.starts_with("HTTP/1.1 101 ") && head.contains(ACCEPT) {
        return Ok(());
    }
    let line = head.lines().next().unwrap_or("no response");
    Err(io::Error::other(format!("refuses the handshake: {line}")))
}

/// A TCP connection, plain or with TLS.
pub trait Stream: Read + Write {
    fn socket(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Stream for StreamOwned<ClientConnection, TcpStream> {
    fn socket(&self) -> &TcpStream {
        &self.sock
    }
}

/// A message as the server sent it, decompressed.
#[derive(Debug)]
pub struct Message {
    pub opcode: u8,
    pub compressed: bool,
    pub payload: Vec<u8>,
}

pub struct Client {
    pub stream: Box<dyn Stream>,
    /// The extensions of the response.
    pub extensions: String,
    inflate: Decompress,
}

impl Client {
    /// Connects and does the opening handshake.
    pub fn open(server: &Server, reply: Reply) -> io::Result<Self> {
        let socket = TcpStream::connect(server.addr)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(TIMEOUT))?;
        socket.set_write_timeout(Some(TIMEOUT))?;
        let mut stream: Box<dyn Stream> = if server.tls {
            Box::new(StreamOwned::new(tls(tls_config(&TLS13)?)?, socket))
        } else {
            Box::new(socket)
        };
        stream.write_all(&request(reply))?;
        let (mut head, mut buffer) = (String::new(), [0; 1024]);
        while !head.ends_with("\r\n\r\n") {
            // The server sends nothing after the header section until the client has sent a message.
            match stream.read(&mut buffer)? {
                0 => break,
                count => head += &String::from_utf8_lossy(&buffer[..count]),
            }
        }
        check_response(&head)?;
        let field = head.lines().filter_map(|line| line.split_once(": "));
        let mut extensions = field.filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-extensions"));
        let extensions = extensions.next().unwrap_or_default().1.to_owned();
        if reply == Reply::Compressed && extensions.is_empty() {
            return Err(io::Error::other("declines permessage-deflate"));
        }
        Ok(Self {
            stream,
            extensions,
            inflate: Decompress::new(false),
        })
    }

    /// Returns the next message. Control frames are skipped.
    pub fn receive(&mut self) -> io::Result<Message> {
        loop {
            let mut bytes = [0; 10];
            self.stream.read_exact(&mut bytes[..2])?;
            let length = match bytes[1] & 0x7f {
                126 => 4,
                127 => 10,
                _ => 2,
            };
            self.stream.read_exact(&mut bytes[2..length])?;
            let header = Header::read(&bytes).ok_or(io::ErrorKind::InvalidData)?;
            let mut payload = vec![0; header.payload];
            self.stream.read_exact(&mut payload)?;
            match header.opcode {
                frame::TEXT | frame::BINARY if header.fin => {
                    if header.compressed {
                        payload = self.decompress(payload)?;
                    }
                    let Header {
                        opcode, compressed, ..
                    } = header;
                    return Ok(Message {
                        opcode,
                        compressed,
                        payload,
                    });
                }
                opcode if opcode > frame::CLOSE => {}
                opcode => {
                    return Err(io::Error::other(format!(
                        "sends a fragment or a Close, opcode {opcode}"
                    )));
                }
            }
        }
    }

    fn decompress(&mut self, mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        bytes.extend([0, 0, 0xff, 0xff]);
        let (start, mut out) = (self.inflate.total_in(), Vec::new());
        loop {
            out.reserve(4096);
            let read = (self.inflate.total_in() - start) as usize;
            self.inflate
                .decompress_vec(&bytes[read..], &mut out, FlushDecompress::Sync)?;
            // Unused capacity shows that there is no more output.
            if (self.inflate.total_in() - start) as usize == bytes.len() && out.len() < out.capacity() {
                return Ok(out);
            }
        }
    }
}

/// Returns a TLS configuration without resumption: each handshake is a full one.
pub fn tls_config(version: &'static SupportedProtocolVersion) -> io::Result<Arc<ClientConfig>> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config
        .with_protocol_versions(&[version])
        .map_err(io::Error::other)?;
    let config = config
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(NoVerification));
    let mut config = config.with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// Starts a TLS connection.
pub fn tls(config: Arc<ClientConfig>) -> io::Result<ClientConnection> {
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    ClientConnection::new(config, name).map_err(io::Error::other)
}

/// Accepts every certificate, because the work of the client is not measured.
#[derive(Debug)]
struct NoVerification;

impl ServerCertVerifier for NoVerification {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
