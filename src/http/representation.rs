//! A resource that the server has in memory: the choice of an encoding, conditional requests and byte ranges (RFC 9110).

use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::Write as _,
};

use actix_files::HttpRange;
use actix_web::{
    HttpRequest, HttpResponse,
    body::None as NoBody,
    http::{
        Method, StatusCode,
        header::{
            self, AcceptEncoding, ContentEncoding, Encoding, EntityTag, Header as _, IfMatch, IfNoneMatch,
            IfRange,
        },
    },
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use serde::Serialize;

/// A resource, as it is and compressed.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) content_type: &'static str,
    /// The opaque tag of `identity`.
    pub(crate) tag: Cow<'static, str>,
    pub(crate) identity: Bytes,
    pub(crate) brotli: Option<Bytes>,
    pub(crate) gzip: Option<Bytes>,
}

impl Resource {
    /// Creates a JSON document. Its content has strings, numbers and booleans alone, so that serialisation cannot fail.
    pub(crate) fn json(content: &impl Serialize) -> Self {
        let body = serde_json::to_vec(content).unwrap_or_default();
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        // A vector takes all bytes: compression cannot fail.
        let gzip = gzip.write_all(&body).and_then(|()| gzip.finish()).ok();
        Self {
            content_type: "application/json",
            tag: format!("{:016x}", hasher.finish()).into(),
            identity: body.into(),
            brotli: None,
            gzip: gzip.map(Bytes::from),
        }
    }

    /// Responds to a GET or HEAD with the representation that the client prefers, with a part of it, or with 304.
    pub(crate) fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let (body, encoding) = self.select(request);
        let tag = EntityTag::new_strong(match encoding {
            // The tag is strong, so it differs between representations (RFC 9110 section 8.8.3.3).
            Some(encoding) => format!("{}-{}", self.tag, encoding.as_str()),
            None => self.tag.to_string(),
        });
        let mut response = HttpResponse::Ok();
        response
            .insert_header((header::CONTENT_TYPE, self.content_type))
            .insert_header((header::ACCEPT_RANGES, "bytes"))
            // A browser stores a resource and revalidates it: an update shows at once, at the cost of a 304.
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .insert_header((header::ETAG, tag.to_string()));
        if self.brotli.is_some() || self.gzip.is_some() {
            response.insert_header((header::VARY, "accept-encoding"));
        }
        if !is_expected(&tag, request) {
            return response.status(StatusCode::PRECONDITION_FAILED).finish();
        }
        if is_known(&tag, request) {
            return response
                .status(StatusCode::NOT_MODIFIED)
                .body(NoBody::new())
                .map_into_boxed_body();
        }
        if let Some(encoding) = encoding {
            response.insert_header((header::CONTENT_ENCODING, encoding.as_str()));
        }
        match range(&tag, request, body.len()) {
            Requested::All => response.body(body),
            Requested::Part(start, end) => response
                .status(StatusCode::PARTIAL_CONTENT)
                .insert_header((
                    header::CONTENT_RANGE,
                    format!("bytes {start}-{}/{}", end - 1, body.len()),
                ))
                .body(body.slice(start..end)),
            Requested::Nothing => response
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .insert_header((header::CONTENT_RANGE, format!("bytes */{}", body.len())))
                .finish(),
        }
    }

    fn select(&self, request: &HttpRequest) -> (Bytes, Option<ContentEncoding>) {
        let available = [
            (ContentEncoding::Brotli, &self.brotli),
            (ContentEncoding::Gzip, &self.gzip),
        ];
        let supported: Vec<_> = available
            .iter()
            .filter(|(_, body)| body.is_some())
            .map(|(encoding, _)| Encoding::Known(*encoding))
            .chain([Encoding::identity()])
            .collect();
        let chosen = AcceptEncoding::parse(request)
            .ok()
            .and_then(|accept| accept.negotiate(supported.iter()));
        available
            .into_iter()
            .find(|(encoding, _)| chosen == Some(Encoding::Known(*encoding)))
            .and_then(|(encoding, body)| Some((body.clone()?, Some(encoding))))
            // Also if the client accepts no encoding at all: a 406 would help no one.
            .unwrap_or_else(|| (self.identity.clone(), None))
    }
}

fn is_expected(tag: &EntityTag, request: &HttpRequest) -> bool {
    match request
        .headers()
        .contains_key(header::IF_MATCH)
        .then(|| IfMatch::parse(request))
    {
        None | Some(Ok(IfMatch::Any)) => true,
        Some(Ok(IfMatch::Items(tags))) => tags.iter().any(|item| item.strong_eq(tag)),
        Some(Err(_)) => false,
    }
}

fn is_known(tag: &EntityTag, request: &HttpRequest) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|item| item.weak_eq(tag)),
        Err(_) => false,
    }
}

/// The bytes that a request asks for.
enum Requested {
    All,
    /// The first byte, and the one after the last.
    Part(usize, usize),
    Nothing,
}

/// Returns the first range of the request, as actix-files does. Of several ranges a server may send any (RFC 9110 section 14.2).
fn range(tag: &EntityTag, request: &HttpRequest, len: usize) -> Requested {
    let is_current = match IfRange::parse(request) {
        Ok(IfRange::EntityTag(known)) => known.strong_eq(tag),
        // The resource has no date.
        Ok(IfRange::Date(_)) => false,
        Err(_) => !request.headers().contains_key(header::IF_RANGE),
    };
    let value = request
        .headers()
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok());
    let Some(value) = value.filter(|_| is_current && request.method() == Method::GET) else {
        return Requested::All;
    };
    // An unknown unit is ignored.
    if !value
        .split_once('=')
        .is_some_and(|(unit, _)| unit.eq_ignore_ascii_case("bytes"))
    {
        return Requested::All;
    }
    let ranges = HttpRange::parse(value, len as u64).unwrap_or_default();
    let part = ranges.first().and_then(|range| {
        let start = usize::try_from(range.start).ok()?;
        Some((start, start.checked_add(usize::try_from(range.length).ok()?)?))
    });
    match part {
        Some((start, end)) if start < end && end <= len => Requested::Part(start, end),
        _ => Requested::Nothing,
    }
}
