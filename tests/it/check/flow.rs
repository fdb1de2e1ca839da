//! A proxy in between that gathers, buffers, cuts or limits: the check that is about it names it.

use std::{cell::Cell, net::SocketAddr, rc::Rc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    time::{interval, sleep, timeout},
};

use crate::support::{
    check::{Checked, report},
    process::Process,
};

/// Starts a proxy that passes the bytes of each connection through `pass`, which gets the client, the server, and the number of
/// connections before.
async fn proxy<F: Future<Output = ()> + 'static>(
    server: SocketAddr,
    pass: impl Fn(TcpStream, TcpStream, usize) -> F + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (pass, open) = (Rc::new(pass), Rc::new(Cell::new(0)));
    actix_rt::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (pass, open) = (Rc::clone(&pass), Rc::clone(&open));
            actix_rt::spawn(async move {
                let Ok(server) = TcpStream::connect(server).await else {
                    return;
                };
                let _ = client.set_nodelay(true);
                let _ = server.set_nodelay(true);
                let before = open.get();
                open.set(before + 1);
                pass(client, server, before).await;
                open.set(open.get() - 1);
            });
        }
    });
    addr
}

async fn checked(proxy: SocketAddr, args: &[&str]) -> Checked {
    report(&[&[&*format!("ws://{proxy}/")], args].concat()).await
}

/// Passes bytes on, but only at an interval.
async fn gather(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, every: Duration) {
    let mut ticks = interval(every);
    let mut held = Vec::new();
    loop {
        tokio::select! {
            read = from.read_buf(&mut held) => {
                if !matches!(read, Ok(1..)) {
                    let _ = to.write_all(&held).await;
                    let _ = to.shutdown().await;
                    return;
                }
            }
            _ = ticks.tick() => {
                if to.write_all(&held).await.is_err() {
                    return;
                }
                held.clear();
            }
        }
    }
}

/// Starts a proxy that gathers the bytes of the server.
async fn gathering(server: SocketAddr, every: Duration) -> SocketAddr {
    proxy(server, move |client, server, _| async move {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        tokio::join!(
            async {
                let _ = copy(&mut from_client, &mut to_server).await;
                let _ = to_server.shutdown().await;
            },
            gather(&mut from_server, &mut to_client, every)
        );
    })
    .await
}

#[actix_rt::test]
async fn pushes_that_come_in_lumps_differ() {
    let server = Process::start(&[]).await;
    let proxy = gathering(server.addr(), Duration::from_millis(300)).await;
    let checked = checked(proxy, &["--only=latency"]).await;
    checked.assert("latency", "differs", &["pushes 20 ms apart came in", "lumps"]);
}

#[actix_rt::test]
async fn pushes_that_are_held_for_seconds_are_broken() {
    let server = Process::start(&[]).await;
    let proxy = gathering(server.addr(), Duration::from_secs(2)).await;
    let checked = checked(proxy, &["--only=latency"]).await;
    checked.assert("latency", "broken", &["pushes 20 ms apart came in"]);
}

