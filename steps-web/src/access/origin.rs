//! Whether a request that changes something is from one of the page's own forms (CSRF).
//!
//! A browser says in `Sec-Fetch-Site` whose page sends a request, and where it does not, as without TLS, in
//! `Origin`. What says neither is no browser of the last years; then only JSON is taken, which a form of
//! another site can't send.

use axum::http::{
    HeaderMap, HeaderValue, StatusCode, Uri,
    header::{CONTENT_TYPE, ORIGIN},
};

use super::loopback::host;
use crate::error::Refused;

pub(crate) fn check(headers: &HeaderMap, uri: &Uri, is_api: bool) -> Result<(), Refused> {
    let is_form = headers.get(CONTENT_TYPE).is_none_or(is_form);
    if is_form == is_api {
        let wanted = if is_api {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        let why = format!("the body must be {wanted}");
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    let own = match (headers.get("sec-fetch-site"), headers.get(ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => is_same(origin, headers, uri),
        (None, None) => is_api,
    };
    if own {
        return Ok(());
    }
    Err(Refused::forbidden(
        "this was sent by another site's page, or by what does not say where it comes from, and nothing \
         was done",
    ))
}

fn is_form(kind: &HeaderValue) -> bool {
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    !kind.eq_ignore_ascii_case("application/json")
}

/// Whether an origin, `https://host:port`, is the host that the request is for.
fn is_same(origin: &HeaderValue, headers: &HeaderMap, uri: &Uri) -> bool {
    let origin = origin.to_str().unwrap_or_default();
    let from = origin.split_once("://").map(|(_, from)| from);
    match (from, host(headers, uri)) {
        (Some(from), Some(host)) => from.eq_ignore_ascii_case(&host),
        _ => false,
    }
}
