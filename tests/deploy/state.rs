//! `--state`: deployments that are cut off and go on, and files that can't be gone on from.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    STEPS,
    site::{Site, assert_code, assert_done, stderr},
};

fn read(path: &str) -> Value {
    serde_json::from_slice(&fs::read(path).expect("the state file")).expect("JSON")
}

fn step<'a>(state: &'a Value, name: &str) -> &'a Value {
    let steps = state["states"].as_array().expect("steps");
    steps.iter().find(|step| step["name"] == name).expect(name)
}

fn file(site: &Site) -> String {
    let path = site.path("state.json");
    path.to_str().expect("a path of plain text").to_owned()
}

/// Each run is cut off after the effect of another step; the last one is not.
#[test]
fn a_deployment_that_was_cut_off_goes_on() {
    for fail in [false, true] {
        let site = Site::with_releases(1);
        let state = &file(&site);
        for step in STEPS {
            let output = site.deploy(&["--state", state, "--crash-at", step]);
            assert_code(&output, 70);
            let message = format!("by --crash-at {step}");
            assert!(stderr(&output).contains(&message), "{}", stderr(&output));
        }
        if fail {
            let output = site.deploy(&["--state", state, "--fail-at", "in_service"]);
            assert_code(&output, 1);
            site.assert_serves(1);
            site.assert_no_trace_of(2);
        } else {
            assert_done(&site.deploy(&["--state", state]));
            site.assert_serves(2);
        }
    }
}

#[test]
fn what_was_done_before_the_cut_is_not_done_again() {
    let site = Site::with_releases(1);
    let state = &file(&site);
    assert_code(
        &site.deploy(&["--state", state, "--crash-at", "start_new"]),
        70,
    );
    let cut = read(state);
    let open = step(&cut, "start_new");
    assert!(open["startedAt"].is_string(), "its begin was not recorded");
    assert!(open["doneAt"].is_null(), "{open:#}");
    let started = site.pid();

    assert_done(&site.deploy(&["--state", state]));
    site.assert_serves(2);
    let end = read(state);
    for name in &STEPS[..5] {
        assert_eq!(step(&cut, name), step(&end, name), "{name} ran again");
    }
    assert_eq!(site.pid(), started, "another server was started");
}

#[test]
fn a_deployment_that_was_killed_while_it_waited_is_taken_back() {
    let site = Site::with_releases(1);
    let state = &file(&site);
    let mut child = site.spawn(&["--state", state, "--broken"]);
    let end = Instant::now() + Duration::from_secs(30);
    while !fs::read_to_string(state).is_ok_and(|text| text.contains("\"waiting\"")) {
        assert!(Instant::now() < end, "it never waited");
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    let waiting = read(state);
    assert!(
        step(&waiting, "healthy")["doneAt"].is_null(),
        "it was too late"
    );

    let output = site.deploy(&["--state", state]);
    assert_code(&output, 1);
    let end = read(state);
    for name in &STEPS[..7] {
        let begun = |state: &Value| step(state, name)["startedAt"].clone();
        assert_eq!(begun(&waiting), begun(&end), "{name} began anew");
    }
    site.assert_serves(1);
    site.assert_no_trace_of(2);
}

#[test]
fn a_rollback_that_got_stuck_is_tried_again() {
    let site = Site::with_releases(1);
    let state = &file(&site);
    let (program, aside) = (site.path("releases/1/server"), site.path("aside"));
    fs::rename(&program, &aside).expect("the old program can be moved");
    let output = site.deploy(&["--state", state, "--fail-at", "switch_link"]);
    assert_code(&output, 1);
    assert!(
        stderr(&output).contains("rollback failed at `stop_old`"),
        "{}",
        stderr(&output)
    );
    assert_eq!(site.get("/"), None);

    fs::rename(&aside, &program).expect("the old program can be put back");
    let output = site.deploy(&["--state", state]);
    assert_code(&output, 1);
    assert!(
        stderr(&output).contains("was undone"),
        "{}",
        stderr(&output)
    );
    site.assert_serves(1);
    site.assert_no_trace_of(2);
}

#[test]
fn a_deployment_that_has_ended_makes_room_for_the_next() {
    let site = Site::new();
    let state = &file(&site);
    assert_done(&site.deploy(&["--state", state]));
    assert_code(&site.deploy(&["--state", state, "--fail-at", "healthy"]), 1);
    assert_done(&site.deploy(&["--state", state]));
    site.assert_serves(2);
    assert_eq!(read(state)["input"]["release"]["version"], 2);
}

#[test]
fn another_release_than_the_saved_one_is_refused() {
    let site = Site::with_releases(1);
    let state = &file(&site);
    assert_code(
        &site.deploy(&["--state", state, "--crash-at", "unpack"]),
        70,
    );
    let before = read(state);
    for args in [&["--version", "5"][..], &["--broken"]] {
        let output = site.deploy(&[&["--state", state], args].concat());
        assert_code(&output, 2);
        assert!(
            stderr(&output).contains("a deployment of release 2"),
            "{}",
            stderr(&output)
        );
        assert_eq!(read(state), before);
    }
    assert_done(&site.deploy(&["--state", state, "--version", "2"]));
    site.assert_serves(2);
}

#[test]
fn a_state_that_does_not_fit_is_refused_and_left_as_it_was() {
    let site = Site::with_releases(1);
    let state = &file(&site);
    assert_code(
        &site.deploy(&["--state", state, "--crash-at", "stop_old"]),
        70,
    );
    let text = fs::read_to_string(state).expect("the state file");
    for (bad, message) in [
        (text[..text.len() / 2].to_owned(), "holds no deployment"),
        ("[]".to_owned(), "holds no deployment"),
        (
            text.replace("\"release\"", "\"vessel\""),
            "its input is no release",
        ),
        (
            text.replace("\"name\": \"deploy\"", "\"name\": \"move\""),
            "move",
        ),
        (text.replace("\"unpack\"", "\"unload\""), "`unload`"),
        (text.replace("\"tarball\":\"", "\"barrel\":\""), "pack"),
    ] {
        assert_ne!(bad, text, "{message}");
        fs::write(state, &bad).expect("the state file");
        let output = site.deploy(&["--state", state]);
        assert_code(&output, 2);
        assert!(
            stderr(&output).contains(message),
            "{message}: {}",
            stderr(&output)
        );
        assert_eq!(fs::read_to_string(state).expect("the state file"), bad);
    }
    fs::write(state, &text).expect("the state file");
    assert_done(&site.deploy(&["--state", state]));
    site.assert_serves(2);
}
