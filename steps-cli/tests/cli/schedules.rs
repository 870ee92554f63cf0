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

#[tokio::test(flavor = "multi_thread")]
async fn the_next_ticks_are_told_before_they_come() {
    let db = Db::new();
    let engine = db.serve().await;
    let nightly = engine.schedule("nightly", order::input(1));
    nightly.cron("0 30 2 * * *", "UTC").await.unwrap();
    let once = engine.schedule("once", order::input(1));
    once.at("2100-01-01T00:00:00Z".parse().unwrap())
        .await
        .unwrap();
    engine.shutdown(Duration::from_secs(5)).await.unwrap();

    let listed = db.steps(&["schedules"]).well().out;
    assert!(listed.contains("30 2 * * *"), "{listed}");
    let next = |args: &[&str]| {
        let args = [&["schedules", "next"], args].concat();
        db.steps(&args).well()
    };
    let text = next(&["nightly"]).out;
    let days: Vec<&str> = text.lines().collect();
    assert_eq!(days.len(), 5, "{text}");
    assert!(days.iter().all(|day| day.ends_with(" 02:30:00Z")), "{text}");
    assert!(days.is_sorted(), "{text}");
    let told = next(&["nightly", "-n", "2", "--json"]).one();
    assert_eq!(told["next"].as_array().unwrap().len(), 2);
    assert_eq!(told["paused"], false);
    let once = next(&["once", "--count", "9"]).out;
    assert_eq!(once, "2100-01-01 00:00:00Z\n");

    db.steps(&["schedules", "pause", "nightly"]).well();
    let paused = next(&["nightly"]);
    assert_eq!((&*paused.out, &*paused.err), ("", "nightly is paused\n"));
    assert_eq!(next(&["nightly", "--json"]).one()["paused"], true);
    db.steps(&["schedules", "next", "daily"])
        .refused(3, "schedule `daily`");
    db.steps(&["schedules", "next", "nightly", "-n", "0"])
        .refused(2, "0 is not in");
}
