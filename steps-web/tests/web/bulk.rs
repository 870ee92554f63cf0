//! What is done with all executions that a filter finds.

use axum::{body::Body, http::header};
use serde_json::{Value, json};
use steps::{Status, engine::Filter};

use crate::{
    site::{Answer, Site, local},
    support::{order, until},
};

async fn all(site: &Site, q: &str, act: &str, count: &str) -> Answer {
    let form = [
        ("q", q),
        ("act", act),
        ("count", count),
        ("reason", "ticket 71"),
    ];
    site.post("/executions/all", &form).await
}

async fn acts(site: &Site, id: &str) -> Vec<(String, Option<String>)> {
    let handle = site.engine.get(id).await.unwrap();
    let acts = handle.info().await.unwrap().acts.into_iter();
    acts.map(|act| (act.act.clone(), act.reason)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_a_filter_finds_are_counted_asked_about_and_stopped() {
    let site = Site::full().await;
    let more = site.engine.start(order::input(7)).id("more").await.unwrap();
    until(&more, Status::Waiting).await;
    site.get("/executions?q=flow%3Dorder")
        .await
        .is(200)
        .has(&["Do something with all 5", "action=\"/executions/all\""]);
    let asked = site.get("/executions/all?q=flow%3Dorder&act=stop").await;
    asked.is(200).has(&[
        "Stop: 5 executions",
        "No new step begins",
        "name=\"count\" value=\"5\"",
    ]);
    assert_eq!(acts(&site, "more").await, [], "it was only asked");

    let done = all(&site, "flow=order", "stop", "5").await.is(200);
    // One that is stopped already stays so; one that is undone can't be.
    done.has(&[
        "Done with 4 executions, passed over 1",
        "Passed over",
        "id=undone",
    ]);
    until(&more, Status::Stopped).await;
    let reason = Some("ticket 71".to_owned());
    assert_eq!(acts(&site, "more").await, [("stop".to_owned(), reason)]);
    assert_eq!(acts(&site, "undone").await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_more_than_were_shown_or_without_a_reason_nothing_is_done() {
    let site = Site::full().await;
    all(&site, "flow=order", "stop", "3")
        .await
        .is(409)
        .has(&["there are 4 now, and 3 when it was asked"]);
    let form = [("q", "flow=order"), ("act", "stop"), ("count", "4")];
    site.post("/executions/all", &form)
        .await
        .is(400)
        .has(&["say why"]);
    all(&site, "flow=order", "force-delete", "4")
        .await
        .is(400)
        .has(&["not done with many"]);
    all(&site, "stauts=x", "stop", "4").await.is(400);
    site.get("/executions/all?q=attrs.token%3D1&act=stop")
        .await
        .is(403);
    assert_eq!(acts(&site, "waiting").await, []);
    // A limit bounds it, and the newest come first.
    all(&site, "flow=order,limit=1", "stop", "1")
        .await
        .is(200)
        .has(&["Done with 1 execution."]);
    assert_eq!(acts(&site, "waiting").await.len(), 1);
    assert_eq!(acts(&site, "later").await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_is_deleted_and_the_others_stay() {
    let site = Site::full().await;
    let before = site.engine.count(Filter::new()).await.unwrap();
    all(&site, "", "delete", &before.to_string())
        .await
        .is(200)
        .has(&["passed over 2", "stop or undo it first"]);
    let left = site.engine.list(Filter::new()).await.unwrap();
    let mut left: Vec<_> = left.into_iter().map(|info| info.id).collect();
    left.sort();
    assert_eq!(left, ["later", "waiting"]);
    let asked = site.get("/executions/all?q=status%3Dstuck&act=retry-undo");
    asked
        .await
        .is(200)
        .has(&["Retry the undos: 0 executions"])
        .has_not(&["method=\"post\" action=\"/executions/all\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_does_it_and_tells_which_were_passed_over() {
    let site = Site::full().await;
    let send = async |count: u64| {
        let body = json!({"q": "flow=order", "act": "stop", "count": count, "reason": "ticket 71"});
        let request = local("POST", "/api/acts").header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Body::from(body.to_string())).unwrap();
        site.send(request).await
    };
    send(3).await.is(409).has(&["there are 4 now"]);
    assert_eq!(acts(&site, "waiting").await, []);
    let done: Value = serde_json::from_str(&send(4).await.is(200).body).unwrap();
    assert_eq!(done["ok"], true);
    assert_eq!(done["count"], 3);
    assert_eq!(done["passed"][0]["id"], "undone");
    assert!(
        done["passed"][0]["error"]
            .as_str()
            .unwrap()
            .contains("undone")
    );
    let reason = Some("ticket 71".to_owned());
    assert_eq!(acts(&site, "waiting").await, [("stop".to_owned(), reason)]);
}
