//! The page: its files from a directory or from the binary, and their response headers.

mod directory;
mod embedded;
mod shared;

use std::path::{Path, PathBuf};

use actix_web::{
    body::MessageBody,
    dev::{HttpServiceFactory, ServiceRequest, ServiceResponse},
    http::header::{self, HeaderValue},
    middleware::{DefaultHeaders, Next, from_fn},
    web,
};

use super::method_not_allowed::method_not_allowed;
use shared::INDEX;

/// All resources are the server's own. WebSockets may go to other servers, because the page can test them too.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; \
     object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The directory that is served without `--static-dir`, if it has a page.
const DEFAULT_DIRECTORY: &str = "static";

/// Returns the directory of the page: the given one, else `static` if it has a page, else None for the page in the binary.
///
/// # Errors
/// Returns the given directory if it has no page.
pub(crate) fn locate(given: Option<PathBuf>) -> Result<Option<PathBuf>, PathBuf> {
    let has_page = |directory: &Path| directory.join(INDEX).is_file();
    match given {
        Some(directory) if has_page(&directory) => Ok(Some(directory)),
        Some(directory) => Err(directory),
        None => Ok(Some(PathBuf::from(DEFAULT_DIRECTORY)).filter(|directory| has_page(directory))),
    }
}

/// Serves `GET /` and the files beside it: those of `directory`, or those in the binary.
pub(crate) fn files(directory: Option<&Path>) -> impl HttpServiceFactory + use<> {
    let headers = DefaultHeaders::new()
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // A browser stores a file and revalidates it: an update shows at once, at the cost of a 304.
        .add((header::CACHE_CONTROL, "no-cache"));
    let scope = match directory {
        Some(directory) => web::scope("").service(directory::files(directory)),
        None => web::scope("").service(embedded::files()),
    };
    scope
        .default_service(method_not_allowed("GET, HEAD"))
        .wrap(headers)
        .wrap(from_fn(add_policies))
}

/// Adds the policies of a document or a worker. A browser ignores them in other scripts and in stylesheets, which travel
/// without them.
async fn add_policies(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let is_worker = request.path().ends_with("-worker.js");
    let mut response = next.call(request).await?;
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let is_part = content_type.is_some_and(|value| {
        let value = value.as_bytes();
        value.starts_with(b"text/javascript") || value.starts_with(b"text/css")
    });
    if is_worker || !is_part {
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
            (header::REFERRER_POLICY, "no-referrer"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    Ok(response)
}
