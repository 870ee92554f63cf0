//! The headers that keep a browser from doing more with a page than is meant.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// No script and no style but from the crate's own files, nothing from elsewhere, no frame around.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// `same-origin` tells no other site, as `no-referrer` does. With the latter, a browser says of its own
/// forms that they come from nowhere (`Origin: null`), and they could not be told from those of others.
const REFERRER: &str = "same-origin";

/// Adds the headers to each answer, also to refusals.
pub(crate) async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, REFERRER);
    set(header::X_FRAME_OPTIONS, "DENY");
    let own = HeaderName::from_static;
    set(own("cross-origin-opener-policy"), "same-origin");
    set(own("cross-origin-resource-policy"), "same-origin");
    set(own("x-robots-tag"), "noindex, nofollow");
    // What is shown may be secret; the crate's own files say otherwise.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
