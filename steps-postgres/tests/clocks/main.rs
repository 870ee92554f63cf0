//! Machines whose clocks are wrong by an hour, on a server whose clock is right: what they do happens when the server's
//! clock says so, neither an hour early nor an hour late, and nobody loses a lease that is good.
//!
//! `libfaketime` sets the clock of a process. What happens while a clock is being set: `tests/clock_set`.

#[cfg(target_os = "linux")]
mod child;
#[cfg(target_os = "linux")]
#[path = "../common/mod.rs"]
mod common;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod scenarios;

/// Runs all scenarios, or those with one of the arguments in their names; in a child, its part.
#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [first, url, folder] = &args[..]
        && first == child::CHILD
    {
        child::run(url, folder.as_ref());
        return std::process::ExitCode::SUCCESS;
    }
    scenarios::run(&args)
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("no libfaketime here: nothing is tested");
}
