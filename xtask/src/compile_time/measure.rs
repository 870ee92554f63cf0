//! One size of flow: the time to check it, and the size of its expanded and compiled code.

use std::{
    fs::{self, File},
    time::{Duration, Instant, SystemTime},
};

use super::{
    source::{Project, with_flow, without_flow},
    wrapper,
};
use crate::{Result, cargo};

/// How often each check runs; the fastest run counts.
const RUNS: usize = 5;

pub(super) struct Cost {
    pub(super) steps: usize,
    pub(super) with: Duration,
    pub(super) without: Duration,
    pub(super) expanded_lines: f64,
    pub(super) llvm_lines: f64,
}

impl Cost {
    pub(super) fn check_seconds(&self) -> f64 {
        self.with.as_secs_f64() - self.without.as_secs_f64()
    }

    #[expect(clippy::cast_precision_loss, reason = "a few hundred steps")]
    pub(super) fn per_step(&self, whole: f64) -> f64 {
        whole / self.steps as f64
    }
}

pub(super) fn cost(project: &Project, steps: usize) -> Result<Cost> {
    let (with, without) = (with_flow(steps), without_flow(steps));
    let mut fastest = [Duration::MAX; 2];
    // One additional round: the first one also builds the dependencies.
    for round in 0..=RUNS {
        for (fastest, package) in fastest.iter_mut().zip([&with, &without]) {
            let took = check(project, package)?;
            if round > 0 {
                *fastest = took.min(*fastest);
            }
        }
    }
    Ok(Cost {
        steps,
        with: fastest[0],
        without: fastest[1],
        expanded_lines: expanded_lines(project, &with)? - expanded_lines(project, &without)?,
        llvm_lines: llvm_lines(project, &with)? - llvm_lines(project, &without)?,
    })
}

fn check(project: &Project, package: &str) -> Result<Duration> {
    File::options()
        .append(true)
        .open(project.source(package))?
        .set_modified(SystemTime::now())?;
    let start = Instant::now();
    cargo::run(&mut project.cargo("check", package))?;
    Ok(start.elapsed())
}

fn expanded_lines(project: &Project, package: &str) -> Result<f64> {
    let mut rustc = project.cargo("rustc", package);
    rustc.args(["--", "-Zunpretty=expanded"]);
    wrapper::unstable(&mut rustc)?;
    Ok(lines(&cargo::output(&mut rustc)?))
}

/// Counts lines of unoptimized code, in one unit and without debug information, whose lines are not
/// code.
fn llvm_lines(project: &Project, package: &str) -> Result<f64> {
    let file = project.folder.join(package).join("out.ll");
    let mut rustc = project.cargo("rustc", package);
    rustc
        .args(["--", "-Copt-level=0", "-Ccodegen-units=1", "-Cdebuginfo=0"])
        .arg(format!("--emit=llvm-ir={}", file.display()));
    cargo::run(&mut rustc)?;
    Ok(lines(&fs::read(file)?))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::naive_bytecount,
    reason = "counts far below 2^52, of a few megabytes"
)]
fn lines(text: &[u8]) -> f64 {
    text.iter().filter(|&&byte| byte == b'\n').count() as f64
}
