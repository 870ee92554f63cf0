//! Files that the Go program wrote, and files in its form.

use serde_json::{Value, json};

use crate::{
    job::{DONE, FAILED, Job, NOT_YET},
    tree::{STEPS, assert_all_succeeded, assert_kept, began, find, names, times},
};

const GO_DONE: &str = include_str!("../data/go-move-to-vpc-done.json");
const GO_FAILED: &str = include_str!("../data/go-move-to-vpc-failed.json");
const GO_PENDING: &str = include_str!("../data/go-move-to-vpc-pending.json");

#[test]
fn steps_keep_the_names_and_the_order_of_the_go_program() {
    let job = Job::new();
    job.run(&[]);
    let go: Value = serde_json::from_str(GO_DONE).expect("the Go file is JSON");
    assert_eq!(names(&job.state()), names(&go));
}

#[test]
fn a_file_that_go_finished_stays_finished() {
    let job = Job::with(GO_DONE);
    let before = job.state();
    let ran = job.run(&[]);
    assert_eq!(ran.status, DONE, "{}{}", ran.printed, ran.complained);
    assert_all_succeeded(&job.state());
    assert_kept(&before, &job.state(), &STEPS);
    assert_eq!(
        job.node("preFlight", "chkAccount")["info"],
        "check whether account usable or not"
    );
}

#[test]
fn a_file_that_go_left_pending_goes_on_at_its_open_step() {
    let job = Job::with(GO_PENDING);
    let before = job.state();
    let ran = job.run(&["--dead", "10.0.0.9"]);
    assert_eq!(ran.status, NOT_YET, "{}{}", ran.printed, ran.complained);
    let network = job.node("preFlight", "chkNetwork");
    assert_eq!(
        network["info"],
        json!(["10.0.0.9"]),
        "the open step has run in this pass"
    );
    assert_eq!(
        network["startedAt"],
        times(&before, "preFlight", "chkNetwork").0
    );
    assert_kept(&before, &job.state(), &STEPS[..3]);

    let ran = job.run_until_settled(&[]);
    assert_eq!(ran.status, DONE, "{}{}", ran.printed, ran.complained);
    assert_all_succeeded(&job.state());
    assert_kept(&before, &job.state(), &STEPS[..3]);
}

#[test]
fn a_file_that_go_failed_stays_failed_until_recovered() {
    let job = Job::with(GO_FAILED);
    let before = job.state();
    let ran = job.run(&[]);
    assert_eq!(ran.status, FAILED, "{}{}", ran.printed, ran.complained);
    assert!(
        ran.printed.contains("Can't check network"),
        "{}",
        ran.printed
    );
    assert_kept(&before, &job.state(), &STEPS[..4]);
    assert!(!began(find(&job.state(), "inFlight")));

    let ran = job.run(&["--recover"]);
    assert_eq!(ran.status, DONE, "{}{}", ran.printed, ran.complained);
    assert_all_succeeded(&job.state());
    assert_kept(&before, &job.state(), &STEPS[..3]);
}

/// Whether a node has only fields that the Go program writes.
fn assert_go_form(node: &Value) {
    let seed = ["name", "info", "err", "startedAt", "doneAt", "states"];
    for field in node.as_object().expect("a node is an object").keys() {
        assert!(seed.contains(&field.as_str()), "{field} in {node:#}");
    }
    for below in node["states"].as_array().into_iter().flatten() {
        assert_go_form(below);
    }
}

#[test]
fn the_go_form_can_be_written_and_read_again_at_every_stage() {
    let job = Job::new();
    assert_eq!(
        job.run(&["--go-format", "--dead", "10.0.0.4"]).status,
        NOT_YET
    );
    assert_go_form(&job.state());
    assert_eq!(
        job.node("preFlight", "chkNetwork")["info"],
        json!(["10.0.0.4"])
    );
    let waiting = job.state();

    let ran = job.run_until_settled(&["--go-format", "--fail", "chkNetwork"]);
    assert_eq!(ran.status, FAILED, "{}{}", ran.printed, ran.complained);
    assert_go_form(&job.state());
    assert_eq!(
        job.node("preFlight", "chkNetwork")["err"],
        "Can't check network"
    );

    let ran = job.run(&["--go-format", "--recover"]);
    assert_eq!(ran.status, DONE, "{}{}", ran.printed, ran.complained);
    assert_go_form(&job.state());
    assert_all_succeeded(&job.state());
    assert_kept(&waiting, &job.state(), &STEPS[..3]);

    let done = job.state();
    assert_eq!(job.run(&["--go-format"]).status, DONE);
    assert_eq!(job.state(), done);
}
