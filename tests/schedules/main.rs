//! `kill -9` where a tick is made: before it is written, and after, before the process hears of it. Processes
//! on one file, by the real clock. The same in one process and by a test's clock: `tests/engine/schedules.rs`.

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod parent;

/// Runs the test; in a child, its part.
#[cfg(unix)]
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args[..] {
        [first, role, folder] if first == child::CHILD => {
            child::run(role, std::path::Path::new(folder));
        }
        _ => parent::run(),
    }
}

#[cfg(not(unix))]
fn main() {
    println!("no signals here: nothing is tested");
}
