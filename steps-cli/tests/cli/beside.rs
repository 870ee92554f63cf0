//! The program beside a service that runs: here the test is the service.

use std::{
    io::Read,
    process::{Command, Stdio},
};

use steps::Status;

use crate::support::{Db, order};

#[tokio::test(flavor = "multi_thread")]
async fn stop_undo_and_signals_reach_a_service_in_another_process() {
    let db = Db::new();
    let engine = db.serve().await;
    let mut runs = Vec::new();
    for id in ["a", "b", "c"] {
        runs.push(engine.start(order::input(7)).id(id).await.unwrap());
    }
    let stopped = db
        .steps(&["stop", "a", "--wait", "30s", "--json"])
        .well()
        .one();
    assert_eq!(stopped["status"], "stopped");
    assert_eq!(runs[0].ended().await.unwrap().status, Status::Stopped);

    db.steps(&["undo", "b", "--yes"]).well();
    assert_eq!(runs[1].ended().await.unwrap().status, Status::Undone);

    // Until it waits, only its own program knows that it will.
    while runs[2].status().await.unwrap() != Status::Waiting {
        tokio::task::yield_now().await;
    }
    db.steps(&["signal", "c", "approval", "true"]).well();
    assert_eq!(runs[2].outcome().await.unwrap(), 7);
    engine
        .shutdown(std::time::Duration::from_secs(5))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_execution_is_told_until_it_ends() {
    let db = Db::new();
    let engine = db.serve().await;
    for (id, approved, code, end) in [("yes", true, 0, "done"), ("no", false, 5, "undone")] {
        let run = engine.start(order::input(8)).id(id).await.unwrap();
        let url = db.url();
        let watch = |json: &'static [&str]| {
            Command::new(env!("CARGO_BIN_EXE_steps"))
                .args(["--db", &url, "show", id, "--watch", "--every", "5ms"])
                .args(json)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let mut told = [watch(&[]), watch(&["--json"])];
        // Each has looked once.
        let mut texts = [String::new(), String::new()];
        for (child, text) in told.iter_mut().zip(&mut texts) {
            let mut letter = [0];
            child
                .stdout
                .as_mut()
                .unwrap()
                .read_exact(&mut letter)
                .unwrap();
            text.push(char::from(letter[0]));
        }
        run.signal(order::STEPS.approval, &approved).await.unwrap();
        for (child, text) in told.iter_mut().zip(&mut texts) {
            child.stdout.take().unwrap().read_to_string(text).unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(code), "{text}");
        }
        let [text, json] = texts;
        assert!(text.contains(&format!("  {end}  order")), "{text}");
        assert!(text.contains("execution    "), "how it is at last: {text}");
        let last: serde_json::Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
        assert_eq!(last["execution"]["status"], end);
    }
}
