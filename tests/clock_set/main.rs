//! The wall clock is set back, or forward, by an hour while processes wait, hold leases and die: as
//! NTP does after a boot, or an administrator. `libfaketime` sets it for these processes alone.
//!
//! The same in one process and by a test's clock: `tests/engine/clock_set.rs`. What a store has to
//! keep of it: `steps_core::testing::store`. Clocks that are wrong, on one server: `steps-postgres/tests/clocks`.

#[cfg(target_os = "linux")]
mod child;
#[cfg(target_os = "linux")]
mod flows;
#[cfg(target_os = "linux")]
mod scenarios;

/// Runs all scenarios, or those with one of the arguments in their names; in a child, its part.
#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [first, role, folder] = &args[..]
        && first == child::CHILD
    {
        child::run(role, std::path::Path::new(folder));
        return std::process::ExitCode::SUCCESS;
    }
    scenarios::run(&args)
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("no libfaketime here: nothing is tested");
}
