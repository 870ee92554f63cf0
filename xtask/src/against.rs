//! `cargo xtask bench against REV`: what a durable step costs now and at another revision, built
//! beside each other and run in turns.
//!
//! Both sides are the `durable` benchmark, run as its own child process that makes so many executions
//! of ten steps and ends. Each figure is a difference of two such processes, one with few executions
//! and one with many, so opening and closing are not in it. Rates depend on what else the machine does;
//! instructions, counted by valgrind, hardly do.
#![expect(clippy::cast_precision_loss, reason = "counts that a float holds")]

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use crate::{Result, cargo, table::Table};

pub(crate) const HELP: &str = "\
cargo xtask bench against REV [--turns N] [--instructions]

Builds the benchmark of the revision REV in a worktree below target/against, and compares it with
this one: steps a second and instructions a step, one execution at a time and 64 at a time.

  --turns N        how often each side runs, in turns (default 7)
  --instructions   only the instructions, which a busy machine does not change
";

/// The number of steps of one execution.
const STEPS: u64 = 10;

/// How many executions at a time, and how many executions the short and the long process of each
/// measurement run.
struct Load {
    at_once: u64,
    timed: [u64; 2],
    counted: [u64; 2],
}

const LOADS: [Load; 2] = [
    Load {
        at_once: 64,
        timed: [640, 6400],
        counted: [128, 640],
    },
    Load {
        at_once: 1,
        timed: [20, 420],
        counted: [20, 120],
    },
];

/// A built benchmark.
struct Side {
    name: String,
    program: PathBuf,
}

pub(crate) fn run(args: &[String]) -> Result {
    let Options {
        rev,
        turns,
        only_instructions,
    } = options(args)?;
    let beside = Side::of_revision(&rev)?;
    let ours = Side::build("this".to_owned(), &cargo::root(), "target")?;
    let folder = cargo::root().join("target/against/files");
    fs::create_dir_all(&folder)?;

    let mut table = Table::new(["what", &beside.name, "this", "ratio", "best"]);
    for load in &LOADS {
        let at_once = load.at_once;
        if !only_instructions {
            let turns = (0..turns).map(|_| {
                let theirs = beside.rate(load, &folder)?;
                Ok([theirs, ours.rate(load, &folder)?])
            });
            let turns: Vec<[f64; 2]> = turns.collect::<Result<_>>()?;
            let side = |n: usize| turns.iter().map(|turn| turn[n]).collect::<Vec<f64>>();
            let ratios = turns.iter().map(|[theirs, ours]| ours / theirs).collect();
            let best = |n: usize| side(n).into_iter().fold(0.0, f64::max);
            table.row([
                format!("steps a second, {at_once} at a time"),
                format!("{:.0}", median(side(0))),
                format!("{:.0}", median(side(1))),
                format!("{:.2}", median(ratios)),
                format!("{:.2}", best(1) / best(0)),
            ]);
        }
        let counted = [&beside, &ours].map(|side| side.instructions(load, &folder));
        let shown = counted.each_ref().map(|count| match count {
            Ok(count) => format!("{count:.0}"),
            Err(_) => "-".to_owned(),
        });
        let ratio = match &counted {
            [Ok(theirs), Ok(ours)] => format!("{:.2}", ours / theirs),
            _ => String::new(),
        };
        for error in counted.iter().filter_map(|count| count.as_ref().err()) {
            eprintln!("no instructions, {at_once} at a time: {error}");
        }
        let [theirs, ours] = shown;
        let what = format!("instructions a step, {at_once} at a time");
        table.row([what, theirs, ours, ratio, String::new()]);
    }
    fs::remove_dir_all(&folder)?;
    print!("\n{table}");
    Ok(())
}

struct Options {
    rev: String,
    turns: u64,
    only_instructions: bool,
}

fn options(args: &[String]) -> Result<Options> {
    let mut options = Options {
        rev: String::new(),
        turns: 7,
        only_instructions: false,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--instructions" => options.only_instructions = true,
            "--turns" => {
                let turns = args.next().and_then(|turns| turns.parse().ok());
                options.turns = turns
                    .filter(|turns| *turns > 0)
                    .ok_or("`--turns` takes a number")?;
            }
            word if word.starts_with('-') => {
                return Err(format!("no option `{word}`\n\n{HELP}").into());
            }
            rev if options.rev.is_empty() => rev.clone_into(&mut options.rev),
            more => return Err(format!("one revision only, and not `{more}`\n\n{HELP}").into()),
        }
    }
    if options.rev.is_empty() {
        return Err(format!("which revision?\n\n{HELP}").into());
    }
    Ok(options)
}

