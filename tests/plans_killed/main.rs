//! `kill -9` of a process in the middle of a plan, on its way forward and on its way back. Another process goes on with
//! it, and has nothing but the program and the file.

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod parent;

/// Runs the test; in a child, its part.
#[cfg(unix)]
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args[..] {
        [first, dies_at, folder] if first == child::CHILD => {
            child::run(dies_at, std::path::Path::new(folder));
        }
        _ => parent::run(),
    }
}

#[cfg(not(unix))]
fn main() {
    println!("no signals here: nothing is tested");
}
