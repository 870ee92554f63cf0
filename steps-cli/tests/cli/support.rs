//! A store with executions in every status, and the program run on it.

use std::{
    io::Write,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use steps::{engine::Builder, log::LogLevel, prelude::*};
use tempfile::TempDir;

#[step]
async fn charge(cents: u32) -> Result<u32, String> {
    Ok(cents)
}

#[undo(charge)]
async fn refund(_cents: u32, _charged: &u32) -> Result<(), String> {
    Ok(())
}

/// Waits for an approval.
#[flow]
pub(crate) async fn order(cents: u32) -> Result<u32, String> {
    steps! {
        charged  = charge(cents);
        approval = steps::signal::<bool>();
    }
    if approval {
        Ok(charged)
    } else {
        Err("not approved".to_owned())
    }
}

#[step]
async fn pack(what: &str) -> Result<String, String> {
    Ok(format!("packed {what}"))
}

#[step]
async fn ship(cx: &Cx, what: &str) -> Result<(), String> {
    cx.set_status_message(format!("ships {what}"));
    cx.log(format_args!("weighs the {what}"));
    cx.log_at(LogLevel::Warn, "the van is late");
    if what == "anvil" {
        return Err("too heavy,\nby far".to_owned());
    }
    Ok(())
}

/// Is held where it fails.
#[flow(on_failure = "hold")]
pub(crate) async fn parcel(what: String) -> Result<String, String> {
    steps! {
        packed = pack(&what);
        ship(cx, &what);
    }
    Ok(packed)
}

#[step]
async fn dig() -> Result<(), String> {
    Ok(())
}

#[undo(dig)]
async fn fill(_dug: &()) -> Result<(), String> {
    Err("no earth".to_owned())
}

#[step]
async fn plant() -> Result<(), String> {
    Err("no tree".to_owned())
}

/// Fails, and can't be undone.
#[flow]
pub(crate) async fn garden() -> Result<(), String> {
    steps! {
        hole = dig();
        plant();
    }
    Ok(())
}

/// A store in a file.
pub(crate) struct Db {
    folder: TempDir,
}

/// What the program has said.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The lines of its output as JSON.
    pub(crate) fn json(&self) -> Vec<Value> {
        let lines = self.out.lines();
        lines
            .map(|line| serde_json::from_str(line).expect(line))
            .collect()
    }

    /// Its output as one JSON value.
    pub(crate) fn one(&self) -> Value {
        let mut all = self.json();
        assert_eq!(all.len(), 1, "{}{}", self.out, self.err);
        all.remove(0)
    }

    /// Checks that it was done.
    pub(crate) fn well(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }

    /// Checks that it ended with this code and told this.
    pub(crate) fn refused(self, code: i32, told: &str) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        let all = format!("{}{}", self.out, self.err);
        assert!(all.contains(told), "{told:?} is not in {all}");
        self
    }
}

impl Db {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.path("steps.db"))
    }

    /// An engine that serves the flows.
    pub(crate) async fn serve(&self) -> Engine {
        let engine: Builder = Engine::open(&self.url()).await.unwrap();
        engine
            .serve(order::with())
            .serve(parcel::with())
            .serve(garden::with())
            .poll(Duration::from_millis(10))
            .start()
            .await
            .unwrap()
    }

    /// An execution in each status, made by an engine that is gone.
    pub(crate) async fn with_all() -> Self {
        let db = Self::new();
        let engine = db.serve().await;
        let far = "2100-01-01T00:00:00Z".parse().unwrap();
        let wait = Duration::from_secs(20);
        engine
            .start(parcel::input("book".into()))
            .id("sent")
            .label("zone", "eu")
            .await
            .unwrap()
            .outcome()
            .await
            .unwrap();
        let held = engine.start(parcel::input("anvil".into())).id("held");
        let held = held
            .attrs(serde_json::json!({"big": 9_007_199_254_740_993_u64}))
            .await
            .unwrap();
        assert_eq!(held.ended().await.unwrap().status, Status::Failed);
        let stuck = engine.start(garden::input()).id("stuck").await.unwrap();
        assert_eq!(stuck.ended().await.unwrap().status, Status::Stuck);
        let stopped = engine.start(order::input(3)).id("stopped").await.unwrap();
        stopped.stop_and_wait(wait).await.unwrap();
        let undone = engine.start(order::input(4)).id("undone").await.unwrap();
        undone.undo().await.unwrap();
        assert_eq!(undone.ended().await.unwrap().status, Status::Undone);
        engine
            .start(order::input(5))
            .id("later")
            .at(far)
            .await
            .unwrap();
        let waiting = engine.start(order::input(6)).id("waiting").await.unwrap();
        while waiting.status().await.unwrap() != Status::Waiting {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        engine.shutdown(wait).await.unwrap();
        db
    }

    /// Runs the program on the store.
    pub(crate) fn steps(&self, args: &[&str]) -> Ran {
        run(&[&["--db", &self.url()], args].concat(), "", &[])
    }

    /// The status of an execution, as the program tells it.
    pub(crate) fn status(&self, id: &str) -> String {
        let shown = self.steps(&["show", id, "--json"]).well().one();
        shown["execution"]["status"].as_str().unwrap().to_owned()
    }
}

/// Runs the program with this input and environment.
pub(crate) fn run(args: &[&str], input: &str, env: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_steps"));
    let names = [
        "STEPS_DB",
        "STEPS_BY",
        "STEPS_KEY_FILE",
        "STEPS_KEY_CONTEXT",
        "STEPS_ENCRYPTED",
        "STEPS_COMPRESSED",
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
    ];
    for name in names {
        command.env_remove(name);
    }
    let mut child = command
        .args(args)
        .env("USER", "ann")
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may not read it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let done = child.wait_with_output().unwrap();
    Ran {
        code: done.status.code().unwrap_or(-1),
        out: String::from_utf8(done.stdout).unwrap(),
        err: String::from_utf8(done.stderr).unwrap(),
    }
}
