//! The page: its files from a directory or from the binary, and their response headers.

mod directory;
mod embedded;
mod shared;

use std::path::{Path, PathBuf};

use actix_web::{dev::HttpServiceFactory, http::header, middleware::DefaultHeaders, web};

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
        .add((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::REFERRER_POLICY, "no-referrer"))
        // A browser stores a file and revalidates it: an update shows at once, at the cost of a 304.
        .add((header::CACHE_CONTROL, "no-cache"));
    let scope = match directory {
        Some(directory) => web::scope("").service(directory::files(directory)),
        None => web::scope("").service(embedded::files()),
    };
    scope
        .default_service(method_not_allowed("GET, HEAD"))
        .wrap(headers)
}
