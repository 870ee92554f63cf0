// mistakes: 3
use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<String, String> {
    Ok(n.to_string())
}

#[flow]
async fn work(n: u32) -> Result<String, String> {
    steps! {
        first = make(n);
        second = steps::sleep("5 parsecs");
        third = steps::sleep("soon");
        fourth = steps::sleep(n);
    }
    Ok(first)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
