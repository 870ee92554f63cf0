//! The state of a run in a file: `kill -9` of the process that runs it, again and again, and processes that change
//! one file at once, of which some are killed.

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod parent;

/// Runs the tests; in a child, its part.
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
