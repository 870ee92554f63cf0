//! `kill -9` of the only process that has a function for changes: before it has told one that is committed,
//! and after, before that is settled. Another process tells it. Processes on one file, by the real clock.

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
