//! Flows that are paused and limited, by the page and by the API.

use axum::{body::Body, http::header};
use steps::Status;

use crate::{
    site::{Answer, Site, local, posted, send},
    support::{order, until},
};

async fn act(site: &Site, form: &[(&str, &str)]) -> Answer {
    let form = [form, &[("reason", "ticket 71")]].concat();
    site.post("/flows/act", &form).await
}

async fn api(site: &Site, flow: &str, body: &str) -> Answer {
    let path = format!("/api/flows/{flow}/acts");
    let request = local("POST", &path).header(header::CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(body.to_owned())).unwrap();
    site.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_is_paused_and_resumed_and_the_page_tells_who_and_why() {
    let site = Site::full().await;
    site.get("/flows").await.is(200).has(&[
        "parcel",
        "garden",
        "no limit",
        "action=\"/flows/act\"",
        "Another flow",
    ]);
    let done = act(&site, &[("flow", "order"), ("act", "pause")]).await;
    let done = done.is(303);
    assert_eq!(done.header("location"), "/flows?flow=order&done=pause");
    assert_eq!(site.engine.paused_flows().await.unwrap(), ["order"]);
    let held = site.engine.start(order::input(9)).id("held-back").await;
    let held = held.unwrap();
    assert_eq!(held.status().await.unwrap(), Status::Pending);
    site.get("/flows?flow=order&done=pause")
        .await
        .is(200)
        .has(&[
            "`order` is paused.",
            "by local: ticket 71",
            "pause by local: ticket 71",
            "Resume order",
            // `later` and this one have not begun; one waits for an approval.
            "status%3Dpending\">2</a>",
            "status%3D%7Brunning%20waiting%20undoing%7D\">1</a>",
        ]);
    act(&site, &[("flow", "order"), ("act", "resume")])
        .await
        .is(303);
    until(&held, Status::Waiting).await;
    let info = site.engine.flow("order").info().await.unwrap();
    let acts: Vec<_> = info.acts.iter().map(|act| &*act.act).collect();
    assert_eq!(acts, ["pause", "resume"]);

    site.post("/flows/act", &[("flow", "order"), ("act", "pause")])
        .await
        .is(400)
        .has(&["say why"]);
    act(&site, &[("flow", " "), ("act", "pause")]).await.is(400);
    act(&site, &[("flow", "order"), ("act", "stop")])
        .await
        .is(422);
    assert!(site.engine.paused_flows().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_a_flow_are_set_and_ended() {
    let site = Site::full().await;
    let form = [
        ("flow", "parcel"),
        ("act", "limit"),
        ("at_once", "5"),
        ("label", "zone"),
        ("per", "2"),
        ("starts", "100"),
        ("period", "1m"),
        ("burst", ""),
    ];
    act(&site, &form).await.is(303);
    site.get("/flows").await.is(200).has(&[
        "5 at once, 2 of a `zone`, 100 in 60s, set by an operator",
        "name=\"at_once\" value=\"5\"",
        "name=\"period\" value=\"60s\"",
        "End the limits",
    ]);
    let info = site.engine.flow("parcel").info().await.unwrap();
    assert_eq!(
        info.limits.to_string(),
        "5 at once, 2 of a `zone`, 100 in 60s"
    );
    assert_eq!(info.acts[0].reason.as_deref(), Some("ticket 71"));
    let none = [("flow", "parcel"), ("act", "limit"), ("at_once", "0")];
    act(&site, &none).await.is(400).has(&["pause the flow"]);
    act(&site, &[("flow", "parcel"), ("act", "unlimit")])
        .await
        .is(303);
    let info = site.engine.flow("parcel").info().await.unwrap();
    assert!(info.limits.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_pauses_and_limits_flows() {
    let site = Site::full().await;
    let none = site.get("/api/flows").await.is(200);
    assert_eq!(none.body, r#"{"flows":[]}"#);
    let body =
        r#"{"act":"limit","reason":"r","limits":{"at_once":3,"rate":{"starts":10,"seconds":1.5}}}"#;
    let done = api(&site, "order", body).await.is(200);
    let done: serde_json::Value = serde_json::from_str(&done.body).unwrap();
    assert_eq!(
        (&done["act"], &done["changed"], &done["at_once"]),
        (&"limit".into(), &true.into(), &3.into())
    );
    assert_eq!(done["rate"]["seconds"], 1.5);
    assert_eq!(done["acts"][0]["by"], "local");
    let again = api(&site, "order", body).await.is(200);
    again.has(&["\"changed\":false"]);
    api(&site, "order", r#"{"act":"pause"}"#).await.is(200);
    let one = site.get("/api/flows/order").await.is(200);
    one.has(&["\"paused\":true", "\"paused_by\":{"]);
    site.get("/api/flows").await.is(200).has(&["\"order\""]);
    // Nothing is known of it, which is no mistake: it may be paused before it is there.
    site.get("/api/flows/nobody")
        .await
        .is(200)
        .has(&["\"paused\":false"]);
    for body in [
        r#"{"act":"limit"}"#,
        r#"{"act":"limit","limits":{"per":{"label":"","at_once":1}}}"#,
        r#"{"act":"limit","limits":{"rate":{"starts":1,"seconds":-1}}}"#,
        r#"{"act":"limit","limits":{"at_onec":1}}"#,
        r#"{"act":"explode"}"#,
    ] {
        api(&site, "order", body).await.is(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_form_and_a_reader_pause_nothing() {
    let bo = "bos-token-of-32-letters-01234567";
    let site = Site::full_with(|web| web.reader_token("bo", bo)).await;
    let form = [("flow", "order"), ("act", "pause"), ("reason", "x")];
    let with_token = |mut request: axum::http::Request<Body>| {
        let bearer = format!("Bearer {bo}").parse().unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        request
    };
    let request = with_token(posted("/flows/act", &form));
    send(&site.router, request).await.is(403);
    let get = local("GET", "/flows").body(Body::empty()).unwrap();
    send(&site.router, with_token(get))
        .await
        .is(200)
        .has_not(&["/flows/act"]);

    let site = Site::full().await;
    let mut request = posted("/flows/act", &form);
    let evil = "https://evil.example".parse().unwrap();
    request.headers_mut().insert(header::ORIGIN, evil);
    let cross = "cross-site".parse().unwrap();
    request.headers_mut().insert("sec-fetch-site", cross);
    send(&site.router, request).await.is(403);
    assert!(site.engine.paused_flows().await.unwrap().is_empty());
}
