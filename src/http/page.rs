//! The page: the files of the static directory, and their response headers.

use std::path::Path;

use actix_files::Files;
use actix_web::{
    HttpResponse,
    dev::{HttpServiceFactory, ServiceRequest, ServiceResponse, fn_service},
    guard,
    http::header,
    middleware::DefaultHeaders,
    web,
};

use super::method_not_allowed::method_not_allowed;
use crate::transport::error_body::ErrorBody;

/// All resources are the server's own. WebSockets may go to other servers, because the page can test them too.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; \
     object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Serves `GET /` and the files beside it.
pub(crate) fn files(directory: &Path) -> impl HttpServiceFactory + use<> {
    let headers = DefaultHeaders::new()
        .add((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::REFERRER_POLICY, "no-referrer"))
        // A browser stores a file and revalidates it: an update shows at once, at the cost of a 304.
        .add((header::CACHE_CONTROL, "no-cache"));
    web::scope("")
        .wrap(headers)
        .service(
            Files::new("/", directory)
                .guard(guard::Any(guard::Get()).or(guard::Head()))
                .index_file("index.html")
                .default_handler(fn_service(not_found)),
        )
        .default_service(method_not_allowed("GET, HEAD"))
}

async fn not_found(request: ServiceRequest) -> Result<ServiceResponse, actix_web::Error> {
    let response = HttpResponse::NotFound().json(ErrorBody {
        error: "no such file",
        hint: "open the page at /, or send Upgrade: websocket to open a WebSocket on any path",
    });
    Ok(request.into_response(response))
}
