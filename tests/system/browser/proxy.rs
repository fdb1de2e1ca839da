//! A proxy that holds streamed responses back, and cuts silent WebSocket connections.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep_until, timeout},
};

/// Time for which a WebSocket connection may be silent.
const SILENCE: Duration = Duration::from_secs(3);

/// Time for which the response to `/events` is gathered.
const GATHERED: Duration = Duration::from_secs(1);

/// Starts it before `server`, and returns its address.
pub(crate) async fn start(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    actix_rt::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            actix_rt::spawn(pass(client, server));
        }
    });
    addr
}

async fn pass(mut client: TcpStream, server: SocketAddr) -> Option<()> {
    let mut server = TcpStream::connect(server).await.ok()?;
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    // A browser has several requests on one connection: the last one decides.
    let (mut is_stream, mut is_websocket) = (false, false);
    loop {
        let silence = if is_websocket { SILENCE } else { Duration::MAX };
        let from_client = tokio::select! {
            read = client.read(&mut up) => (read.ok()?, true),
            read = server.read(&mut down) => (read.ok()?, false),
            () = tokio::time::sleep(silence) => return None,
        };
        match from_client {
            (0, _) => return None,
            (len, true) => {
                let text = String::from_utf8_lossy(&up[..len]);
                if !is_websocket && text.contains(" HTTP/1.1\r\n") {
                    is_stream = text.starts_with("GET /events?");
                    is_websocket = text.to_ascii_lowercase().contains("\r\nupgrade: websocket");
                }
                server.write_all(&up[..len]).await.ok()?;
            }
            (len, false) => {
                let mut gathered = down[..len].to_vec();
                if is_stream {
                    let until = Instant::now() + GATHERED;
                    while let Ok(read) = timeout(until - Instant::now(), server.read(&mut down)).await {
                        gathered.extend_from_slice(&down[..read.ok()?]);
                    }
                    sleep_until(until).await;
                }
                client.write_all(&gathered).await.ok()?;
            }
        }
    }
}
