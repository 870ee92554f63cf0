//! `schedules`.

use std::time::Duration;

use crate::support::{Db, order};

#[tokio::test(flavor = "multi_thread")]
async fn schedules_are_listed_paused_resumed_and_removed() {
    let db = Db::new();
    let engine = db.serve().await;
    db.steps(&["schedules"]).well();
    let hourly = engine.schedule("hourly", order::input(1));
    hourly.every("6h").await.unwrap();
    let listed = || db.steps(&["schedules", "--json"]).well().one();
    assert_eq!(listed()["name"], "hourly");
    assert_eq!(listed()["flow"], "order");
    assert!(listed()["next"].is_string());
    let text = db.steps(&["schedules"]).well().out;
    assert!(text.contains("hourly") && text.contains("order"), "{text}");

    db.steps(&["schedules", "pause", "hourly"]).well();
    assert_eq!(listed()["paused"], true);
    let again = db.steps(&["schedules", "pause", "hourly", "--json"]).well();
    assert_eq!(again.one()["changed"], false);
    db.steps(&["schedules", "resume", "hourly"]).well();
    assert_eq!(listed()["paused"], false);
    db.steps(&["schedules", "pause", "daily"])
        .refused(3, "schedule `daily`");
    db.steps(&["schedules", "remove", "hourly"])
        .refused(2, "--yes");
    db.steps(&["schedules", "remove", "hourly", "--yes"]).well();
    assert_eq!(engine.schedules().await.unwrap(), []);
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
}
