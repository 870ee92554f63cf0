//! `changes`.

use std::time::Duration;

use steps::{
    Engine, Open as _, Status,
    engine::{OnChange, StatusChange},
};

use crate::support::{Db, order};

#[tokio::test(flavor = "multi_thread")]
async fn who_is_told_of_changes_is_listed_with_what_fails_and_forgotten() {
    let db = Db::new();
    let before = db.serve().await;
    let none = db.steps(&["changes"]).well();
    assert_eq!(
        (&*none.out, &*none.err),
        ("", "nobody is told of changes\n")
    );
    let fails = async |_: StatusChange| Err::<(), _>("the shop is closed");
    let on = OnChange::new().flow::<order>().status(Status::Stopped);
    let on = on.pauses("1h", "1h");
    let engine = Engine::open(&db.url()).await.unwrap();
    let engine = engine
        .on_execution_change("shop", on, fails)
        .start()
        .await
        .unwrap();
    let run = before.start(order::input(1)).id("late");
    let run = run.after(Duration::from_hours(1)).await.unwrap();
    run.force_stop().await.unwrap();

    let listed = || db.steps(&["changes", "--json"]).well().one();
    let begun = std::time::Instant::now();
    while listed()["failed"] != 1 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", listed());
    }
    assert_eq!(listed()["name"], "shop");
    assert_eq!(listed()["flows"][0], "order");
    let text = db.steps(&["changes"]).well().out;
    assert!(text.contains("executions of order: stopped"), "{text}");
    let failing = db
        .steps(&["changes", "failing", "shop", "--json"])
        .well()
        .one();
    assert_eq!(failing["execution"], "late");
    assert_eq!(failing["why"], "the shop is closed");
    let text = db.steps(&["changes", "failing", "shop"]).well().out;
    assert!(
        text.contains("late") && text.contains("the shop is closed"),
        "{text}"
    );

    let none = "nobody is told of changes by the name `bank`";
    db.steps(&["changes", "failing", "bank"]).refused(3, none);
    db.steps(&["changes", "forget", "bank", "--yes"])
        .refused(3, none);
    db.steps(&["changes", "forget", "shop"]).refused(2, "--yes");
    assert_eq!(listed()["waiting"], 1);
    let forget = ["changes", "forget", "shop", "--yes", "--json"];
    assert_eq!(db.steps(&forget).well().one()["changed"], true);
    assert!(before.subscriptions().await.unwrap().is_empty());
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
    before.shutdown(Duration::from_secs(5)).await.unwrap();
}
