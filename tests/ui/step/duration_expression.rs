// mistakes: 2
use steps::prelude::*;

const LIMIT: u32 = 5;

fn limit() -> std::time::Duration {
    std::time::Duration::from_secs(5)
}

#[step(timeout = LIMIT)]
async fn make(n: u32) -> Result<String, String> {
    Ok(n.to_string())
}

#[step(retry(times = 1, every = limit()))]
async fn join(a: &str, b: &str) -> Result<String, String> {
    Ok(format!("{a}{b}"))
}

#[flow]
async fn work(n: u32) -> Result<String, String> {
    steps! {
        first = make(n);
        last = join(&first, &first);
    }
    Ok(last)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
