//! `cargo xtask compile-time`: the compile time of a flow, and the time that a dependency on
//! `steps` adds to a clean build.
//!
//! A flow's cost is the difference between a file with the flow and the same file without it, so it
//! excludes the step functions and the start of cargo and rustc. It must grow in proportion to the
//! number of steps; the other figures are only informative.

mod clean;
mod measure;
mod source;
mod wrapper;

pub(crate) use wrapper::as_rustc_wrapper;

use crate::{Result, table::Table};
use measure::{Cost, cost};
use source::Project;

/// Numbers of steps; the last two are compared.
const SIZES: [usize; 3] = [50, 200, 800];

/// 800 steps may take this many times as long as 200: 4 is proportional, and 1 is for noise.
const MOST: f64 = 5.0;

pub(crate) fn run() -> Result {
    let project = Project::generate(&SIZES)?;
    let mut costs = Vec::new();
    for steps in SIZES {
        eprintln!("measuring {steps} steps");
        costs.push(cost(&project, steps)?);
    }
    println!(
        "A flow, less the same file without `#[flow]`:\n\n{}",
        report(&costs)
    );
    clean::report(&project)?;
    in_proportion(&costs)
}

fn report(costs: &[Cost]) -> Table {
    let mut table = Table::new([
        "steps",
        "with s",
        "without s",
        "flow s",
        "ms/step",
        "expanded lines/step",
        "LLVM lines/step",
    ]);
    for cost in costs {
        table.row([
            cost.steps.to_string(),
            format!("{:.2}", cost.with.as_secs_f64()),
            format!("{:.2}", cost.without.as_secs_f64()),
            format!("{:.2}", cost.check_seconds()),
            format!("{:.2}", cost.per_step(1000.0 * cost.check_seconds())),
            format!("{:.1}", cost.per_step(cost.expanded_lines)),
            format!("{:.1}", cost.per_step(cost.llvm_lines)),
        ]);
    }
    table
}

fn in_proportion(costs: &[Cost]) -> Result {
    let [.., less, more] = costs else {
        return Ok(());
    };
    let ratio = more.check_seconds() / less.check_seconds();
    let sizes = format!("{} steps cost {ratio:.2}x of {}", more.steps, less.steps);
    if (0.0..=MOST).contains(&ratio) {
        println!("{sizes}, at most {MOST}x: ok");
        Ok(())
    } else {
        Err(format!("{sizes}: more than {MOST}x, or too little to measure").into())
    }
}
