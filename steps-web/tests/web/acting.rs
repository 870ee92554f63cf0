//! What an operator does by forms and by the API, and what of it is refused.

use axum::{body::Body, http::header};
use steps::{Status, prelude::*};

use crate::{
    site::{Answer, Site, local},
    support::until,
};

async fn act(site: &Site, form: &[(&str, &str)]) -> Answer {
    let form = [form, &[("reason", "ticket 71")]].concat();
    site.post("/execution/act", &form).await
}

async fn status(site: &Site, id: &str) -> Status {
    site.engine.get(id).await.unwrap().status().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_rollback_goes_on_as_the_operator_says() {
    let site = Site::full().await;
    act(&site, &[("id", "stuck"), ("act", "mark-undone")])
        .await
        .is(400)
        .has(&["concerns one step"]);
    act(
        &site,
        &[("id", "stuck"), ("act", "skip-undo"), ("step", "plant")],
    )
    .await
    .is(409)
    .has(&["only an undo that failed"]);
    act(
        &site,
        &[("id", "stuck"), ("act", "skip-undo"), ("step", "tree")],
    )
    .await
    .is(404);
    act(&site, &[("id", "sent"), ("act", "retry-undo")])
        .await
        .is(409)
        .has(&["not stuck"]);
    let stuck = site.engine.get("stuck").await.unwrap();
    act(&site, &[("id", "stuck"), ("act", "retry-undo")])
        .await
        .is(303);
    until(&stuck, Status::Stuck).await;
    stuck.ended().await.unwrap();
    let done = act(
        &site,
        &[("id", "stuck"), ("act", "mark-undone"), ("step", "hole")],
    )
    .await
    .is(303);
    assert_eq!(
        done.header("location"),
        "/execution?id=stuck&done=mark-undone"
    );
    until(&stuck, Status::Undone).await;
    let page = site
        .get("/execution?id=stuck&done=mark-undone")
        .await
        .is(200);
    page.has(&[
        "The rollback goes on.",
        "mark-undone",
        "by local: ticket 71",
        "has marked it as undone by hand",
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_needs_a_reason_and_what_is_refused_is_not_recorded() {
    let site = Site::full().await;
    for reason in [None, Some(""), Some("  \n")] {
        let mut form = vec![("id", "held"), ("act", "recover")];
        form.extend(reason.map(|reason| ("reason", reason)));
        site.post("/execution/act", &form)
            .await
            .is(400)
            .has(&["say why"]);
    }
    act(&site, &[("id", "waiting"), ("act", "recover")])
        .await
        .is(409);
    act(&site, &[("id", "nobody"), ("act", "recover")])
        .await
        .is(404);
    act(&site, &[("id", "waiting"), ("act", "delete")])
        .await
        .is(409)
        .has(&["stop or undo it first"]);
    for id in ["held", "waiting"] {
        assert_eq!(
            site.engine
                .get(id)
                .await
                .unwrap()
                .info()
                .await
                .unwrap()
                .acts,
            []
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_act_does_what_its_button_says() {
    let site = Site::full().await;
    let engine = &site.engine;
    act(
        &site,
        &[
            ("id", "waiting"),
            ("act", "signal"),
            ("step", "approval"),
            ("value", "yes"),
        ],
    )
    .await
    .is(400)
    .has(&["is no JSON"]);
    act(
        &site,
        &[("id", "waiting"), ("act", "signal"), ("step", "approval")],
    )
    .await
    .is(400);
    act(
        &site,
        &[
            ("id", "waiting"),
            ("act", "signal"),
            ("step", "charged"),
            ("value", "1"),
        ],
    )
    .await
    .is(404);
    let form = [
        ("id", "waiting"),
        ("act", "signal"),
        ("step", "approval"),
        ("value", " true\n"),
    ];
    act(&site, &form).await.is(303);
    until(&engine.get("waiting").await.unwrap(), Status::Done).await;

    act(&site, &[("id", "stopped"), ("act", "undo")])
        .await
        .is(303);
    until(&engine.get("stopped").await.unwrap(), Status::Undone).await;
    act(&site, &[("id", "later"), ("act", "try-now")])
        .await
        .is(303);
    until(&engine.get("later").await.unwrap(), Status::Waiting).await;
    act(&site, &[("id", "later"), ("act", "stop")])
        .await
        .is(303);
    until(&engine.get("later").await.unwrap(), Status::Stopped).await;
    act(&site, &[("id", "later"), ("act", "recover")])
        .await
        .is(303);
    until(&engine.get("later").await.unwrap(), Status::Waiting).await;
    act(&site, &[("id", "later"), ("act", "force-stop")])
        .await
        .is(303);
    let info = engine.get("later").await.unwrap().info().await.unwrap();
    assert_eq!(info.status, Status::Stopped);
    assert!(info.error.unwrap().contains("abandoned: ticket 71"));
    let acts: Vec<_> = info.acts.iter().map(|act| &*act.act).collect();
    assert_eq!(acts, ["try_now", "stop", "recover", "abandon"]);

    act(
        &site,
        &[("id", "sent"), ("act", "retry-from"), ("step", "ship")],
    )
    .await
    .is(303);
    let sent = engine.get("sent").await.unwrap();
    until(&sent, Status::Done).await;
    sent.ended().await.unwrap();
    let gone = act(&site, &[("id", "sent"), ("act", "delete")])
        .await
        .is(303);
    assert_eq!(gone.header("location"), "/executions");
    assert!(engine.get("sent").await.is_err());
    act(&site, &[("id", "stuck"), ("act", "force-delete")])
        .await
        .is(303);
    assert!(matches!(
        engine.get("stuck").await.err(),
        Some(EngineError::Unknown { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_does_the_same() {
    let site = Site::full().await;
    let post = async |path: &str, body: &str| {
        let request = local("POST", path).header(header::CONTENT_TYPE, "application/json");
        site.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    };
    let acts = "/api/executions/waiting/acts";
    post(acts, "{").await.is(400);
    post(acts, r#"{"act":"explode"}"#)
        .await
        .is(400)
        .has(&["explode", "\"usage\""]);
    post(acts, r#"{"act":"stop","more":1}"#)
        .await
        .is(400)
        .has(&["unknown field `more`"]);
    post(acts, r#"{"act":"recover"}"#)
        .await
        .is(409)
        .has(&["\"refused\""]);
    post(acts, r#"{"act":"signal","step":"approval"}"#)
        .await
        .is(400);
    let body = r#"{"act":"signal","step":"approval","value":true,"reason":"by a script"}"#;
    let done = post(acts, body).await.is(200);
    assert_eq!(done.body, r#"{"id":"waiting","act":"signal","ok":true}"#);
    until(&site.engine.get("waiting").await.unwrap(), Status::Done).await;
    let done = post("/api/executions/held/acts", r#"{"act":"recover"}"#)
        .await
        .is(200);
    done.has(&["\"count\":2"]);
    let done = post("/api/executions/later/acts", r#"{"act":"force-stop"}"#)
        .await
        .is(200);
    done.has(&["\"status\":\"stopped\""]);
    assert_eq!(status(&site, "later").await, Status::Stopped);
    let changed = post("/api/schedules/nightly/acts", r#"{"act":"pause"}"#)
        .await
        .is(200);
    changed.has(&["\"changed\":true"]);
    let again = post("/api/schedules/nightly/acts", r#"{"act":"pause"}"#)
        .await
        .is(200);
    again.has(&["\"changed\":false"]);
    let next = site.get("/api/schedules/nightly/next").await.is(200);
    assert_eq!(
        next.body,
        r#"{"next":[],"paused":true,"schedule":"nightly"}"#
    );
}
