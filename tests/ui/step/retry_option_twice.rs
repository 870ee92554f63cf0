// mistakes: 2
use steps::prelude::*;

#[step(retry(times = 1, times = 2))]
async fn make(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[step(poll(every = "1s", times = 1, every = "2s"))]
async fn ask(n: u32) -> Result<Option<u32>, String> {
    Ok(Some(n))
}

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        make(n);
        ask(make);
    }
    Ok(ask)
}

fn main() {
    drop(work(1));
}
