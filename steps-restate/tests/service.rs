//! Flows on a real server that is left alone.

mod common;

use common::setting::Setting;
use steps::Status;
use steps_restate_tests::ten;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_runs_with_an_entry_for_each_batch() {
    let setting = Setting::new();
    let run = setting
        .client
        .start(ten::input(1))
        .id("one/of ten")
        .await
        .unwrap();
    assert!(!run.existed());
    assert_eq!(run.outcome().await.unwrap(), 11);
    // Once more, and by another handle.
    let again = setting
        .client
        .start(ten::input(1))
        .id("one/of ten")
        .await
        .unwrap();
    assert!(again.existed());
    assert_eq!(again.outcome().await.unwrap(), 11);
    let state = run.state().await.unwrap().unwrap();
    assert_eq!(state.state().status, Status::Done);
    assert_eq!(state.j.output().unwrap(), Some(11));
    let names = "SELECT name FROM sys_journal j JOIN sys_invocation i ON i.id = j.id \
                 WHERE i.target_service_key = 'one/of ten' AND j.entry_type = 'Command: Run' ORDER BY index";
    let rows = setting.server.sql(names);
    let names: Vec<_> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.join(" "), "ten a b c d e f g h i j");
}
