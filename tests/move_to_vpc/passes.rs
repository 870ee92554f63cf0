//! Passes over the program's own state files.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    job::{DONE, FAILED, Job, NOT_YET},
    tree::{STEPS, assert_all_succeeded, assert_kept, began, errors, find, succeeded},
};

#[test]
fn a_full_run_is_done_in_one_pass() {
    let job = Job::new();
    let ran = job.run(&[]);
    assert_eq!(ran.status, DONE, "{}{}", ran.printed, ran.complained);
    assert_eq!(job.state()["name"], "MoveToVPC");
    assert_eq!(job.state()["input"], json!({ "account": "acct-1" }));
    assert_all_succeeded(&job.state());
    for (group, step) in STEPS {
        assert!(
            ran.printed.contains(group) && ran.printed.contains(step),
            "{}",
            ran.printed
        );
    }
}

#[test]
fn a_second_pass_over_a_done_flow_changes_nothing() {
    let job = Job::new();
    assert_eq!(job.run(&[]).status, DONE);
    let before = job.state();
    assert_all_succeeded(&before);
    assert_eq!(job.run(&[]).status, DONE);
    assert_eq!(job.state(), before);
}

#[test]
fn dead_addresses_are_saved_and_the_pass_says_when_to_come_again() {
    let job = Job::new();
    let ran = job.run(&["--dead", "10.0.0.4,10.0.0.9"]);
    assert_eq!(ran.status, NOT_YET, "{}{}", ran.printed, ran.complained);
    assert!(ran.printed.contains("come again in"), "{}", ran.printed);

    let network = job.node("preFlight", "chkNetwork");
    assert_eq!(network["info"], json!(["10.0.0.4", "10.0.0.9"]));
    assert!(
        network["startedAt"].is_string() && network["doneAt"].is_null(),
        "{network:#}"
    );
    assert!(job.state()["doneAt"].is_null());
    assert!(!began(find(&job.state(), "inFlight")), "{:#}", job.state());

    let before = job.state();
    let ran = job.run_until_settled(&[]);
    assert_eq!(ran.status, DONE, "{}{}", ran.printed, ran.complained);
    assert_all_succeeded(&job.state());
    assert_kept(&before, &job.state(), &STEPS[..3]);
}

#[test]
fn passes_are_no_attempts_of_the_flow() {
    let job = Job::new();
    for _ in 0..3 {
        assert_eq!(job.run(&["--dead", "10.0.0.4"]).status, NOT_YET);
    }
    let ran = job.run(&[]);
    assert_eq!(ran.status, DONE, "{}{}", ran.printed, ran.complained);
    let tree = |step| ran.printed.lines().find(|line| line.contains(step));
    let (flow, network) = (tree("MoveToVPC"), tree("chkNetwork"));
    assert!(
        flow.is_some_and(|line| !line.contains("attempts")),
        "{flow:?}"
    );
    assert!(
        network.is_some_and(|line| line.contains("4 attempts")),
        "{network:?}"
    );
}

#[test]
fn the_list_shrinks_from_pass_to_pass() {
    let job = Job::new();
    assert_eq!(job.run(&["--dead", "10.0.0.4,10.0.0.9"]).status, NOT_YET);
    let end = Instant::now() + Duration::from_secs(20);
    while job.node("preFlight", "chkNetwork")["info"] != json!(["10.0.0.9"]) {
        assert!(Instant::now() < end, "{:#}", job.state());
        thread::sleep(Duration::from_millis(200));
        assert_eq!(job.run(&["--dead", "10.0.0.9"]).status, NOT_YET);
    }
    assert_eq!(job.run_until_settled(&[]).status, DONE);
}

#[test]
fn every_step_can_fail_and_be_recovered() {
    for (at, (group, step)) in STEPS.into_iter().enumerate() {
        if step == "initialize ENIs" {
            continue;
        }
        let job = Job::new();
        let ran = job.run(&["--fail", step]);
        assert_eq!(
            ran.status, FAILED,
            "{step}: {}{}",
            ran.printed, ran.complained
        );
        let failed = job.state();
        let node = job.node(group, step);
        assert!(errors(&node).contains("Can't "), "{node:#}");
        assert!(node["doneAt"].is_string(), "{node:#}");
        assert!(!errors(&failed).is_empty(), "{failed:#}");
        for &(group, later) in &STEPS[at + 1..] {
            let node = find(&failed, group).and_then(|group| find(group, later));
            assert!(!began(node), "{later} began after {step} failed");
        }

        let ran = job.run(&["--recover"]);
        assert_eq!(
            ran.status, DONE,
            "{step}: {}{}",
            ran.printed, ran.complained
        );
        assert_all_succeeded(&job.state());
        assert_kept(&failed, &job.state(), &STEPS[..at]);
    }
}

#[test]
fn the_failed_network_check_says_what_the_go_program_says() {
    let job = Job::new();
    let ran = job.run(&["--fail", "chkNetwork"]);
    assert_eq!(ran.status, FAILED);
    assert!(
        ran.printed.contains("Can't check network"),
        "{}",
        ran.printed
    );
    let node = job.node("preFlight", "chkNetwork");
    assert_eq!(errors(&node), "Can't check network");
    assert_eq!(node["info"], "check if network is good for migration");
}

#[test]
fn an_optional_step_may_fail() {
    let job = Job::new();
    let ran = job.run(&["--fail", "initialize ENIs"]);
    assert_eq!(ran.status, DONE, "{}{}", ran.printed, ran.complained);
    assert_eq!(
        errors(&job.node("initialize", "initialize ENIs")),
        "Can't initialize ENIs"
    );
    assert!(succeeded(&job.node("inFlight", "cloneENIs")));
}

#[test]
fn a_failure_is_final_until_it_is_recovered() {
    let job = Job::new();
    assert_eq!(job.run(&["--fail", "migrateInstances"]).status, FAILED);
    let before = job.state();
    assert_eq!(job.run(&[]).status, FAILED);
    assert_eq!(job.state(), before);
}

#[test]
fn recovering_does_not_help_a_step_that_fails_again() {
    let job = Job::new();
    assert_eq!(job.run(&["--fail", "cloneENIs"]).status, FAILED);
    assert_eq!(
        job.run(&["--fail", "cloneENIs", "--recover"]).status,
        FAILED
    );
    assert_eq!(job.run(&["--recover"]).status, DONE);
}
