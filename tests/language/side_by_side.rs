//! What a failure means to the branches and items beside it.

use steps::{
    Cause, Failure, Status,
    prelude::*,
    testing::{Fault, Lab},
};

use crate::support::{act, run};

#[step]
async fn slow(lab: &Lab, name: &str, ms: u64) -> Result<(), String> {
    lab.clock()
        .sleep(std::time::Duration::from_millis(ms))
        .await;
    lab.act(name).map_err(|e| e.to_string())
}

#[undo(slow)]
async fn slow_back(lab: &Lab, name: &str, _ms: u64, (): &()) -> Result<(), String> {
    lab.undo(name).map_err(|e| e.to_string())
}

#[flow]
async fn nested_slow(lab: &Lab) -> Result<(), String> {
    steps! { one = slow(lab, "n1", 10); two = slow(lab, "n2", 10); three = slow(lab, "n3", 10); }
    let _ = (one, two, three);
    Ok(())
}

#[flow]
async fn siblings(lab: &Lab) -> Result<(), String> {
    steps! {
        p = parallel {
            bad = slow(lab, "bad", 15);
            running = { one = slow(lab, "one", 20); two = slow(lab, "two", 1); }
            kept = { three = slow(lab, "three", 20); #[atomic] four = slow(lab, "four", 5); }
            nested = flow nested_slow(lab);
            waits = steps::signal::<u32>();
        }
    }
    drop(p);
    Ok(())
}

/// Rule 4, A6, D4: a failure skips what has not begun, but not what is `#[atomic]`, and cuts
/// nothing off; what a nested flow had done is undone with the rest.
#[tokio::test]
async fn what_runs_beside_a_failure_finishes_and_what_has_not_begun_is_skipped() {
    let lab = Lab::new();
    lab.fault("bad", Fault::FailBefore);
    let failure: Failure = run(siblings(&lab), lab.clock()).await.unwrap_err();
    assert_eq!(failure.step(), Some("p.bad"));
    assert_eq!(failure.failed().len(), 1, "{failure}");
    let done: Vec<_> = lab
        .texts()
        .into_iter()
        .filter(|t| !t.contains("undo"))
        .collect();
    assert_eq!(done, ["n1", "one", "three", "n2", "four"]);
    assert!(lab.there().is_empty(), "{:?}", lab.there());
    let status = |path: &str| failure.state.get(path).map(|node| node.status);
    assert_eq!(status("p.running.two"), Some(Status::Skipped));
    assert_eq!(status("p.nested.three"), Some(Status::Skipped));
    assert_eq!(failure.status(), Status::Undone);
}

#[flow]
async fn two_fail(lab: &Lab) -> Result<(), String> {
    steps! {
        p = parallel { a = slow(lab, "a", 10); b = slow(lab, "b", 5); c = act(lab, "c"); }
    }
    drop(p);
    Ok(())
}

/// A6: every child's error is kept, the first to fail first.
#[tokio::test]
async fn every_error_of_a_parallel_is_kept() {
    let lab = Lab::new();
    lab.fault("a", Fault::FailBefore);
    lab.fault("b", Fault::FailAfter);
    let failure = run(two_fail(&lab), lab.clock()).await.unwrap_err();
    let paths: Vec<_> = failure.failed().iter().map(|step| &*step.path).collect();
    assert_eq!(paths, ["p.b", "p.a"]);
    let errors = &failure.state.get("p").unwrap().errors;
    assert_eq!(errors.len(), 2, "{errors:?}");
}

#[flow]
async fn limited(lab: &Lab) -> Result<usize, String> {
    steps! {
        all = for n in 0..6_u64 by n parallel(2) {
            poll = crate::support::ready(lab, &format!("go {n}"));
            s = slow(lab, &n.to_string(), 1);
        }
    }
    Ok(all.len())
}

#[tokio::test]
async fn regression_items_that_waited_did_not_count_for_the_limit() {
    let lab = Lab::new();
    let advance = limited(&lab).advance().await.unwrap();
    let begun = |n: u32| advance.state.state().started(&format!("all.{n}"));
    assert!(begun(0) && begun(1) && !begun(2));
    (0..6).for_each(|n| lab.act(format!("go {n}")).unwrap());
    let count = run(limited(&lab).resume(advance.state), lab.clock()).await;
    assert_eq!(count.unwrap(), 6);
}

#[tokio::test]
async fn regression_undo_of_a_flow_in_the_middle_of_its_work_ran_it_on() {
    let lab = Lab::new();
    let advance = limited(&lab).advance().await.unwrap();
    let failure = limited(&lab)
        .resume(advance.state)
        .undo()
        .await
        .unwrap_err();
    assert!(matches!(&failure.cause, Cause::Undone), "{failure}");
    assert_eq!(failure.status(), Status::Undone);
    assert!(lab.texts().is_empty(), "{:?}", lab.texts());
}
