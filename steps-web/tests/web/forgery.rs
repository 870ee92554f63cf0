//! What other sites' pages send (CSRF).

use axum::{
    body::Body,
    http::{Request, header},
};

use crate::site::{Site, encoded, local};

const FORM: &str = "application/x-www-form-urlencoded";

fn sent(path: &str, kind: Option<&str>, more: &[(&str, &str)]) -> Request<Body> {
    let mut request = local("POST", path);
    if let Some(kind) = kind {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    let body = match kind {
        Some("application/json") => r#"{"act":"recover"}"#.to_owned(),
        _ => encoded(&[("id", "held"), ("act", "recover"), ("reason", "x")]),
    };
    request.body(Body::from(body)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_pages_own_forms_do_something() {
    let site = Site::full().await;
    let own = ("origin", "http://127.0.0.1:8080");
    for more in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site"), own],
        &[("sec-fetch-site", "none"), own],
        &[("sec-fetch-site", "cross-site"), own],
        &[("origin", "http://evil.example")],
        &[("origin", "http://127.0.0.1:8081")],
        &[("origin", "http://127.0.0.1")],
        &[("origin", "null")],
        &[],
    ] {
        for path in ["/execution/act", "/schedules/act", "/login", "/logout"] {
            let answer = site.send(sent(path, Some(FORM), more)).await.is(403);
            answer.has(&["sent by another site"]);
        }
    }
    for kind in [
        None,
        Some("text/plain"),
        Some("multipart/form-data; boundary=x"),
        Some(FORM),
    ] {
        let answer = site
            .send(sent("/api/executions/held/acts", kind, &[]))
            .await;
        answer.is(415).has(&["application/json"]);
    }
    for more in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("origin", "http://evil.example")],
    ] {
        let request = sent("/api/executions/held/acts", Some("application/json"), more);
        site.send(request).await.is(403).has(&["\"forbidden\""]);
    }
    site.send(sent("/execution/act", Some("application/json"), &[own]))
        .await
        .is(415);
    let info = site.engine.get("held").await.unwrap().info().await.unwrap();
    assert_eq!((info.status, info.acts.len()), (steps::Status::Failed, 0));

    // Without TLS, a browser says only the origin.
    site.send(sent("/execution/act", Some(FORM), &[own]))
        .await
        .is(303);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_taken_from_what_is_no_browser() {
    let site = Site::full().await;
    let request = sent("/api/executions/held/acts", Some("application/json"), &[]);
    site.send(request)
        .await
        .is(200)
        .has(&["\"ok\":true", "\"act\":\"recover\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_by_looking() {
    let site = Site::full().await;
    for path in [
        "/execution/act?id=held&act=recover&reason=x",
        "/api/executions/held/acts",
        "/logout",
    ] {
        site.get(path).await.is(405);
    }
    for method in ["PUT", "DELETE", "PATCH"] {
        let request = local(method, "/execution/act?id=held&act=delete&reason=x");
        let request = request.header("sec-fetch-site", "same-origin");
        let request = request.header(header::CONTENT_TYPE, FORM);
        site.send(request.body(Body::empty()).unwrap())
            .await
            .is(405);
    }
}
