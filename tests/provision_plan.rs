//! The example `provision_plan`, run as a program.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use steps_test_support::cargo;

fn run(args: &[&str], root: Option<&Path>) -> Output {
    let mut command = Command::new(cargo::example("provision_plan"));
    command.args(args);
    if let Some(root) = root {
        command.arg("--root").arg(root);
    }
    command.output().expect("it runs")
}

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{out}{err}")
}

const ALL: &str = "in the cloud: link-hosts-db-link, link-hosts-web-link, net-network, traffic-traffic, \
                   vm-hosts-db-vm, vm-hosts-web-vm, vol-hosts-db-disk, vol-hosts-web-disk, watch-monitor";

#[test]
fn it_makes_what_the_plan_says() {
    let output = run(&[], None);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains(ALL), "{}", said(&output));
}

#[test]
fn it_takes_back_what_it_made_if_a_step_fails() {
    let output = run(&["--fail", "traffic"], None);
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("failed at `plan.traffic.runs.open_traffic`"),
        "{said}"
    );
    assert!(said.lines().any(|line| line == "in the cloud: "), "{said}");
    // From the last to the first.
    let removed = |what: &str| said.find(&format!("removes {what}")).expect(what);
    assert!(
        removed("link-hosts-web-link") < removed("vm-hosts-web-vm"),
        "{said}"
    );
    assert!(
        removed("vol-hosts-db-disk") < removed("net-network"),
        "{said}"
    );
}

#[test]
fn it_goes_on_without_an_optional_step() {
    let output = run(&["--fail", "monitor"], None);
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&ALL.replace(", watch-monitor", "")), "{said}");
}

#[test]
fn it_goes_on_after_a_death() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let died = run(&["--die-at", "hosts.db.vm"], Some(root.path()));
    assert!(!died.status.success(), "{}", said(&died));
    assert!(said(&died).ends_with("dies\n"), "{}", said(&died));
    let output = run(&[], Some(root.path()));
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(ALL), "{said}");
    assert!(!said.contains("makes net-network"), "{said}");
}

#[test]
fn it_says_what_is_wrong_with_a_plan() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let file = root.path().join("plan.json");
    let file = file.to_str().expect("a text");
    fs::write(
        file,
        r#"{"steps": [{"name": "a", "step": "create_volum"}]}"#,
    )
    .expect("it is written");
    let output = run(&["--check", "--plan", file], None);
    assert!(!output.status.success());
    assert_eq!(
        said(&output),
        "this is no plan: `a`: there is no step `create_volum`; did you mean `create_volume`?\n"
    );
    fs::write(
        file,
        r#"{"steps": [{"name": "a", "step": "open_traffic", "args": {"vm": "x"}}]}"#,
    )
    .expect("it is written");
    let output = run(&["--check", "--plan", file], None);
    assert_eq!(said(&output), "a: open_traffic\n");
    let output = run(&["--fail", "b", "--plan", file], None);
    assert_eq!(said(&output), "the plan has no step `b`\n");
    let output = run(&["--plan", "/nowhere/plan.json"], None);
    assert!(!output.status.success());
}

#[test]
fn it_says_what_it_takes() {
    let help = said(&run(&["--help"], None));
    assert!(
        help.contains("--plan") && help.contains("--die-at"),
        "{help}"
    );
}
