//! `export`, `import` and `check`.

use std::time::Duration;

use rusqlite::Connection;
use steps::{Status, prelude::*};

use crate::support::{Db, order, run};

#[step]
async fn look() -> Result<u32, String> {
    Ok(1)
}

/// Waits for a child.
#[flow]
async fn parent() -> Result<u32, String> {
    steps! {
        child = start order(9).id("child");
        cents = join child;
        look();
    }
    Ok(cents)
}

/// Returns when an execution waits, and fails if it never will.
async fn waits(engine: &Engine, id: &str) {
    loop {
        match engine.get(id).await {
            Ok(run) => match run.status().await.unwrap() {
                Status::Waiting => return,
                status => assert!(!status.is_final(), "{id} is {status}"),
            },
            Err(EngineError::Unknown { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The lines of all executions.
fn all(db: &Db) -> Vec<serde_json::Value> {
    let mut lines = db.steps(&["export"]).well().json();
    lines.remove(0);
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_is_imported_as_it_was() {
    let db = Db::with_all().await;
    let engine = Engine::open(&db.url())
        .await
        .unwrap()
        .serve(order::with())
        .serve(parent::with())
        .start()
        .await
        .unwrap();
    engine.start(parent::input()).id("parent").await.unwrap();
    for id in ["child", "parent"] {
        waits(&engine, id).await;
    }
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
    db.steps(&[
        "signal",
        "waiting",
        "approval",
        "true",
        "--reason",
        "it is \"well\"",
    ])
    .well();
    db.steps(&["stop", "later"]).well();
    db.steps(&["recover", "stopped", "--by", "bo"]).well();

    let file = db.path("all.jsonl");
    let told = db.steps(&["export", "-o", &file]).well();
    assert!(told.err.contains("9 executions in"), "{}", told.err);
    db.steps(&["export", "-o", &file]).refused(1, "all.jsonl");

    let other = Db::new();
    other
        .steps(&["import", &file, "--yes"])
        .refused(3, "steps.db");
    other
        .steps(&["import", &file, "--create"])
        .refused(2, "Import 9 executions");
    let done = other
        .steps(&["import", &file, "--yes", "--json"])
        .well()
        .one();
    assert_eq!(
        (&done["imported"], &done["skipped"]),
        (&9.into(), &0.into())
    );
    let (here, there) = (all(&db), all(&other));
    assert_eq!(here.len(), 10);
    for (mut here, mut there) in here.into_iter().zip(there) {
        // What is due since a moment is due since the import.
        for one in [&mut here, &mut there] {
            let one = one.as_object_mut().unwrap();
            one.remove("due");
        }
        assert_eq!(here, there);
    }
    let listed = |db: &Db| {
        let lines = db.steps(&["list", "--json"]).well().json();
        lines
            .into_iter()
            .map(|it| (it["id"].clone(), it["created"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(&db), listed(&other), "in the same order");

    // It goes on there.
    let engine = Engine::open(&other.url()).await.unwrap();
    let engine = engine
        .serve(order::with())
        .serve(parent::with())
        .start()
        .await
        .unwrap();
    let waiting = engine.execution::<order>("waiting").await.unwrap();
    assert_eq!(
        waiting.outcome().await.unwrap(),
        6,
        "the signal came with it"
    );
    let child = engine.execution::<order>("child").await.unwrap();
    waits(&engine, "child").await;
    child.signal(order::STEPS.approval, &true).await.unwrap();
    let parent = engine.execution::<parent>("parent").await.unwrap();
    assert_eq!(parent.outcome().await.unwrap(), 9);
    let later = engine.get("later").await.unwrap();
    assert_eq!(later.ended().await.unwrap().status, Status::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_imported_of_what_is_wrong_or_there() {
    let db = Db::with_all().await;
    let text = db.steps(&["export", "flow={order parcel}"]).well().out;
    let other = Db::new();
    other.serve().await.shutdown(Duration::ZERO).await.unwrap();
    let url = other.url();
    let import = |text: &str, more: &[&str]| {
        run(
            &[&["--db", &url, "import", "-", "--yes"], more].concat(),
            text,
            &[],
        )
    };
    let lines: Vec<&str> = text.lines().collect();
    let cut = lines[..lines.len() - 1].join("\n");
    import(&cut, &[]).refused(2, "the file is cut off");
    import("", &[]).refused(2, "line 1: this is no file of `steps export`");
    import(&text.replacen(":1,", ":2,", 1), &[]).refused(2, "version 2 of the form");
    let fewer = [&lines[..3], &lines[4..]].concat().join("\n");
    import(&fewer, &[]).refused(2, "it had 6 executions, and has 5");
    import(&text.replacen("\"input\"", "\"inptu\"", 1), &[]).refused(2, "unknown field `inptu`");
    import(&text.replace("\"kind\":\"flow\"", "\"kind\":\"fish\""), &[])
        .refused(2, "line 2: its tree");
    assert_eq!(other.steps(&["count"]).well().out, "0\n");
    other
        .steps(&["import", "nowhere.jsonl", "--yes"])
        .refused(3, "nowhere.jsonl");

    let one = db.steps(&["export", "id=held"]).well().out;
    import(&one, &[]).well();
    import(&text, &[]).refused(
        4,
        "there is an execution `held` already: nothing was imported",
    );
    assert_eq!(other.steps(&["count"]).well().out, "1\n");
    let done = import(&text, &["--skip-existing", "--json"]).well().one();
    assert_eq!(
        (&done["imported"], &done["skipped"]),
        (&5.into(), &1.into())
    );
    assert_eq!(other.steps(&["count"]).well().out, "6\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_tells_what_is_damaged_and_what_dangles() {
    let db = Db::with_all().await;
    let sound = db.steps(&["check"]).well().out;
    assert!(sound.contains("7 executions were read"), "{sound}");
    assert!(
        sound.contains("1 execution with a rollback that is stuck"),
        "{sound}"
    );
    assert!(sound.contains("nothing is damaged"), "{sound}");

    let conn = Connection::open(db.path("steps.db")).unwrap();
    let change = |sql: &str| conn.execute_batch(sql).unwrap();
    change("UPDATE executions SET due_at = NULL WHERE id = 'later'");
    db.steps(&["check"]).refused(
        5,
        "dangling: execution `later`: it is pending, and due at no time",
    );
    change("UPDATE executions SET input = '{' WHERE id = 'held'");
    let found = db.steps(&["check", "--json"]).refused(5, "").one();
    assert_eq!(found["damaged"][0]["execution"], "held");
    db.steps(&["show", "held"]).refused(1, "held");
}
