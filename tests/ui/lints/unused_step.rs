// mistakes: 2
#![deny(dead_code)]
use steps::prelude::*;

#[step]
async fn never_used(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[undo(never_used)]
async fn never_undone(_n: u32, _given: &u32) {}

// These are used, or are said to be unused on purpose.
#[step]
async fn used(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[undo(used)]
async fn unused(_n: u32, _given: &u32) {}

#[allow(dead_code)]
#[step]
async fn quiet(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[undo(quiet)]
async fn unquiet(_n: u32, _given: &u32) {}

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        group = {
            inner = used(n);
        }
    }
    Ok(group.inner)
}

#[on_done(work)]
async fn told(_n: &u32, _given: &u32) {}

fn main() {
    drop(work(1));
}
