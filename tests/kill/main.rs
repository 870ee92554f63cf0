//! Crash tests by crashing: processes that run flows on one SQLite file are killed, stopped, and
//! have their power cut, at hundreds of moments; then everything that happened to the world is
//! compared with what had to happen.
//!
//! `cargo test --test kill` runs all of it at the size for every day, about a minute. Of a filter,
//! `cargo test --test kill one_process` for instance, only those with that in their name run.
//! `STEPS_KILLS=5000` sets how many kills there are (200), `STEPS_SEED=…` repeats a run's moments,
//! as far as the machine does. What failed leaves its folder behind, and says where it is.

#[cfg(unix)]
mod acknowledged;
#[cfg(unix)]
mod blocked;
#[cfg(unix)]
mod checked;
#[cfg(unix)]
mod checks;
#[cfg(unix)]
mod child;
#[cfg(unix)]
mod disk;
#[cfg(unix)]
mod families;
#[cfg(unix)]
mod faults;
#[cfg(unix)]
mod finish;
#[cfg(unix)]
mod flows;
#[cfg(unix)]
mod full;
#[cfg(unix)]
mod history;
#[cfg(unix)]
mod jobs;
#[cfg(unix)]
mod killed;
#[cfg(unix)]
mod log;
#[cfg(unix)]
mod opening;
#[cfg(unix)]
mod operator;
#[cfg(unix)]
mod places;
#[cfg(unix)]
mod plan;
#[cfg(unix)]
mod power_cut;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod random;
#[cfg(unix)]
mod scenario;
#[cfg(unix)]
mod starter;
#[cfg(unix)]
mod steps;
#[cfg(unix)]
mod stored;
#[cfg(unix)]
mod target;
#[cfg(unix)]
mod trace;
#[cfg(unix)]
mod watched;
#[cfg(unix)]
mod world;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((first, rest)) if first == process::CHILD => {
            child::run(&child::Orders::from_args(rest).expect("a child's orders"));
            std::process::ExitCode::SUCCESS
        }
        _ => scenario::run(&args, SCENARIOS),
    }
}

#[cfg(unix)]
const SCENARIOS: &[scenario::Scenario] = &[
    ("one_process_killed", killed::one),
    ("two_processes_killed", killed::two),
    ("three_processes_killed", killed::three),
    ("stopped_in_a_commit", blocked::stopped),
    ("power_is_cut", power_cut::full),
    ("power_is_cut_without_syncs", power_cut::normal),
    ("killed_while_opening", opening::killed),
    ("full", full::full),
];

#[cfg(not(unix))]
fn main() {
    println!("no signals here: nothing is tested");
}
