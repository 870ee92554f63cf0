//! `sweep`.

use std::time::Duration;

use crate::support::{Db, parcel, run};

/// The ids that are left, in the order of their names.
fn left(db: &Db) -> Vec<String> {
    let listed = db.steps(&["list", "--json", "--sort", "id"]).well().json();
    let ids = listed
        .iter()
        .map(|it| it["id"].as_str().unwrap().to_owned());
    ids.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_kept_is_swept() {
    let db = Db::with_all().await;
    let deleted = |args: &[&str]| {
        let args = [&["sweep", "--yes", "--json"], args].concat();
        let swept = db.steps(&args).well().one();
        assert_eq!(
            (&swept["act"], &swept["ok"]),
            (&"sweep".into(), &true.into())
        );
        let rule = swept["rule"].as_str().unwrap().to_owned();
        (swept["deleted"].as_u64().unwrap(), rule)
    };
    assert_eq!(
        deleted(&["--for", "30d"]),
        (0, "all: for 30 d 0 h".to_owned())
    );
    assert_eq!(
        deleted(&["--flow", "parcel", "--newest", "1"]),
        (1, "flow=parcel: the newest 1".to_owned()),
    );
    assert_eq!(
        left(&db),
        ["held", "later", "stopped", "stuck", "undone", "waiting"]
    );
    // A filter as text, a label and a status go together; what waits and what is stuck stays.
    assert_eq!(
        deleted(&["flow=parcel", "--label", "zone=eu", "--newest", "0"]).0,
        0
    );
    assert_eq!(
        deleted(&["--status", "undone", "--status", "done", "--for", "0s"]).0,
        1
    );
    assert_eq!(deleted(&["--newest", "0"]).0, 2);
    assert_eq!(left(&db), ["later", "stuck", "waiting"]);
    assert_eq!(deleted(&["--status", "stuck", "--newest", "0"]).0, 1);

    let text = db.steps(&["sweep", "--newest", "0", "-y"]).well().out;
    assert_eq!(text, "0 executions deleted; kept of all: the newest 0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_how_many_would_go() {
    let db = Db::with_all().await;
    let all = left(&db);
    let dry = ["sweep", "--flow", "order", "--newest", "1", "--dry-run"];
    let told = db.steps(&dry).well().out;
    assert!(told.starts_with("2 executions would be deleted"), "{told}");
    let told = db.steps(&[&dry[..], &["--json"]].concat()).well().one();
    assert_eq!(told["would_delete"], 2);
    assert_eq!(left(&db), all);

    // Where it can't be asked, the question says how many as well.
    let asked = db.steps(&["sweep", "--flow", "order", "--newest", "1"]);
    let asked = asked.refused(2, "Delete 2 executions");
    assert!(asked.err.contains("--yes"), "{}", asked.err);
    assert_eq!(left(&db), all);
    db.steps(&["sweep", "--flow", "none", "--newest", "1"])
        .well();
}

#[test]
fn a_rule_that_means_nothing_is_refused() {
    let sweep = |args: &[&str]| {
        run(
            &[&["sweep", "--db", "memory:", "--yes"], args].concat(),
            "",
            &[],
        )
    };
    sweep(&[]).refused(2, "--newest <N>");
    sweep(&["flow=scan"]).refused(2, "--for <TIME>");
    sweep(&["--for", "1d", "--per", "zone"]).refused(2, "--newest <N>");
    sweep(&["--for", "soon"]).refused(2, "`soon` is no duration");
    sweep(&["--newest", "few"]).refused(2, "few");
    sweep(&["--newest", "1", "--label", "zone"]).refused(2, "NAME=VALUE");
    sweep(&["--newest", "1", "--status", "waiting"]).refused(2, "possible values: done");
    sweep(&["--newest", "1", "limit=3"]).refused(2, "limit");
    sweep(&["--newest", "1", "stauts=done"]).refused(2, "there is no key `stauts`");
    sweep(&["--newest", "1", "--label", "a=b", "--label", "a=c"]).refused(2, "can't be both");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_another_makes_is_waited_for() {
    let db = Db::with_all().await;
    // As one that is just at it.
    let conn = rusqlite::Connection::open(db.path("steps.db")).unwrap();
    db.steps(&["sweep", "--newest", "9", "--yes"]).well();
    conn.execute(
        "UPDATE duties SET value = '\"another\"', due_at = due_at + 30000000000 WHERE name = 'retention'",
        [],
    )
    .unwrap();
    db.steps(&["sweep", "--newest", "0", "--yes"])
        .refused(4, "`another` sweeps just now");
    assert_eq!(left(&db).len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_goes_on_beside_a_sweep() {
    let db = Db::new();
    let engine = db.serve().await;
    for id in ["a", "b"] {
        let started = engine.start(parcel::input("book".into())).id(id);
        started.await.unwrap().outcome().await.unwrap();
    }
    db.steps(&["sweep", "--flow", "parcel", "--newest", "1", "--yes"])
        .well();
    assert_eq!(left(&db), ["b"]);
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
}
