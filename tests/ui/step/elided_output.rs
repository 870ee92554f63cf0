// mistakes: 3
use steps::prelude::*;

#[step]
async fn pair(_n: u32) -> Result<(&str, u32), String> {
    Ok(("one", 1))
}

#[step]
async fn maybe(_n: u32) -> Result<Option<&str>, String> {
    Ok(None)
}

#[step]
async fn either(a: &str, _b: &str) -> Result<[&str; 1], String> {
    Ok([a])
}

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        first = pair(n);
        second = maybe(n);
        third = either("a", "b");
    }
    Ok(n)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
