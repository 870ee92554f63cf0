use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<String, String> {
    Ok(n.to_string())
}

#[flow]
async fn work(#[alias = "m"] n: u32, m: u32) -> Result<String, String> {
    steps! {
        first = make(n + m);
    }
    Ok(first)
}

fn main() {
    drop(work(1, 2));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
