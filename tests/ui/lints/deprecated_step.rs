// mistakes: 2
#![deny(deprecated)]
use steps::prelude::*;

#[deprecated(note = "use `copy2`")]
#[step]
async fn copy(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[undo(copy)]
async fn uncopy(_n: u32, _given: &u32) {}

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        a = copy(n);
    }
    Ok(a)
}

fn main() {
    drop(work(1));
}
