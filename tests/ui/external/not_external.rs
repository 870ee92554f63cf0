// mistakes: 2
use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[stop(make)]
async fn stop_making(_n: u32) {}

#[on_check_in(make)]
async fn told(_n: u32, _percent: &u8) {}

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! { made = make(n); }
    Ok(made)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
}
