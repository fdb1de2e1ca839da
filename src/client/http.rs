//! HTTP/1.1 on a connection of the client: the response to a handshake, and requests that open no WebSocket connection.

use tokio::time::{Instant, timeout_at};

use super::{
    body::{Body, Framing},
    dial::dial,
    error::{ConnectError, Reason, Step},
    facts::Facts,
    head::ResponseHead,
    options::Options,
    request_head,
    stream::Stream,
    url::Url,
};

/// Number of interim responses in the facts.
const MAX_INTERIM: usize = 8;

/// Sends a request, and reads the header section of its final response.
pub(super) async fn exchange(
    stream: &mut Stream,
    request: &[u8],
    options: &Options,
    facts: &mut Facts,
) -> Result<ResponseHead, Reason> {
    let start = Instant::now();
    let response = read_response(stream, request, facts);
    let head = timeout_at(start + options.timeout, response)
        .await
        .map_err(|_| Reason::Timeout(Step::Response, options.timeout))??;
    facts.times.response = Some(start.elapsed());
    facts.response = Some(head.clone());
    Ok(head)
}

async fn read_response(
    stream: &mut Stream,
    request: &[u8],
    facts: &mut Facts,
) -> Result<ResponseHead, Reason> {
    // A server may respond, and close, before it has read the request. The response then says more than the failed write.
    let written = stream.write_all(request).await;
    loop {
        if let Some((head, len)) = ResponseHead::parse(&stream.unread)? {
            stream.unread.drain(..len);
            // RFC 9110 section 15.2: any number of interim responses. 101 is final here.
            if (100..200).contains(&head.status) && head.status != 101 {
                if facts.interim.len() < MAX_INTERIM {
                    facts.interim.push(head);
                }
                continue;
            }
            return Ok(head);
        }
        match stream.read_more().await {
            Ok(true) => {}
            Ok(false) => {
                written.map_err(Reason::Failed)?;
                return Err(Reason::Ended(stream.unread.len()));
            }
            Err(error) => return Err(Reason::Failed(error)),
        }
    }
}

/// Reads the start of a body: at most `limit` bytes, and only until `deadline`. What fails is left out.
pub(super) async fn read_start(
    stream: Stream,
    head: &ResponseHead,
    limit: usize,
    deadline: Instant,
) -> Vec<u8> {
    let mut body = Body::new(stream, Framing::of(head));
    let mut start = Vec::new();
    while start.len() < limit
        && let Ok(Ok(Some(part))) = timeout_at(deadline, body.next()).await
    {
        start.extend_from_slice(&part);
    }
    start.truncate(limit);
    start
}

/// A response to a request that opens no WebSocket connection.
#[derive(Debug)]
pub struct Response {
    /// The facts of the connection, with the header section.
    pub facts: Facts,
    /// The header section.
    pub head: ResponseHead,
    /// The body, which has not been read.
    pub body: Body,
}

/// Sends a request, with a body if it has one, and returns the response once its header section has arrived. The connection has no
/// other request.
///
/// # Errors
/// If a step before the body fails, or takes longer than the timeout.
pub async fn request(
    method: &str,
    url: &Url,
    body: Option<&[u8]>,
    options: &Options,
) -> Result<Response, ConnectError> {
    let mut facts = Facts::default();
    match send(method, url, body, options, &mut facts).await {
        Ok((head, body)) => Ok(Response { facts, head, body }),
        Err(reason) => Err(ConnectError {
            reason,
            facts: Box::new(facts),
        }),
    }
}

async fn send(
    method: &str,
    url: &Url,
    body: Option<&[u8]>,
    options: &Options,
    facts: &mut Facts,
) -> Result<(ResponseHead, Body), Reason> {
    facts.request = request_head::plain(method, url, body, options)?;
    let mut stream = Stream::new(dial(url, options, facts).await?);
    let request = facts.request.clone();
    let head = exchange(&mut stream, &request, options, facts).await?;
    let framing = if method == "HEAD" {
        Framing::Length(0)
    } else {
        Framing::of(&head)
    };
    let body = Body::new(stream, framing);
    Ok((head, body))
}
