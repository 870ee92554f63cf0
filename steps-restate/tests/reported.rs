//! Steps that somebody else runs, on Restate: reports come in any order, as often as may be, and while the service or the
//! server is killed.

mod common;

use common::{
    server::until,
    setting::{Setting, failed},
};
use steps::{Gone, Reported, Status, TaskId, TaskReport};
use steps_restate::ClientError;
use steps_restate_tests::outside::{publish, scans};

fn done(revision: u64, flaws: u32) -> TaskReport {
    TaskReport::done(revision, &flaws).expect("it can be saved")
}

/// The task that was submitted last under this name.
fn task(setting: &Setting, name: &str) -> TaskId {
    let mut found = None;
    until(&format!("a task `{name}`"), || {
        found = setting.world.task(name);
        found.is_some()
    });
    found.expect("it was found")
}

async fn report(setting: &Setting, task: &TaskId, report: TaskReport) -> Reported {
    let answer = setting.client.report::<publish>(task, report).await;
    answer.expect("it is no wrong report")
}

/// Waits until the step has taken what was reported on its task.
async fn until_reported(setting: &Setting, id: &str, path: &str, revision: u64) {
    let run = setting.client.execution::<publish>(id);
    loop {
        if let Ok(Some(state)) = run.state().await
            && let Some(node) = state.state().get(path)
            && let Some(task) = &node.task
            && task.revision == revision
        {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_end_steps_whatever_is_killed_and_in_whatever_order_they_come() {
    let mut setting = Setting::new();
    setting.world.hold("scan left");
    let run = setting.start(publish::input(false), "p").await;
    let (left, right) = (task(&setting, "left"), task(&setting, "right"));
    assert_eq!(left.execution(), "p");
    // While the step still runs that submits the task, and so before that is recorded.
    assert_eq!(report(&setting, &left, done(1, 3)).await, Reported::Taken);
    assert_eq!(report(&setting, &left, done(1, 3)).await, Reported::Stale);
    assert_eq!(
        report(&setting, &left, TaskReport::running(1)).await,
        Reported::Stale
    );
    setting.restart_service();
    // With the same id.
    setting.until_log("begin scan left", 2);
    assert_eq!(task(&setting, "left"), left);
    setting.restart_server();
    setting.until_log("begin scan left", 3);
    setting.world.let_go("scan left");
    // The other one is begun three times there, and reports come late and twice.
    for (revision, answer) in [
        (3, Reported::Taken),
        (2, Reported::Stale),
        (3, Reported::Stale),
        (1, Reported::Stale),
    ] {
        let running = TaskReport::running(revision);
        assert_eq!(report(&setting, &right, running).await, answer);
    }
    assert_eq!(
        report(&setting, &right, done(2, 8)).await,
        Reported::Stale,
        "an end of an older run"
    );
    until_reported(&setting, "p", "both.right", 3).await;
    setting.restart_both();
    let half = TaskReport::running(3).check_in(&"half").unwrap();
    assert_eq!(
        report(&setting, &right, half.clone()).await,
        Reported::Taken
    );
    setting.until_log("right says half", 1);
    assert_eq!(report(&setting, &right, half).await, Reported::Stale);
    let wrong = TaskReport::done(3, &"none").unwrap();
    let wrong = setting.client.report::<publish>(&right, wrong).await;
    assert!(
        matches!(&wrong, Err(ClientError::Report { why, .. }) if why.contains("`both.right`")),
        "{wrong:?}"
    );
    // It fails, and is tried again as another task.
    let failure = TaskReport::failed(3, "no room");
    assert_eq!(report(&setting, &right, failure).await, Reported::Taken);
    until("it is tried again", || task(&setting, "right") != right);
    let again = task(&setting, "right");
    until_gone(&setting, &right).await;
    assert_eq!(report(&setting, &again, done(1, 5)).await, Reported::Taken);
    let last = task(&setting, "last");
    setting.restart_both();
    assert_eq!(report(&setting, &last, done(1, 7)).await, Reported::Taken);
    assert_eq!(run.outcome().await.unwrap(), "a done: 3 5 7");
    assert_eq!(
        report(&setting, &last, done(2, 7)).await,
        Reported::Gone(Gone::Ended)
    );
    assert_eq!(setting.world.count("begin scan last"), 1);
    let unknown: TaskId = left.as_str().replace(".p", ".q").parse().unwrap();
    assert_eq!(
        report(&setting, &unknown, done(1, 1)).await,
        Reported::Gone(Gone::Unknown)
    );
    setting.until_all_has_ended();
}

/// Waits until nobody waits for a task any more.
async fn until_gone(setting: &Setting, task: &TaskId) {
    while !matches!(
        report(setting, task, TaskReport::running(9)).await,
        Reported::Gone(_)
    ) {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_of_an_execution_that_is_cancelled_are_asked_to_stop() {
    let mut setting = Setting::new();
    let run = setting.start(publish::input(false), "p").await;
    let (left, right) = (task(&setting, "left"), task(&setting, "right"));
    setting.until_entry("p", "Command: GetPromise");
    assert_eq!(report(&setting, &left, done(1, 3)).await, Reported::Taken);
    until_reported(&setting, "p", "both.left", 1).await;
    setting.world.hold("undo of a");
    run.undo().await.unwrap();
    setting.until_log("begin undo of a", 1);
    assert_eq!(setting.world.count(&format!("stop right {right}")), 1);
    assert_eq!(setting.world.count(&format!("stop left {left}")), 0);
    assert_eq!(setting.world.count("undone scan left 3"), 1);
    let late = report(&setting, &right, done(1, 1)).await;
    assert!(matches!(late, Reported::Gone(_)), "{late:?}");
    setting.restart_service();
    setting.until_log("begin undo of a", 2);
    setting.world.let_go("undo of a");
    assert_eq!(failed(run.outcome().await).status(), Status::Undone);
    assert_eq!(setting.world.count(&format!("stop right {right}")), 1);
    assert_eq!(setting.world.task("last"), None);
    setting.until_all_has_ended();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_reach_an_execution_in_its_later_parts() {
    const COUNT: u32 = 8;
    let mut setting = Setting::new();
    let run = setting.start(scans::input(COUNT), "s").await;
    for n in 0..COUNT {
        let task = task(&setting, &format!("n{n}"));
        // One that was submitted and then one that waits; each other one through a kill.
        match n % 4 {
            1 => setting.restart_service(),
            3 => setting.restart_server(),
            _ => {}
        }
        for (report, answer) in [
            (TaskReport::running(2), Reported::Taken),
            (TaskReport::running(1), Reported::Stale),
            (done(2, n), Reported::Taken),
        ] {
            let reported = setting.client.report::<scans>(&task, report).await;
            assert_eq!(reported.unwrap(), answer, "{n}");
        }
    }
    assert_eq!(run.outcome().await.unwrap(), (0..COUNT).sum::<u32>());
    let parts = setting.server.sql(
        "SELECT id FROM sys_invocation WHERE target_service_name = 'scans' AND target_handler_name = 'run'",
    );
    assert!(parts.len() > 2, "{parts:?}");
    setting.until_all_has_ended();
}
