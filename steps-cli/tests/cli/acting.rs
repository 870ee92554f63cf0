//! What is done with executions that no service is at, and what is refused.

use steps::Status;

use crate::support::{Db, order, run};

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_goes_on_with_the_next_service() {
    let db = Db::with_all().await;
    let done = db.steps(&["recover", "held", "--json"]).well().one();
    assert_eq!(
        (&done["act"], &done["ok"], &done["count"]),
        (&"recover".into(), &true.into(), &2.into())
    );
    assert_eq!(db.status("held"), "running");
    db.steps(&["recover", "waiting"])
        .refused(4, "execution `waiting` is waiting: it can't be recovered");
    db.steps(&["recover", "nobody", "stopped"])
        .refused(3, "there is no execution `nobody`");
    assert_ne!(
        db.status("stopped"),
        "stopped",
        "the other one is recovered"
    );

    db.steps(&["retry-from", "sent", "ship", "--yes"]).well();
    db.steps(&["retry-from", "sent", "ships", "--yes"])
        .refused(3, "there is no node `ships`");
    db.steps(&["try-now", "later"]).well();
    db.steps(&["try-now", "undone"])
        .refused(4, "nothing in it pauses");

    let engine = db.serve().await;
    for (id, status) in [("sent", Status::Done), ("held", Status::Failed)] {
        assert_eq!(
            engine.get(id).await.unwrap().ended().await.unwrap().status,
            status
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_rollback_goes_on_as_the_operator_says() {
    let db = Db::with_all().await;
    db.steps(&["retry-undo", "sent"])
        .refused(4, "execution `sent` is done, not stuck");
    db.steps(&["skip-undo", "stuck", "plant", "--yes"])
        .refused(4, "only an undo that failed");
    db.steps(&["skip-undo", "stuck", "tree", "--yes"])
        .refused(3, "there is no node `tree`");
    db.steps(&["skip-undo", "stuck", "hole"])
        .refused(2, "--yes");
    db.steps(&["retry-undo", "stuck"]).well();
    let engine = db.serve().await;
    let stuck = engine.get("stuck").await.unwrap();
    assert_eq!(stuck.ended().await.unwrap().status, Status::Stuck, "again");
    // The lease is given back a moment after the end.
    db.steps(&["mark-undone", "stuck", "hole", "-y"]).well();
    assert_eq!(stuck.ended().await.unwrap().status, Status::Undone);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_signals_wait_for_a_service() {
    let db = Db::with_all().await;
    db.steps(&["signal", "waiting", "approval", "yes"])
        .refused(2, "the value is no JSON");
    db.steps(&["signal", "waiting", "charged", "1"])
        .refused(4, "`charged` does not wait for a signal now");
    db.steps(&["signal", "sent", "ship", "1"])
        .refused(4, "it can't be given a signal");
    db.steps(&["signal", "waiting", "approval", "true"]).well();
    let more = run(
        &[
            "--db",
            &db.url(),
            "signal",
            "waiting",
            "approval",
            "-",
            "--replace",
        ],
        "true\n",
        &[],
    );
    more.well();
    db.steps(&["undo", "stopped"]).refused(2, "--yes");
    db.steps(&["undo", "stopped", "--yes"]).well();
    db.steps(&["undo", "undone", "--yes"])
        .refused(4, "execution `undone` is undone");
    db.steps(&["stop", "later"]).well();
    db.steps(&["stop", "sent"])
        .refused(4, "execution `sent` is done: it can't be stopped");
    db.steps(&["stop", "later", "--wait", "20ms"])
        .refused(1, "still pending after 20ms");

    let engine = db.serve().await;
    let waiting = engine.execution::<order>("waiting").await.unwrap();
    assert_eq!(waiting.outcome().await.unwrap(), 6);
    let stopped = engine.get("stopped").await.unwrap();
    assert_eq!(stopped.ended().await.unwrap().status, Status::Undone);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_a_filter_finds() {
    let db = Db::with_all().await;
    db.steps(&["stop", "--where", "flow=order"])
        .refused(2, "Stop 4 executions");
    assert_eq!(db.status("waiting"), "waiting");
    let all = db
        .steps(&[
            "stop",
            "--where",
            "flow=order",
            "--force",
            "--yes",
            "--json",
        ])
        .well();
    let ok = |id: &str| {
        let lines = all.json();
        lines
            .iter()
            .find(|it| it["id"] == id)
            .map(|it| it["ok"].clone())
    };
    assert_eq!(
        [ok("waiting"), ok("later"), ok("undone")],
        [true, true, false].map(|it| Some(it.into()))
    );
    assert!(all.err.contains("stop: 3, passed over: 1"), "{}", all.err);
    assert_eq!(db.status("waiting"), "stopped");
    db.steps(&["recover", "--where", "status=stopped,limit=1", "--yes"])
        .well();
    assert_eq!(db.steps(&["count", "status=stopped"]).out, "2\n");
    db.steps(&["stop", "--where", "stauts=x", "--yes"])
        .refused(2, "there is no key");
    db.steps(&["stop", "--yes"]).refused(2, "required");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_is_gone() {
    let db = Db::with_all().await;
    db.steps(&["delete", "sent"]).refused(2, "--yes");
    db.steps(&["delete", "sent", "--yes"]).well();
    db.steps(&["show", "sent"])
        .refused(3, "no execution `sent`");
    db.steps(&["delete", "waiting", "--yes"])
        .refused(4, "stop or undo it first");
    db.steps(&["delete", "waiting", "--yes", "--force"]).well();
    let deleted = db
        .steps(&[
            "delete",
            "--where",
            "flow={parcel order}",
            "--yes",
            "--json",
        ])
        .well()
        .one();
    assert_eq!(deleted["deleted"], 3);
    let left = db.steps(&["list", "--json", "--sort", "id"]).well().json();
    let left: Vec<_> = left.iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(left, ["later", "stuck"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_act_is_recorded_with_who_when_and_why() {
    let db = Db::with_all().await;
    let by = ["--by", "bo", "--reason", "ticket 71,\nas said"];
    db.steps(&[&["recover", "held"], &by[..]].concat()).well();
    db.steps(&["retry-undo", "sent"]).refused(4, "not stuck");
    db.steps(&["skip-undo", "stuck", "hole", "--yes"]).well();
    db.steps(&["signal", "waiting", "approval", "true"]).well();
    db.steps(&["stop", "later", "--force", "--yes", "--reason", "no"])
        .well();
    db.steps(&["undo", "later", "--yes"]).well();
    let acts = |id: &str| {
        let shown = db.steps(&["show", id, "--json"]).well().one();
        let acts = shown["acts"].as_array().unwrap().clone();
        let text =
            |act: &serde_json::Value, name: &str| act[name].as_str().unwrap_or("-").to_owned();
        let acts = acts.iter().map(|act| {
            assert!(text(act, "at").starts_with("20"), "{act}");
            ["act", "step", "by", "reason"]
                .map(|name| text(act, name))
                .join(" | ")
        });
        acts.collect::<Vec<_>>()
    };
    assert_eq!(acts("held"), ["recover | - | bo | ticket 71,\nas said"]);
    assert_eq!(acts("sent"), [] as [&str; 0], "what was refused is not");
    assert_eq!(acts("stuck"), ["skip_undo | hole | ann | -"]);
    assert_eq!(acts("waiting"), ["signal | approval | ann | -"]);
    assert_eq!(
        acts("later"),
        ["abandon | - | ann | no", "undo | - | ann | -"]
    );
    let shown = db.steps(&["show", "stuck"]).well().out;
    assert!(shown.contains("skip-undo hole by ann"), "{shown}");
}
