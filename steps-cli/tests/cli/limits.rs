//! `pause`, `resume`, `limits`.

use std::time::Duration;

use steps::engine::FlowLimits;

use crate::support::{Db, order, parcel};

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_is_paused_and_resumed_from_outside() {
    let db = Db::new();
    let engine = db.serve().await;
    let none = db.steps(&["limits"]).well();
    assert_eq!(
        (&*none.out, &*none.err),
        ("", "no flow is paused or limited\n")
    );

    let why = ["--reason", "the scale is broken"];
    let told = db
        .steps(&[&["pause", "parcel"], &why[..]].concat())
        .well()
        .out;
    assert!(told.starts_with("parcel is paused"), "{told}");
    let run = engine.start(parcel::input("book".into())).id("book").await;
    let run = run.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(db.status("book"), "pending");
    let again = db.steps(&["pause", "parcel", "--json"]).well().one();
    assert_eq!(
        (&again["changed"], &again["paused"]),
        (&false.into(), &true.into())
    );
    assert_eq!(again["paused_by"]["by"], "ann");
    assert_eq!(again["paused_by"]["reason"], "the scale is broken");
    let listed = db.steps(&["limits"]).well().out;
    assert!(listed.contains("by ann: the scale is broken"), "{listed}");

    let by = ["--by", "bob", "--json"];
    let told = db
        .steps(&[&["resume", "parcel"], &by[..]].concat())
        .well()
        .one();
    assert_eq!(
        (&told["changed"], &told["paused"]),
        (&true.into(), &false.into())
    );
    run.outcome().await.unwrap();
    let acts = db.steps(&["limits", "--json"]).well().one()["acts"].clone();
    let acts = acts.as_array().unwrap();
    let acts: Vec<_> = acts.iter().map(|it| (&it["act"], &it["by"])).collect();
    assert_eq!(
        acts,
        [
            (&"pause".into(), &"ann".into()),
            (&"resume".into(), &"bob".into())
        ]
    );
    db.steps(&["pause"]).refused(2, "<FLOW>");
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_set_and_ended_from_outside() {
    let db = Db::new();
    let engine = db.serve().await;
    let set = [
        "limits",
        "order",
        "--at-once",
        "2",
        "--per",
        "zone=1",
        "--rate",
        "100/1s",
    ];
    let told = db.steps(&set).well().out;
    assert_eq!(
        told,
        "order is limited to 2 at once, 1 of a `zone`, 100 in 1s\n"
    );
    let mut runs = Vec::new();
    for (n, zone) in ["eu", "eu", "us", "as"].into_iter().enumerate() {
        let id = format!("{zone}{n}");
        let start = engine.start(order::input(1)).id(id).label("zone", zone);
        runs.push(start.await.unwrap());
    }
    let began = |id: &str| db.status(id) != "pending";
    while !(began("eu0") && began("us2")) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!([began("eu1"), began("as3")], [false; 2]);

    let one = db.steps(&["limits", "order", "--json"]).well().one();
    assert_eq!(one["at_once"], 2);
    assert_eq!(
        one["per"],
        serde_json::json!({"label": "zone", "at_once": 1})
    );
    let rate = serde_json::json!({"starts": 100, "seconds": 1.0, "burst": 1});
    assert_eq!((&one["rate"], &one["at_run_time"]), (&rate, &true.into()));
    let listed = db.steps(&["limits"]).well().out;
    assert!(listed.contains("an operator"), "{listed}");

    let told = db
        .steps(&["limits", "order", "--none", "--json"])
        .well()
        .one();
    assert_eq!(
        (&told["changed"], &told["at_once"]),
        (&true.into(), &().into())
    );
    for run in &runs {
        run.signal(order::STEPS.approval, &true).await.unwrap();
        run.outcome().await.unwrap();
    }
    let limits = engine.flow("order").info().await.unwrap().limits;
    assert_eq!(limits, FlowLimits::new());
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
}

#[test]
fn limits_that_are_none_are_refused() {
    let db = Db::new();
    for (args, told) in [
        (&["--at-once", "2"][..], "<FLOW>"),
        (&["order", "--at-once", "0"], "0 is not in"),
        (&["order", "--at-once", "x"], "invalid"),
        (&["order", "--per", "zone"], "LABEL=N"),
        (&["order", "--per", "zone=0"], "LABEL=N"),
        (&["order", "--per", "=1"], "LABEL=N"),
        (&["order", "--rate", "5"], "N/TIME"),
        (&["order", "--rate", "5/0s"], "N/TIME"),
        (&["order", "--rate", "0/1s"], "N/TIME"),
        (&["order", "--burst", "2"], "--rate"),
        (
            &["order", "--none", "--at-once", "1"],
            "cannot be used with",
        ),
    ] {
        db.steps(&[&["limits"], args].concat()).refused(2, told);
    }
}
