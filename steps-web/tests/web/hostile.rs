//! Ids, labels, inputs and errors that would be something else if they were not escaped.

use steps_web::Web;

use crate::{
    site::{Site, engine, escaped},
    support::{order, parcel},
};

const EVIL: &str = "\"><script>alert(1)</script>'&lt;x onload=\"x\" é\u{202e}/..?#%41";

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_saved_is_only_text_on_a_page() {
    let engine = engine().await;
    let run = engine
        .start(parcel::input(EVIL.to_owned()))
        .id(EVIL)
        .label(EVIL, EVIL)
        .attrs(serde_json::json!({EVIL: EVIL}))
        .await
        .unwrap();
    run.outcome().await.unwrap();
    run.set_status_message(EVIL).await.unwrap();
    let ann = steps::engine::Operator::new(EVIL).reason(EVIL);
    run.acting_as(ann).retry_from_path("ship").await.unwrap();
    run.ended().await.unwrap();
    engine
        .schedule(EVIL, parcel::input(EVIL.to_owned()))
        .every("1h")
        .await
        .unwrap();
    let site = Site::of(engine, |web: Web| web.title(EVIL).operator(EVIL));
    let id = escaped(EVIL);
    for path in [
        "/".to_owned(),
        "/executions".to_owned(),
        format!("/executions?q={id}"),
        format!("/executions?q={}", escaped(&format!("label.{EVIL}={EVIL}"))),
        format!("/execution?id={id}"),
        format!("/execution?id={id}&done={id}"),
        format!("/execution?id={id}x"),
        format!("/statistics?flow={id}&last={id}"),
        format!("/statistics?flow={id}"),
        "/statistics?flow=parcel".to_owned(),
        "/schedules".to_owned(),
        format!("/schedules?name={id}&done=pause"),
        format!("/{id}"),
    ] {
        let answer = site.get(&path).await;
        assert!(
            !answer.body.contains("<script>alert"),
            "{path}: {}",
            answer.body
        );
        assert!(
            !answer.body.contains("onload=\"x\""),
            "{path}: {}",
            answer.body
        );
    }
    let page = site.get(&format!("/execution?id={id}")).await.is(200);
    page.has(&["&lt;script&gt;alert(1)&lt;/script&gt;"]);
    let one = site.get(&format!("/api/executions/{id}")).await.is(200);
    assert_eq!(one.header("content-type"), "application/json");
    let one: serde_json::Value = serde_json::from_str(&one.body).unwrap();
    assert_eq!(one["execution"]["id"], EVIL);
    let report = site
        .get(&format!("/execution/report?id={id}&format=html"))
        .await
        .is(200);
    let name = report.header("content-disposition");
    assert!(
        !name.contains('<') && name.matches('"').count() == 2,
        "{name}"
    );
    report.has_not(&["<script>alert"]);
    // What a list links to is what it is of.
    let list = site.get("/executions").await.is(200);
    let link = list
        .body
        .split("<th scope=\"row\"><a href=\"")
        .nth(1)
        .unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    site.get(&link).await.is(200).has(&["act-delete"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_may_be_what_an_address_takes_for_a_folder() {
    let engine = engine().await;
    for id in [".", "..", "a/b", "acts", "a b", "+", "%2F", "é"] {
        let far = "2100-01-01T00:00:00Z".parse().unwrap();
        engine.start(order::input(1)).id(id).at(far).await.unwrap();
    }
    let site = Site::of(engine, |web| web);
    for id in [".", "..", "a/b", "acts", "a b", "+", "%2F", "é"] {
        let page = site
            .get(&format!("/execution?id={}", escaped(id)))
            .await
            .is(200);
        page.has(&[&format!("value=\"{id}\"")]);
        let form = [("id", id), ("act", "force-stop"), ("reason", "x")];
        site.post("/execution/act", &form).await.is(303);
        let status = site.engine.get(id).await.unwrap().status().await.unwrap();
        assert_eq!(status, steps::Status::Stopped, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_browser_sends_breaks_nothing() {
    let site = Site::full().await;
    for path in [
        "/executions?q=%FF",
        "/executions?q=%00",
        "/execution?id=%FF",
        "/execution?id=a%00b",
        "/api/executions/%FF",
        "/api/executions/a%00b",
        "/api/statistics",
        "/api/statistics?flow=parcel&since=x",
    ] {
        let answer = site.get(path).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
    }
    for form in [
        &[("id", "held")][..],
        &[("id", "held"), ("act", "explode"), ("reason", "x")],
        &[("act", "recover"), ("reason", "x")],
    ] {
        site.post("/execution/act", form).await.is(422);
    }
}
