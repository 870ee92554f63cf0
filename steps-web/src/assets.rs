//! The crate's own files: a style sheet, a script, a mark.

use axum::{
    Router,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};

const CSS: &str = include_str!("assets/page.css");
const JS: &str = include_str!("assets/page.js");
const ICON: &str = include_str!("assets/icon.svg");

/// What tells a version of the files from another: it stands in their addresses, so that a browser may keep
/// them.
pub(crate) const VERSION: u32 = version();

pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route(
            "/assets/page.css",
            get(|| file("text/css; charset=utf-8", CSS)),
        )
        .route(
            "/assets/page.js",
            get(|| file("text/javascript; charset=utf-8", JS)),
        )
        .route("/assets/icon.svg", get(|| file("image/svg+xml", ICON)))
}

async fn file(kind: &'static str, text: &'static str) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let keep = HeaderValue::from_static("private, max-age=86400");
    headers.insert(header::CACHE_CONTROL, keep);
    response
}

/// FNV-1a of all files.
const fn version() -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    let files = [CSS.as_bytes(), JS.as_bytes(), ICON.as_bytes()];
    let mut file = 0;
    while file < files.len() {
        let mut at = 0;
        while at < files[file].len() {
            hash = (hash ^ files[file][at] as u32).wrapping_mul(0x0100_0193);
            at += 1;
        }
        file += 1;
    }
    hash
}
