//! `log`.

use std::time::Duration;

use steps::prelude::*;

use crate::support::{Db, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_written_for_people_and_for_programs() {
    let db = Db::with_all().await;
    let text = db.steps(&["log", "sent"]).well();
    let lines: Vec<&str> = text.out.lines().collect();
    assert_eq!(lines.len(), 2, "{}", text.out);
    assert!(
        lines[0].ends_with(" info  ship #1: weighs the book"),
        "{}",
        text.out
    );
    assert!(
        lines[1].ends_with(" warn  ship #1: the van is late"),
        "{}",
        text.out
    );
    assert_eq!(text.err, "");

    let all = db.steps(&["log", "held", "--json"]).well().json();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0]["message"], "weighs the anvil");
    assert_eq!(
        (&all[1]["level"], &all[1]["step"]),
        (&"warn".into(), &"ship".into())
    );
    assert_eq!(
        (&all[1]["attempt"], &all[1]["undo"]),
        (&1.into(), &false.into())
    );
    let tail = db
        .steps(&["log", "held", "ship", "-n", "1", "--json"])
        .well();
    assert_eq!(tail.one(), all[1]);
    assert_eq!(db.steps(&["log", "held", "--tail", "0"]).well().out, "");

    let none = db.steps(&["log", "held", "packed"]).well();
    assert_eq!((&*none.out, &*none.err), ("", "nothing is logged\n"));
    db.steps(&["log", "held", "no.such"])
        .refused(3, "there is no step `no.such`");
    db.steps(&["log", "nobody"])
        .refused(3, "there is no execution `nobody`");
    db.steps(&["log", "held", "--tail", "few"])
        .refused(2, "few");
    db.steps(&["log", "held", "--every", "1s"])
        .refused(2, "--follow");
    db.steps(&["log", "../held"])
        .refused(3, "there is no execution `../held`");
}

#[step]
async fn knock(cx: &Cx) -> Result<(), String> {
    for n in 1..=3 {
        cx.log(format_args!("knock {n}"));
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    Ok(())
}

#[flow]
async fn visit() -> Result<(), String> {
    steps! {
        knocked = knock(cx);
    }
    let _: () = knocked;
    Ok(())
}

/// It goes on while the step runs, and ends with the execution.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_followed_to_the_end() {
    let db = Db::new();
    let builder = Engine::open(&db.url()).await.unwrap().serve(visit::with());
    let engine = builder.start().await.unwrap();
    engine.start(visit::input()).id("v").await.unwrap();
    let url = db.url();
    let followed = tokio::task::spawn_blocking(move || {
        let args = [
            "--db", &url, "log", "v", "--follow", "--every", "50ms", "--json",
        ];
        run(&args, "", &[]).well().json()
    });
    let lines = followed.await.unwrap();
    let told: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["message"].as_str())
        .collect();
    assert_eq!(told, ["knock 1", "knock 2", "knock 3"]);
    assert_eq!(db.status("v"), "done");
    engine.shutdown(Duration::ZERO).await.unwrap();
}
