use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<String, String> {
    Ok(n.to_string())
}

#[flow]
async fn work(n: u32) -> Result<String, String> {
    steps! {
        first = make(n);
    }
    Ok(first)
}

#[on_done(work)]
async fn told(_n: u32) {}

fn main() {
    drop(work(1));
}