#[actix_rt::test]
async fn events_that_are_held_back_are_broken() {
    let server = Process::start(&[]).await;
    let args = ["--only=polling"];
    for (every, verdict) in [(250, "differs"), (2500, "broken")] {
        let proxy = gathering(server.addr(), Duration::from_millis(every)).await;
        checked(proxy, &args).await.assert(
            "polling",
            verdict,
            &["/events: 12 events 100 ms apart came in", "/poll replied"],
        );
    }
    // Nothing of /events passes, not even the header section.
    let proxy = self::proxy(server.addr(), |mut client, mut server, _| async move {
        let mut start = [0; 12];
        let is_events = client.peek(&mut start).await.is_ok() && start.starts_with(b"GET /events");
        if is_events {
            let _ = copy(&mut client, &mut server).await;
        } else {
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
    })
    .await;
    checked(proxy, &["--only=polling", "--timeout=1s"]).await.assert(
        "polling",
        "broken",
        &["/events: no complete header section"],
    );
}

#[actix_rt::test]
async fn a_proxy_that_passes_only_websocket_on_differs() {
    let server = Process::start(&[]).await;
    let proxy = proxy(server.addr(), |mut client, mut server, _| async move {
        let mut start = [0; 12];
        let _ = client.peek(&mut start).await;
        if start.starts_with(b"GET /events") || start.starts_with(b"POST /poll") {
            let _ = client
                .write_all(b"HTTP/1.1 404 Not Found\r\nServer: other\r\nContent-Length: 0\r\n\r\n")
                .await;
            return;
        }
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    })
    .await;
    checked(proxy, &["--only=polling"]).await.assert(
        "polling",
        "differs",
        &["/poll: 404 from other", "/events: 404 from other"],
    );
}

#[actix_rt::test]
async fn a_proxy_that_takes_everything_from_a_sender_differs() {
    let server = Process::start(&[]).await;
    let proxy = proxy(server.addr(), |client, server, _| async move {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let (hold, mut held) = mpsc::unbounded_channel::<Vec<u8>>();
        tokio::join!(
            async move {
                let mut block = vec![0; 65_536];
                while let Ok(len @ 1..) = from_client.read(&mut block).await {
                    let _ = hold.send(block[..len].to_vec());
                }
            },
            async move {
                while let Some(bytes) = held.recv().await {
                    if to_server.write_all(&bytes).await.is_err() {
                        break;
                    }
                }
            },
            async move {
                let _ = copy(&mut from_server, &mut to_client).await;
                let _ = to_client.shutdown().await;
            }
        );
    })
    .await;
    let checked = checked(proxy, &["--only=backpressure"]).await;
    checked.assert(
        "backpressure",
        "differs",
        &["a far end that reads nothing is sent 48 MiB without a wait"],
    );
}

#[actix_rt::test]
async fn a_proxy_that_cuts_a_large_transfer_is_broken() {
    let server = Process::start(&[]).await;
    let proxy = proxy(server.addr(), |mut client, server, _| async move {
        let (mut from_server, mut to_server) = server.into_split();
        let (mut from_client, mut to_client) = client.split();
        let up = async {
            let (mut block, mut passed) = (vec![0; 4096], 0);
            while passed < 100_000
                && let Ok(len @ 1..) = from_client.read(&mut block).await
            {
                passed += len;
                if to_server.write_all(&block[..len]).await.is_err() {
                    break;
                }
            }
        };
        tokio::select! {
            () = up => {}
            _ = copy(&mut from_server, &mut to_client) => {}
        }
    })
    .await;
    let checked = checked(proxy, &["--only=backpressure"]).await;
    checked.assert("backpressure", "broken", &["is cut after"]);
}

#[actix_rt::test]
async fn a_limit_of_connections_is_broken_and_one_of_ws_echo_differs() {
    let server = Process::start(&[]).await;
    let proxy = proxy(server.addr(), |mut client, mut server, before| async move {
        if before >= 20 {
            let mut start = [0; 2048];
            let _ = client.read(&mut start).await;
            let _ = client
                .write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
                .await;
            return;
        }
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    })
    .await;
    let args = ["--only=concurrency"];
    checked(proxy, &args).await.assert(
        "concurrency",
        "broken",
        &["of 50 connections at once failed: status 503"],
    );
    let server = Process::start(&["--max-connections-per-ip=10"]).await;
    checked(server.addr(), &args).await.assert(
        "concurrency",
        "differs",
        &["of 50 connections at once failed: status"],
    );
}

/// Starts a proxy that cuts a connection on which nothing passes for `silence`, or any after `life`.
async fn cutting(server: SocketAddr, silence: Duration, life: Duration) -> SocketAddr {
    proxy(server, move |client, server, _| async move {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let (passed, mut passes) = watch::channel(());
        let up = pass(&mut from_client, &mut to_server, &passed);
        let down = pass(&mut from_server, &mut to_client, &passed);
        let is_silent = async { while timeout(silence, passes.changed()).await.is_ok() {} };
        tokio::select! {
            _ = async { tokio::join!(up, down) } => {}
            () = is_silent => {}
            () = sleep(life) => {}
        }
    })
    .await
}

async fn pass(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, passed: &watch::Sender<()>) {
    let mut block = vec![0; 4096];
    while let Ok(len @ 1..) = from.read(&mut block).await {
        passed.send_replace(());
        if to.write_all(&block[..len]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

#[actix_rt::test]
async fn silence_that_is_cut_is_named_with_the_pings_that_prevent_it() {
    const LONG: Duration = Duration::from_secs(3600);
    let server = Process::start(&[]).await;
    let proxy = cutting(server.addr(), Duration::from_secs(2), LONG).await;
    let cut = checked(proxy, &["--only=idle", "--idle=4s"]).await;
    cut.assert(
        "idle",
        "broken",
        &[
            "silence is cut after",
            "by a FIN",
            "from something in between",
            "with a Ping every 400 ms, 4000 ms are not cut",
        ],
    );
    let proxy = cutting(server.addr(), LONG, Duration::from_millis(500)).await;
    let limited = checked(proxy, &["--only=idle", "--idle=2s"]).await;
    limited.assert("idle", "broken", &["with a Ping every 200 ms, it is cut after"]);
}

#[actix_rt::test]
async fn silence_is_not_cut_without_a_proxy() {
    let server = Process::start(&["--idle-timeout=300ms", "--ping-interval=0"]).await;
    let addr = server.addr();
    let without = checked(addr, &["--only=idle"]).await;
    without.assert("idle", "skipped", &["--idle is not set"]);
    let with = checked(addr, &["--only=idle", "--idle=1s"]).await;
    with.assert(
        "idle",
        "ok",
        &[
            "silence of 1000 ms is not cut",
            "the far end itself closes a silent client after",
            "1001 ws-echo: idle for 300ms",
        ],
    );
}
