//! `kill -9` of the process whose steps work in transactions of the store's database, again and again: what they have
//! changed is there once.

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod parent;
#[cfg(unix)]
#[path = "../transactions/postgres.rs"]
#[allow(dead_code, reason = "the other tests of transactions use it all")]
mod postgres;
#[cfg(unix)]
#[path = "../transactions/sqlite.rs"]
#[allow(dead_code, reason = "the other tests of transactions use it all")]
mod sqlite;
#[cfg(unix)]
#[path = "../common/stores.rs"]
#[allow(
    dead_code,
    unused_macros,
    unused_imports,
    reason = "other tests run on memory, too"
)]
mod stores;
#[cfg(unix)]
#[path = "../transactions/world.rs"]
#[allow(dead_code, reason = "the other tests of transactions use it all")]
mod world;

/// Runs the tests; in a child, its part.
#[cfg(unix)]
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args[..] {
        [first, url, schema, log] if first == child::CHILD => {
            child::run(url, schema, std::path::Path::new(log));
        }
        _ => parent::run(),
    }
}

#[cfg(not(unix))]
fn main() {
    println!("no signals here: nothing is tested");
}
