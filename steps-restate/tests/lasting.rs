//! Executions that last: over many invocations, over a change of the program, and with steps and values of a size.

mod common;

use common::{
    server::until,
    setting::{Setting, failed},
};
use steps::Status;
use steps_restate::ClientError;
use steps_restate_tests::{before, cut_off, items, large, lengthy, parted};

/// The keys of the invocations of an execution.
fn parts(setting: &Setting, flow: &str) -> Vec<String> {
    let query = format!(
        "SELECT target_service_key AS key FROM sys_invocation WHERE target_service_name = '{flow}' \
         AND target_handler_name = 'run' ORDER BY length(target_service_key), target_service_key"
    );
    let rows = setting.server.sql(&query);
    rows.iter()
        .map(|row| row["key"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_of_5000_items_goes_on_in_other_invocations() {
    let mut setting = Setting::new();
    let run = setting.start(items::input(5000), "many").await;
    setting.until_log("item 1500", 1);
    setting.restart_service();
    setting.until_log("item 3200", 1);
    setting.restart_server();
    assert_eq!(run.outcome().await.unwrap(), 4999);
    let parts = parts(&setting, "items");
    assert_eq!(parts[..4], ["many", "many~2", "many~3", "many~4"]);
    let state = run.state().await.unwrap().unwrap();
    assert_eq!(state.state().states[0].states.len(), 5000);
    // Only what ran when something was killed ran again.
    let repeated: Vec<_> = (0..50)
        .filter(|n| setting.world.count(&format!("item {}", n * 100)) != 1)
        .collect();
    assert!(repeated.len() <= 2, "{repeated:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_and_kills_reach_an_execution_in_its_later_parts() {
    let mut setting = Setting::new();
    let run = setting.start(parted::input(false), "p").await;
    // To the first part, as its steps go on in others.
    run.signal(parted::STEPS.more, &"early".to_owned())
        .await
        .unwrap();
    setting.world.hold("first 11");
    setting.until_log("begin first 11", 1);
    setting.restart_service();
    setting.until_log("begin first 11", 2);
    assert!(parts(&setting, "parted").len() > 1);
    setting.world.let_go("first 11");
    until("a later part waits for the signal", || {
        let query = "SELECT id FROM sys_invocation WHERE target_handler_name = 'signalled' \
                     AND status IN ('running', 'suspended')";
        !setting.server.sql(query).is_empty()
    });
    setting.restart_server();
    assert_eq!(setting.world.count("begin second 0"), 0);
    run.signal(parted::STEPS.word, &"late".to_owned())
        .await
        .unwrap();
    assert_eq!(run.outcome().await.unwrap(), "late early 12");
    for n in 0..12 {
        let begun = setting.world.count(&format!("begin first {n}"));
        assert_eq!(begun, if n == 11 { 2 } else { 1 }, "{n}");
        assert_eq!(setting.world.count(&format!("begin second {n}")), 1, "{n}");
    }
    assert_eq!(
        run.state().await.unwrap().unwrap().state().status,
        Status::Done
    );
    // No invocation is left behind.
    setting.until_all_has_ended();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_execution_is_undone_in_a_later_part() {
    let mut setting = Setting::new();
    setting.world.hold("first 9");
    let run = setting.start(parted::input(false), "p").await;
    setting.until_log("begin first 9", 1);
    assert!(parts(&setting, "parted").len() > 1);
    run.undo().await.unwrap();
    setting.restart_service();
    setting.until_log("begin first 9", 2);
    until("the part knows of it", || {
        let query = "SELECT id FROM sys_invocation WHERE target_handler_name = 'undo' \
                     AND target_service_key LIKE 'p~%' AND status = 'completed'";
        !setting.server.sql(query).is_empty()
    });
    setting.world.let_go("first 9");
    let failure = failed(run.outcome().await);
    assert_eq!(failure.status(), Status::Undone);
    // The record that the ninth is done says that the tenth begins: that was made before the request was known.
    let lines = setting.world.lines();
    let undone = lines.iter().filter_map(|line| line.strip_prefix("undone "));
    let wanted: Vec<_> = (0..=10).rev().map(|n| format!("first {n}")).collect();
    assert!(undone.eq(wanted.iter().map(String::as_str)), "{lines:?}");
    assert_eq!(setting.world.count("begin first 11"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_does_not_fit_fails_no_execution() {
    let mut setting = Setting::new();
    let run = setting.start(before::changed::input(), "c").await;
    setting.until_entry("c", "Command: GetPromise");
    setting.kill_service();
    std::fs::write(setting.world.0.join("changed"), "").unwrap();
    setting.serve();
    run.signal(before::changed::STEPS.word, &"now".to_owned())
        .await
        .unwrap();
    let query = "SELECT last_failure FROM sys_invocation WHERE target_service_key = 'c' \
                 AND target_handler_name = 'run' AND status = 'backing-off'";
    let mut why = String::new();
    until("it is refused", || {
        let rows = setting.server.sql(query);
        let said = rows.first().and_then(|row| row["last_failure"].as_str());
        why = said.unwrap_or_default().to_owned();
        why.contains("can't go on with this program")
    });
    assert!(
        why.contains("execution `c` of `changed`") && why.contains("`a`"),
        "{why}"
    );
    assert_eq!(setting.world.count("begin new b"), 0);
    // As it was.
    setting.kill_service();
    std::fs::remove_file(setting.world.0.join("changed")).unwrap();
    setting.serve();
    assert_eq!(run.outcome().await.unwrap(), "old a done, now, old b done");
    assert_eq!(setting.world.count("begin old a"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_step_is_not_cut_off_unless_it_may_be() {
    let setting = Setting::new();
    let run = setting
        .client
        .start(lengthy::input("long".into()))
        .await
        .unwrap();
    let other = setting
        .client
        .start(cut_off::input("cut".into()))
        .await
        .unwrap();
    assert_eq!(run.outcome().await.unwrap(), "long");
    assert_eq!(setting.world.count("begin long"), 1);
    // The same server would have.
    assert_eq!(other.outcome().await.unwrap(), "cut");
    assert_eq!(setting.world.count("begin cut"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_more_than_a_message_is_several_entries() {
    const SIZE: usize = 4 << 20;
    let mut setting = Setting::new();
    setting.world.hold("then");
    let run = setting.start(large::input(SIZE), "l").await;
    setting.until_log("begin then", 1);
    setting.restart_service();
    setting.until_log("begin then", 2);
    setting.restart_server();
    setting.world.let_go("then");
    assert_eq!(run.outcome().await.unwrap(), 3 * SIZE);
    for name in ["x", "y", "z"] {
        assert_eq!(setting.world.count(&format!("begin {name}")), 1, "{name}");
    }
    // Larger than may be shown.
    let shown = run.state().await;
    assert!(
        matches!(shown, Err(ClientError::Refused { status: 413, .. })),
        "{shown:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tree_up_to_the_bound_goes_on_and_a_larger_one_is_refused() {
    // In JSON it has two bytes more, and the most that one value may have is 8 MiB.
    const MOST: usize = (8 << 20) - 2;
    let setting = Setting::new();
    let below = setting.start(large::input(MOST - 10_000), "below").await;
    assert_eq!(below.outcome().await.unwrap(), 3 * (MOST - 10_000));
    assert_eq!(setting.world.count("begin then"), 1);
    // Three of 8 MiB and the input are more than 24 MiB.
    let above = setting.start(large::input(MOST), "above").await;
    let refused = above.outcome().await;
    let Err(ClientError::Refused {
        status: 500, why, ..
    }) = refused
    else {
        panic!("it is refused: {refused:?}");
    };
    for part in [
        "flow `large` failed at `all.",
        "the tree of execution `above` would have",
        "and the limit is 25165824; the largest is `all.",
    ] {
        assert!(why.contains(part), "{why}");
    }
    assert_eq!(setting.world.count("begin then"), 1);
}
