//! Input that is refused; the state file is then left as it was.

use std::fs;

use crate::job::{BAD_INPUT, DONE, Job, NOT_YET};

const GO_PENDING: &str = include_str!("../data/go-move-to-vpc-pending.json");

/// Runs it on a bad file and checks that it is refused, in words, and left as it was.
fn assert_refused(text: &str, args: &[&str], expected: &str) {
    let job = Job::with(text);
    let ran = job.run(args);
    assert_eq!(ran.status, BAD_INPUT, "{}{}", ran.printed, ran.complained);
    assert!(ran.complained.contains(expected), "{}", ran.complained);
    assert!(!ran.complained.contains("panicked"), "{}", ran.complained);
    assert_eq!(job.text(), text, "the file was changed");
}

#[test]
fn bad_files_are_refused_and_left_as_they_were() {
    assert_refused("", &[], "");
    assert_refused("not JSON", &[], "");
    assert_refused("[]", &[], "");
    assert_refused(&GO_PENDING[..GO_PENDING.len() / 2], &[], "");
    assert_refused(
        &GO_PENDING.replace("MoveToVPC", "MoveToMoon"),
        &[],
        "MoveToMoon",
    );
    assert_refused(
        &GO_PENDING.replace("chkAccount", "chkWeather"),
        &[],
        "chkWeather",
    );
    assert_refused(
        &format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)),
        &[],
        "",
    );
}

#[test]
fn another_account_than_the_saved_one_is_refused() {
    let job = Job::new();
    assert_eq!(
        job.run(&["--dead", "10.0.0.4", "--account", "one"]).status,
        NOT_YET
    );
    let before = job.text();
    let ran = job.run(&["--account", "two"]);
    assert_eq!(ran.status, BAD_INPUT, "{}{}", ran.printed, ran.complained);
    assert_eq!(job.text(), before);
    assert_eq!(job.run_until_settled(&["--account", "one"]).status, DONE);
}

#[test]
fn bad_usage_is_refused_before_anything_runs() {
    for args in [
        &["--fail", "noSuchStep"] as &[&str],
        &["--dead", "10.0.0.999"],
        &["--recover"],
        &["--no-such-option"],
    ] {
        let job = Job::new();
        let ran = job.run(args);
        assert_eq!(
            ran.status, BAD_INPUT,
            "{args:?}: {}{}",
            ran.printed, ran.complained
        );
        assert!(!job.file.exists(), "{args:?}");
    }
}

#[test]
fn a_folder_in_place_of_the_file_is_refused() {
    let job = Job::new();
    fs::create_dir(&job.file).expect("a folder in the file's place");
    assert_eq!(job.run(&[]).status, BAD_INPUT);
}

#[test]
fn help_names_every_option() {
    let ran = Job::new().run(&["--help"]);
    assert_eq!(ran.status, DONE);
    for option in [
        "--state",
        "--fail",
        "--dead",
        "--recover",
        "--go-format",
        "Exit status",
    ] {
        assert!(ran.printed.contains(option), "{option} in {}", ran.printed);
    }
}