impl Side {
    /// Builds a revision in a worktree of its own, which stays for the next time.
    fn of_revision(rev: &str) -> Result<Self> {
        let commit = format!("{rev}^{{commit}}");
        let mut parse = cargo::command("git");
        parse.args(["rev-parse", "--short", "--verify", &commit]);
        let commit = String::from_utf8(cargo::output(&mut parse)?)?;
        let commit = commit.trim();
        let folder = cargo::root().join("target/against").join(commit);
        if !folder.exists() {
            let mut add = cargo::command("git");
            add.args(["worktree", "add", "--quiet", "--force", "--detach"]);
            cargo::run(add.arg(&folder).arg(commit))?;
        }
        Self::build(commit.to_owned(), &folder, "target/against/build")
    }

    /// Builds the benchmark of a workspace. Each has a target folder of its own: cargo takes the crates
    /// of two worktrees for the same ones.
    fn build(name: String, workspace: &Path, target: &str) -> Result<Self> {
        eprintln!("building {name} in {}", workspace.display());
        // Alone: with the rest of the workspace it would have features of `steps` that only tests ask for. Once it was no
        // package of its own.
        let which: &[&str] = if workspace.join("benches/Cargo.toml").exists() {
            &["--package", "steps-benches"]
        } else {
            &["--workspace", "--all-features"]
        };
        let mut build = Command::new("cargo");
        build
            .current_dir(workspace)
            .args(["bench", "--locked"])
            .args(which)
            .args(["--bench", "durable", "--no-run", "--message-format=json"])
            .arg("--target-dir")
            .arg(cargo::root().join(target));
        let messages = String::from_utf8(cargo::output(&mut build)?)?;
        let program = messages
            .lines()
            .filter_map(|line| line.split_once(r#""executable":""#)?.1.split('"').next())
            .next_back()
            .ok_or("cargo has not named the benchmark that it built")?;
        Ok(Self {
            name,
            program: program.into(),
        })
    }

    /// Returns the arguments of one process, on a new file.
    fn child(load: &Load, executions: u64, file: &Path) -> [OsString; 5] {
        for end in ["", "-wal", "-shm"] {
            let mut old = file.to_path_buf().into_os_string();
            old.push(end);
            // Most often there is none.
            let _ = fs::remove_file(old);
        }
        let [at_once, executions] = [load.at_once, executions].map(|count| count.to_string());
        let file = file.into();
        [
            "--child".into(),
            "syncs".into(),
            file,
            at_once.into(),
            executions.into(),
        ]
    }

    /// Returns the steps a second.
    fn rate(&self, load: &Load, folder: &Path) -> Result<f64> {
        let file = folder.join("rate.db");
        let time = |executions| -> Result<Duration> {
            let mut child = Command::new(&self.program);
            child.args(Self::child(load, executions, &file));
            let begun = Instant::now();
            cargo::run(&mut child)?;
            Ok(begun.elapsed())
        };
        let [few, many] = load.timed;
        let took = time(many)?.saturating_sub(time(few)?);
        Ok(((many - few) * STEPS) as f64 / took.as_secs_f64())
    }

    /// Returns the instructions a step, in user space.
    fn instructions(&self, load: &Load, folder: &Path) -> Result<f64> {
        let file = folder.join("counted.db");
        let count = |executions| -> Result<u64> {
            let out = folder.join("callgrind.out");
            let mut valgrind = Command::new("valgrind");
            valgrind
                .arg("--tool=callgrind")
                .arg(format!("--callgrind-out-file={}", out.display()))
                .arg(&self.program)
                .args(Self::child(load, executions, &file));
            let output = valgrind.output().map_err(|error| {
                format!("valgrind can't be started ({error}): `apt install valgrind`")
            })?;
            let said = String::from_utf8_lossy(&output.stderr);
            if !output.status.success() {
                return Err(format!("{} under valgrind: {said}", self.name).into());
            }
            let total = said
                .lines()
                .find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
            total.ok_or_else(|| format!("valgrind has not told the number: {said}").into())
        };
        let [few, many] = load.counted;
        let counted = count(many)?.saturating_sub(count(few)?);
        Ok(counted as f64 / ((many - few) * STEPS) as f64)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Options> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        options(&args)
    }

    #[test]
    fn a_revision_is_named_once() {
        let found = parsed(&["--turns", "3", "v0.1.0", "--instructions"]).unwrap();
        assert_eq!((found.rev.as_str(), found.turns), ("v0.1.0", 3));
        assert!(found.only_instructions);
        for wrong in [
            &[][..],
            &["a", "b"],
            &["a", "--turns", "0"],
            &["a", "--quick"],
        ] {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_middle_of_some_values() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    }
}
