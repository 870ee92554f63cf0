use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow]
async fn work(name: &str, n: u32) -> Result<u32, String> {
    steps! {
        first = make(n);
    }
    Ok(first)
}

#[on_stopped(work)]
async fn tell(_name: &str, _n: &String) {}

fn main() {
    drop(work("one", 1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
