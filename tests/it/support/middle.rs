//! A proxy between a client and a server that changes what it passes on.

use std::{cell::RefCell, net::SocketAddr, rc::Rc};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Mutex,
};

use super::raw::{self, Frame};

/// The direction of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the server.
    Up,
    /// To the client.
    Down,
}

/// Starts a proxy that passes header sections on through `head`, and then frames through `frame`, which returns the frames to pass
/// on instead, and may answer by frames for the other way: those with the other [`Way`].
pub(crate) async fn change(
    server: SocketAddr,
    head: impl FnMut(Way, String) -> String + 'static,
    frame: impl FnMut(Way, Frame) -> Vec<(Way, Frame)> + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let head: Rc<RefCell<Head>> = Rc::new(RefCell::new(head));
    let frame: Rc<RefCell<Change>> = Rc::new(RefCell::new(frame));
    actix_rt::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (head, frame) = (Rc::clone(&head), Rc::clone(&frame));
            actix_rt::spawn(async move {
                let Ok(server) = TcpStream::connect(server).await else {
                    return;
                };
                pass(client, server, head, frame).await;
            });
        }
    });
    addr
}

/// Starts a proxy that only changes frames.
pub(crate) async fn change_frames(
    server: SocketAddr,
    mut frame: impl FnMut(Way, Frame) -> Frame + 'static,
) -> SocketAddr {
    change(
        server,
        |_, head| head,
        move |way, before| vec![(way, frame(way, before))],
    )
    .await
}

type Head = dyn FnMut(Way, String) -> String;
type Change = dyn FnMut(Way, Frame) -> Vec<(Way, Frame)>;

/// The writing halves. Each has its own lock: a client that reads nothing must not stop the way to the server.
struct Out {
    server: Mutex<OwnedWriteHalf>,
    client: Mutex<OwnedWriteHalf>,
}

impl Out {
    fn to(&self, way: Way) -> &Mutex<OwnedWriteHalf> {
        match way {
            Way::Up => &self.server,
            Way::Down => &self.client,
        }
    }
}

/// One connection: both ends, in an order that each way can write to either.
async fn pass(client: TcpStream, server: TcpStream, head: Rc<RefCell<Head>>, change: Rc<RefCell<Change>>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let out = Rc::new(Out {
        server: Mutex::new(to_server),
        client: Mutex::new(to_client),
    });
    let up = one_way(
        Way::Up,
        from_client,
        Rc::clone(&out),
        Rc::clone(&head),
        Rc::clone(&change),
    );
    let down = one_way(Way::Down, from_server, Rc::clone(&out), head, change);
    tokio::join!(up, down);
}

async fn one_way(
    way: Way,
    mut from: OwnedReadHalf,
    out: Rc<Out>,
    change_head: Rc<RefCell<Head>>,
    change: Rc<RefCell<Change>>,
) {
    let mut buffer = Vec::new();
    // The header section.
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if !matches!(from.read_buf(&mut buffer).await, Ok(1..)) {
            return shut(way, &out).await;
        }
    };
    let head = String::from_utf8(buffer.drain(..end).collect()).unwrap();
    let has_frames = match way {
        Way::Up => head.contains("Sec-WebSocket-Key"),
        Way::Down => head.starts_with("HTTP/1.1 101"),
    };
    let changed = change_head.borrow_mut()(way, head);
    if !send(way, &out, changed.as_bytes()).await {
        return;
    }
    if !has_frames {
        // A refusal, or a request without WebSocket: its body as it is.
        loop {
            if !send(way, &out, &buffer).await {
                return;
            }
            buffer.clear();
            if !matches!(from.read_buf(&mut buffer).await, Ok(1..)) {
                return shut(way, &out).await;
            }
        }
    }
    loop {
        while let Some((frame, len)) = parse(&buffer) {
            buffer.drain(..len);
            let frames = change.borrow_mut()(way, frame);
            for (way, frame) in frames {
                if !send(way, &out, &encode(way, &frame)).await {
                    return;
                }
            }
        }
        if !matches!(from.read_buf(&mut buffer).await, Ok(1..)) {
            return shut(way, &out).await;
        }
    }
}

async fn send(way: Way, out: &Out, bytes: &[u8]) -> bool {
    out.to(way).lock().await.write_all(bytes).await.is_ok()
}

async fn shut(way: Way, out: &Out) {
    let _ = out.to(way).lock().await.shutdown().await;
}

/// Reads a frame, unmasked. Returns it with its length on the wire.
fn parse(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (&[first, second], rest) = bytes.split_first_chunk::<2>()?;
    let (len, rest) = match second & 0x7F {
        126 => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            (u64::from(u16::from_be_bytes(*len)), rest)
        }
        127 => {
            let (len, rest) = rest.split_first_chunk::<8>()?;
            (u64::from_be_bytes(*len), rest)
        }
        len => (u64::from(len), rest),
    };
    let (key, rest) = if second & 0x80 == 0 {
        ([0; 4], rest)
    } else {
        let (key, rest) = rest.split_first_chunk::<4>()?;
        (*key, rest)
    };
    let len = len as usize;
    let payload = rest.get(..len)?;
    let payload: Vec<u8> = payload
        .iter()
        .zip(key.iter().cycle())
        .map(|(byte, key)| byte ^ key)
        .collect();
    Some((Frame::new(first, payload), bytes.len() - rest.len() + len))
}

fn encode(way: Way, frame: &Frame) -> Vec<u8> {
    match way {
        Way::Up => raw::frame(frame.first, &frame.payload),
        Way::Down => {
            let mut bytes = raw::header(frame.first, frame.payload.len() as u64);
            bytes.truncate(bytes.len() - raw::KEY.len());
            bytes[1] &= 0x7F;
            bytes.extend_from_slice(&frame.payload);
            bytes
        }
    }
}
