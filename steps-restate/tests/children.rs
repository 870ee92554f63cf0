//! Executions that others start and join, on Restate: each is a workflow of its own, started once, and taken back with
//! its parent.

mod common;

use common::{
    server::{http, until},
    setting::{Setting, failed},
};
use steps::Status;
use steps_restate_tests::family::{grandparent, household, kid, leaving, parent};

/// The keys of the executions of a flow that have begun.
fn executions(setting: &Setting, flow: &str) -> Vec<String> {
    let query = format!(
        "SELECT target_service_key AS key FROM sys_invocation WHERE target_service_name = '{flow}' \
         AND target_handler_name = 'run' AND target_service_key NOT LIKE '%~%' ORDER BY target_service_key"
    );
    let rows = setting.server.sql(&query);
    rows.iter()
        .map(|row| row["key"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn children_run_once_whatever_is_killed() {
    let mut setting = Setting::new();
    for step in ["b", "first two", "second two"] {
        setting.world.hold(step);
    }
    let run = setting.start(parent::input(false, false), "p").await;
    setting.until_log("begin b", 1);
    setting.until_log("begin first two", 1);
    setting.until_log("begin second two", 1);
    setting.restart_service();
    for step in ["b", "first two", "second two"] {
        setting.until_log(&format!("begin {step}"), 2);
    }
    setting.restart_server();
    for step in ["b", "first two", "second two"] {
        setting.until_log(&format!("begin {step}"), 3);
    }
    setting.world.let_go("b");
    // The parent waits for its children, and nobody runs it.
    setting.until_entry("p", "Command: AttachInvocation");
    setting.restart_both();
    setting.until_log("begin first two", 4);
    setting.until_log("begin second two", 4);
    setting.world.let_go("second two");
    setting.until_log("end second two", 1);
    setting.restart_service();
    setting.world.let_go("first two");
    assert_eq!(
        run.outcome().await.unwrap(),
        "first one done, first two done; second one done, second two done"
    );
    let kids = executions(&setting, "kid");
    assert_eq!(kids.len(), 2, "{kids:?}");
    assert!(kids.contains(&"p-first".to_owned()), "{kids:?}");
    for step in ["a", "first one", "second one", "c"] {
        assert_eq!(setting.world.count(&format!("begin {step}")), 1, "{step}");
    }
    // Each is an execution of its own.
    let first = setting.client.execution::<kid>("p-first");
    assert_eq!(
        first.outcome().await.unwrap(),
        "first one done, first two done"
    );
    setting.until_all_has_ended();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_failure_of_a_child_is_that_of_its_parent() {
    let setting = Setting::new();
    let run = setting.start(parent::input(true, false), "p").await;
    let failure = failed(run.outcome().await);
    assert_eq!(
        (failure.status(), failure.step()),
        (Status::Undone, Some("two"))
    );
    let text = failure.to_string();
    assert!(
        text.contains("flow `kid` failed at `end`: the door is stuck"),
        "{text}"
    );
    let kids = executions(&setting, "kid");
    let second = kids.iter().find(|id| *id != "p-first").unwrap();
    assert_eq!(failure.failed()[0].child(), Some(&**second));
    // The one that has failed by itself, the one that was done with its parent, and the first line of that last.
    let undone = setting.undone();
    assert_eq!(undone.last().unwrap(), "a");
    let at = |name: &str| undone.iter().position(|it| it == name).unwrap();
    assert!(at("first two") < at("first one"), "{undone:?}");
    assert!(at("second two") < at("second one"), "{undone:?}");
    assert!(at("b") < at("first two"), "{undone:?}");
    setting.until_all_has_ended();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn children_that_are_done_are_taken_back_whatever_is_killed() {
    let mut setting = Setting::new();
    setting.world.hold("undo of second two");
    setting.world.hold("undo of first one");
    let run = setting.start(parent::input(false, true), "p").await;
    setting.until_log("begin undo of second two", 1);
    setting.restart_service();
    setting.until_log("begin undo of second two", 2);
    setting.restart_server();
    setting.until_log("begin undo of second two", 3);
    assert_eq!(setting.world.count("begin undo of first two"), 0);
    setting.world.let_go("undo of second two");
    setting.until_log("begin undo of first one", 1);
    setting.restart_both();
    setting.until_log("begin undo of first one", 2);
    assert_eq!(setting.world.count("begin undo of a"), 0);
    setting.world.let_go("undo of first one");
    assert_eq!(failed(run.outcome().await).status(), Status::Undone);
    let wanted = [
        "c",
        "b",
        "second two",
        "second one",
        "first two",
        "first one",
        "a",
    ];
    assert_eq!(setting.undone(), wanted);
    // Its outcome stays; its tree says what became of it.
    let first = setting.client.execution::<kid>("p-first");
    assert_eq!(
        first.outcome().await.unwrap(),
        "first one done, first two done"
    );
    let state = first.state().await.unwrap().unwrap();
    assert_eq!(state.state().status, Status::Undone);
    setting.until_all_has_ended();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn children_that_run_are_undone_with_their_parent() {
    let mut setting = Setting::new();
    for step in ["first two", "second two"] {
        setting.world.hold(step);
    }
    let run = setting.start(parent::input(false, false), "p").await;
    setting.until_log("begin first two", 1);
    setting.until_log("begin second two", 1);
    setting.until_log("end b", 1);
    run.undo().await.unwrap();
    setting.until_log("undone b", 1);
    setting.restart_both();
    setting.until_log("begin second two", 2);
    // What runs ends first.
    setting.world.let_go("second two");
    setting.until_log("undone second one", 1);
    assert_eq!(setting.world.count("undone a"), 0);
    until("the first is asked", || {
        let asked = "SELECT j.index FROM sys_journal j JOIN sys_invocation i ON i.id = j.id \
                     WHERE i.target_service_key = 'p-first' AND i.target_handler_name = 'take_back' \
                     AND j.entry_type = 'Command: AttachInvocation'";
        !setting.server.sql(asked).is_empty()
    });
    setting.world.let_go("first two");
    assert_eq!(failed(run.outcome().await).status(), Status::Undone);
    assert_eq!(setting.undone().last().unwrap(), "a");
    let first = setting.client.execution::<kid>("p-first");
    assert_eq!(failed(first.outcome().await).status(), Status::Undone);
    setting.until_all_has_ended();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grandchildren_are_taken_back_after_all_is_done() {
    let mut setting = Setting::new();
    setting.world.hold("undo of first two");
    let run = setting.start(grandparent::input(true), "g").await;
    setting.until_log("begin undo of first two", 1);
    setting.restart_both();
    setting.until_log("begin undo of first two", 2);
    setting.world.let_go("undo of first two");
    let failure = failed(run.outcome().await);
    assert_eq!(
        (failure.status(), failure.step()),
        (Status::Undone, Some("end"))
    );
    let wanted = [
        "c",
        "b",
        "second two",
        "second one",
        "first two",
        "first one",
        "a",
    ];
    assert_eq!(setting.undone(), wanted);
    setting.until_all_has_ended();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_of_somebody_elses_is_no_child() {
    let setting = Setting::new();
    let other = setting
        .start(kid::input("other".to_owned(), false), "p-first")
        .await;
    assert_eq!(
        other.outcome().await.unwrap(),
        "other one done, other two done"
    );
    let run = setting.start(parent::input(false, false), "p").await;
    let failure = failed(run.outcome().await);
    let text = failure.to_string();
    assert!(
        text.contains("`p-first` is the id of an execution of `kid` that `p` has not started"),
        "{text}"
    );
    assert_eq!(failure.step(), Some("one"));
    let undone = setting.undone();
    assert!(
        undone.iter().all(|name| !name.starts_with("other")),
        "{undone:?}"
    );
    assert_eq!(undone.last().unwrap(), "a");
    setting.until_all_has_ended();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn children_are_joined_and_taken_back_in_later_parts() {
    const COUNT: u32 = 7;
    let mut setting = Setting::new();
    let run = setting.start(household::input(COUNT, false), "h").await;
    setting.until_log("begin started 3", 1);
    setting.restart_service();
    assert_eq!(run.outcome().await.unwrap(), COUNT as usize);
    setting.world.hold("undo of k3 two");
    let run = setting.start(household::input(COUNT, true), "i").await;
    setting.until_log("begin undo of k3 two", 1);
    setting.restart_both();
    setting.until_log("begin undo of k3 two", 2);
    setting.world.let_go("undo of k3 two");
    assert_eq!(failed(run.outcome().await).status(), Status::Undone);
    assert_eq!(executions(&setting, "kid").len(), 2 * COUNT as usize);
    for n in 0..COUNT {
        for step in ["one", "two"] {
            let line = format!("undone k{n} {step}");
            assert_eq!(setting.world.count(&line), 1, "{line}");
        }
    }
    setting.until_all_has_ended();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_stays_that_is_detached_or_past_its_pivot_and_one_that_has_not_begun_never_does() {
    let setting = Setting::new();
    let run = setting.start(leaving::input(), "l").await;
    let failure = failed(run.outcome().await);
    assert_eq!(
        (failure.status(), failure.step()),
        (Status::Undone, Some("end")),
        "{failure}"
    );
    until("the detached one is done", || {
        setting.world.count("end free two") == 1
    });
    assert_eq!(setting.undone(), [""; 0]);
    assert_eq!(setting.world.count("begin later one"), 0);
    setting.until_all_has_ended();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_was_forgotten_can_not_be_taken_back() {
    let setting = Setting::new();
    setting.world.hold("c");
    let run = setting.start(parent::input(false, true), "p").await;
    setting.until_log("begin c", 1);
    let first = setting.server.sql(
        "SELECT id FROM sys_invocation WHERE target_service_key = 'p-first' AND target_handler_name = 'run'",
    );
    let path = format!("/invocations/{}/purge", first[0]["id"].as_str().unwrap());
    let (status, body) = http(setting.server.admin, "PATCH", &path, "").unwrap();
    assert_eq!(status, 200, "{body}");
    setting.world.let_go("c");
    let failure = failed(run.outcome().await);
    assert_eq!(failure.status(), Status::Stuck);
    let text = failure.to_string();
    assert!(
        text.contains(
            "the child `p-first` could not be undone: it is gone: take back by hand what it did"
        ),
        "{text}"
    );
    assert_eq!(setting.undone(), ["c", "b", "second two", "second one"]);
    setting.until_all_has_ended();
}
