use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<String, String> {
    Ok(n.to_string())
}

#[undo(make)]
async fn unmake(_n: u32) {}

#[flow]
async fn work(n: u32) -> Result<String, String> {
    steps! {
        first = make(n);
    }
    Ok(first)
}

fn main() {
    drop(work(1));
}
