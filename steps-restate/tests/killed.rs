//! The service and the server are killed, each at each kind of entry. Where a kill struck is asserted by what the steps had
//! done by then, and by the entries that the server has.

mod common;

use std::time::Duration;

use common::setting::{Setting, failed};
use steps::{Cause, Status};
use steps_restate::ClientError;
use steps_restate_tests::{branches, journey};

/// How many kills the random test makes: more with `STEPS_RESTATE_KILLS`.
const KILLS: usize = 6;

const LONG: u64 = 3_600_000;

fn counts<const N: usize>(setting: &Setting, lines: [&str; N]) -> [usize; N] {
    lines.map(|line| setting.world.count(line))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_execution_goes_on_after_kills_at_each_kind_of_entry() {
    let mut setting = Setting::new();
    for step in ["a", "l2", "r2", "z"] {
        setting.world.hold(step);
    }
    // Sent before its step waits, and before the execution is there.
    let early = setting.client.execution::<journey>("early");
    early
        .signal(journey::STEPS.word, &"soon".to_owned())
        .await
        .unwrap();
    let run = setting.start(journey::input(false, 1500), "j").await;
    // The service, and the server, in a step.
    setting.until_log("begin a", 1);
    setting.restart_service();
    setting.until_log("begin a", 2);
    setting.restart_server();
    setting.until_log("begin a", 3);
    assert_eq!(counts(&setting, ["end a", "begin l1"]), [0, 0]);
    setting.world.let_go("a");
    // In two branches.
    setting.until_log("begin l2", 1);
    setting.until_log("begin r2", 1);
    setting.restart_service();
    setting.until_log("begin l2", 2);
    setting.until_log("begin r2", 2);
    setting.restart_server();
    setting.until_log("begin l2", 3);
    setting.until_log("begin r2", 3);
    assert_eq!(counts(&setting, ["end l2", "end r2"]), [0, 0]);
    setting.world.let_go("l2");
    setting.world.let_go("r2");
    // In the sleep: nothing of ours runs.
    setting.until_entry("j", "Command: Sleep");
    setting.restart_both();
    // In the wait for a signal.
    setting.until_entry("j", "Command: GetPromise");
    setting.restart_server();
    setting.restart_service();
    assert_eq!(setting.world.count("begin z"), 0);
    run.signal(journey::STEPS.word, &"now".to_owned())
        .await
        .unwrap();
    // The same once more is no other one.
    run.signal(journey::STEPS.word, &"now".to_owned())
        .await
        .unwrap();
    let other = run.signal(journey::STEPS.word, &"later".to_owned()).await;
    assert!(
        matches!(other, Err(ClientError::Signal { .. })),
        "{other:?}"
    );
    setting.until_log("begin z", 1);
    setting.restart_service();
    setting.until_log("begin z", 2);
    setting.world.let_go("z");
    assert_eq!(run.outcome().await.unwrap(), "a done, l2 done, now");
    let wanted = [
        ("a", 3),
        ("l1", 1),
        ("r1", 1),
        ("l2", 3),
        ("r2", 3),
        ("z", 2),
    ];
    for (step, times) in wanted {
        assert_eq!(
            setting.world.count(&format!("begin {step}")),
            times,
            "{step}"
        );
        assert_eq!(setting.world.count(&format!("end {step}")), 1, "{step}");
    }
    assert_eq!(setting.world.count("close"), 1);
    let ended = run.signal(journey::STEPS.word, &"now".to_owned()).await;
    assert!(matches!(ended, Err(ClientError::Ended { .. })), "{ended:?}");
    let early = setting.start(journey::input(false, 1), "early").await;
    assert_eq!(early.outcome().await.unwrap(), "a done, l2 done, soon");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_goes_on_after_kills() {
    let mut setting = Setting::new();
    for step in ["l2", "r2", "a"] {
        setting.world.hold(&format!("undo of {step}"));
    }
    let run = setting.start(journey::input(true, 1), "j").await;
    run.signal(journey::STEPS.word, &"now".to_owned())
        .await
        .unwrap();
    setting.until_log("begin undo of l2", 1);
    setting.until_log("begin undo of r2", 1);
    setting.restart_service();
    setting.until_log("begin undo of l2", 2);
    setting.until_log("begin undo of r2", 2);
    assert_eq!(setting.undone(), ["z"]);
    setting.restart_server();
    setting.world.let_go("undo of l2");
    setting.world.let_go("undo of r2");
    setting.until_log("begin undo of a", 1);
    setting.restart_both();
    setting.until_log("begin undo of a", 2);
    setting.world.let_go("undo of a");
    let failure = failed(run.outcome().await);
    assert_eq!(failure.status(), Status::Undone);
    let text = failure.to_string();
    assert!(
        text.starts_with("flow `journey` failed at `end`: the door is stuck"),
        "{text}"
    );
    let order = setting.undone();
    assert_eq!(
        (order[0].as_str(), order[5].as_str()),
        ("z", "a"),
        "{order:?}"
    );
    assert_eq!(order.len(), 6, "{order:?}");
    assert_eq!(
        counts(&setting, ["begin z", "undone z", "undone l1", "undone a"]),
        [1; 4]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_cancelled_in_a_step_is_undone_whatever_is_killed() {
    let mut setting = Setting::new();
    setting.world.hold("l1");
    setting.world.hold("undo of a");
    let run = setting.start(journey::input(false, 1), "j").await;
    setting.until_log("begin l1", 1);
    setting.until_log("end r2", 1);
    run.undo().await.unwrap();
    assert_eq!(counts(&setting, ["end l1", "begin undo of r2"]), [0, 0]);
    setting.restart_service();
    setting.until_log("begin l1", 2);
    setting.restart_server();
    setting.until_log("begin l1", 3);
    setting.world.let_go("l1");
    // Once more, in an undo, which goes on.
    setting.until_log("begin undo of a", 1);
    run.undo().await.unwrap();
    setting.restart_service();
    setting.until_log("begin undo of a", 2);
    assert_eq!(setting.world.count("undone a"), 0);
    setting.world.let_go("undo of a");
    let failure = failed(run.outcome().await);
    assert_eq!(failure.status(), Status::Undone);
    assert!(matches!(failure.cause, Cause::Undone), "{failure}");
    // Nothing began after it was cancelled.
    assert_eq!(counts(&setting, ["begin l2", "begin z"]), [0, 0]);
    assert_eq!(setting.undone().last().unwrap(), "a");
    assert_eq!(setting.undone().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_cancelled_in_a_sleep_is_undone_whatever_is_killed() {
    let mut setting = Setting::new();
    setting.world.hold("undo of l2");
    let run = setting.start(journey::input(false, LONG), "j").await;
    setting.until_entry("j", "Command: Sleep");
    // By the server's own means, without a word from us.
    let found = setting.server.sql(
        "SELECT id FROM sys_invocation WHERE target_service_key = 'j' AND target_handler_name = 'run'",
    );
    let path = format!("/invocations/{}/cancel", found[0]["id"].as_str().unwrap());
    let (status, body) = common::server::http(setting.server.admin, "PATCH", &path, "").unwrap();
    assert_eq!(status, 202, "{body}");
    setting.until_log("begin undo of l2", 1);
    setting.restart_both();
    setting.until_log("begin undo of l2", 2);
    setting.world.let_go("undo of l2");
    let failure = failed(run.outcome().await);
    assert_eq!(failure.status(), Status::Undone);
    assert_eq!(setting.undone().len(), 5);
    assert_eq!(setting.world.count("begin z"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_stopped_stays_as_it_is() {
    let mut setting = Setting::new();
    let run = setting.start(journey::input(false, LONG), "j").await;
    setting.until_entry("j", "Command: Sleep");
    setting.kill_service();
    // The request waits for the service.
    let stopping = tokio::spawn({
        let run = run.clone();
        async move { run.stop().await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!stopping.is_finished());
    setting.serve();
    stopping.await.unwrap().unwrap();
    let failure = failed(run.outcome().await);
    assert!(matches!(failure.cause, Cause::Stopped), "{failure}");
    assert_eq!(setting.undone(), [""; 0]);
    let ended = run.stop().await;
    assert!(matches!(ended, Err(ClientError::Ended { .. })), "{ended:?}");
}

/// How the branches of a flow get on differs from time to time; what is recorded of it is the same for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn branches_with_random_delays_survive_random_kills() {
    const MANY: usize = 8;
    let kills = std::env::var("STEPS_RESTATE_KILLS");
    let kills = kills.map_or(KILLS, |kills| kills.parse().expect("a number"));
    let mut setting = Setting::new();
    for kill in 0..kills {
        let mut runs = Vec::new();
        for n in 0..MANY {
            let id = format!("{kill}-{n}");
            runs.push(setting.start(branches::input(id.clone()), &id).await);
        }
        setting.until_log(&format!("begin {kill}-0 left 0"), 1);
        tokio::time::sleep(Duration::from_millis((kill as u64 * 37) % 150)).await;
        // It struck: not all have ended.
        let ended = (0..MANY).filter(|n| setting.world.count(&format!("end {kill}-{n} last")) > 0);
        assert!(ended.count() < MANY, "the kill came too late");
        if kill % 3 == 2 {
            setting.restart_server();
        } else {
            setting.restart_service();
        }
        for run in runs {
            let id = run.id().to_owned();
            assert_eq!(run.outcome().await.unwrap(), format!("{id} r3, {id} last"));
            let lines = setting.world.lines();
            let at = |line: &str| lines.iter().position(|other| other == line);
            let steps = ["r1", "r2", "r3", "last"].map(|step| format!("{id} {step}"));
            for pair in steps.windows(2) {
                // A step begins when the one before is recorded, and is not repeated once it is.
                let (end, begin) = (format!("end {}", pair[0]), format!("begin {}", pair[1]));
                let first = at(&begin).unwrap();
                assert!(at(&end).unwrap() < first, "{begin}");
                let again = lines[first..].contains(&format!("begin {}", pair[0]));
                assert!(!again, "{} ran again", pair[0]);
            }
            for step in &steps {
                assert!(setting.world.count(&format!("begin {step}")) <= 2, "{step}");
            }
            for n in 0..4 {
                let ended = setting.world.count(&format!("end {id} left {n}"));
                assert!((1..=2).contains(&ended), "{id}: {ended} times");
            }
        }
    }
}
