//! The page from the binary. build/ makes the list of its files, each compressed at build time.

use actix_web::{HttpRequest, HttpResponse, dev::HttpServiceFactory, web};
use bytes::Bytes;

use super::shared::{INDEX, get_or_head, not_found};
use crate::http::representation::Resource;

/// A file of the page, as build/main.rs writes it.
struct EmbeddedFile {
    /// The path below the directory, with `/`.
    name: &'static str,
    content_type: &'static str,
    /// The opaque tag of the file that is not compressed.
    tag: &'static str,
    identity: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// All files, sorted by name.
static FILES: &[EmbeddedFile] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// Serves the files in the binary.
pub(super) fn files() -> impl HttpServiceFactory {
    web::resource("/{name:.*}").guard(get_or_head()).to(file)
}

async fn file(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let name = if name.is_empty() { INDEX } else { name.as_str() };
    match FILES.binary_search_by_key(&name, |file| file.name) {
        Ok(index) => FILES[index].resource().respond(&request),
        Err(_) => not_found(),
    }
}

impl EmbeddedFile {
    fn resource(&self) -> Resource {
        Resource {
            content_type: self.content_type,
            tag: self.tag.into(),
            identity: Bytes::from_static(self.identity),
            brotli: self.brotli.map(Bytes::from_static),
            gzip: self.gzip.map(Bytes::from_static),
        }
    }
}
