//! The command line itself: help, the store that is named, exit codes, pipes.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use crate::support::{Db, run};

const COMMANDS: [&str; 28] = [
    "list",
    "count",
    "show",
    "log",
    "report",
    "stats",
    "stop",
    "undo",
    "recover",
    "try-now",
    "retry-from",
    "retry-undo",
    "skip-undo",
    "mark-undone",
    "signal",
    "pause",
    "resume",
    "limits",
    "delete",
    "export",
    "import",
    "sweep",
    "schedules",
    "changes",
    "web",
    "check",
    "completions",
    "man",
];

#[test]
fn each_command_has_help() {
    let all = run(&["--help"], "", &[]).well().out;
    assert!(all.contains("Exit codes:"), "{all}");
    for command in COMMANDS {
        assert!(
            all.contains(&format!("\n  {command} ")),
            "{command} in {all}"
        );
        let help = run(&[command, "--help"], "", &[]).well().out;
        assert!(help.contains(&format!("Usage: steps {command}")), "{help}");
        assert!(help.contains("--db <URL>"), "{help}");
    }
    run(&["lits"], "", &[]).refused(2, "'list'");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_one_that_is_there() {
    let db = Db::new();
    run(&["list"], "", &[]).refused(2, "STEPS_DB");
    db.steps(&["list"]).refused(3, "steps.db");
    assert!(!fs::exists(db.path("steps.db")).unwrap(), "nothing is made");
    run(&["list", "--db", "redis:x"], "", &[]).refused(2, "known are `sqlite:FILE`");
    run(&["list", "--db", "sqlite:x?mode=big"], "", &[]).refused(2, "the settings are");

    fs::write(db.path("steps.db"), "").unwrap();
    db.steps(&["list"]).refused(3, "the file is empty");
    assert_eq!(fs::read(db.path("steps.db")).unwrap(), b"");
    fs::write(
        db.path("steps.db"),
        "a text that is no database at all, and long enough",
    )
    .unwrap();
    db.steps(&["list"]).refused(1, "steps.db");
    fs::remove_file(db.path("steps.db")).unwrap();

    db.serve()
        .await
        .shutdown(std::time::Duration::ZERO)
        .await
        .unwrap();
    db.steps(&["list"]).well();
    let url = db.url();
    run(&["list"], "", &[("STEPS_DB", &url)]).well();
}

/// Sets the version of the tables in the file's header.
fn set_version(path: &str, change: i64) {
    let conn = rusqlite::Connection::open(path).unwrap();
    let is: i64 = conn
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    conn.pragma_update(None, "user_version", is + change)
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_version_is_left_as_it_is() {
    let db = Db::new();
    db.serve()
        .await
        .shutdown(std::time::Duration::ZERO)
        .await
        .unwrap();
    set_version(&db.path("steps.db"), 1);
    db.steps(&["list"])
        .refused(1, "A newer version of it has used the file");
    set_version(&db.path("steps.db"), -2);
    db.steps(&["list"])
        .refused(4, "--upgrade brings them up to date");
    set_version(&db.path("steps.db"), 1);
    db.steps(&["list"]).well();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_seen_enough_is_no_failure() {
    let db = Db::with_all().await;
    let mut child = Command::new(env!("CARGO_BIN_EXE_steps"))
        .args(["--db", &db.url(), "list", "--all", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::with_capacity(1, child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.starts_with('{'), "{line}");
    let done = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(done.stderr).unwrap(), "");
    assert!(done.status.success());
}

#[test]
fn shells_and_man_know_the_commands() {
    let db = Db::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completions", shell], "", &[]).well().out;
        assert!(script.contains("mark-undone"), "{shell}");
    }
    run(&["completions", "tcsh"], "", &[]).refused(2, "possible values: bash");
    let page = run(&["man"], "", &[]).well().out;
    assert!(
        page.contains(".TH steps 1") && page.contains("Exit codes"),
        "{page}"
    );
    let folder = db.path("man");
    run(&["man", &folder], "", &[]).well();
    let page = fs::read_to_string(db.path("man/steps-signal.1")).unwrap();
    assert!(
        page.contains("steps\\-signal") && page.contains("standard input"),
        "{page}"
    );
    fs::write(db.path("file"), "").unwrap();
    run(&["man", &db.path("file")], "", &[]).refused(1, "file");
}
