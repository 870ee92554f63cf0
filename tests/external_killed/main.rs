//! `kill -9` of the process that submits an external task: after the other side has it, and before that is committed.
//! Another process takes it up; one that has taken a report is killed, too. Processes on one file, by the real clock.

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
