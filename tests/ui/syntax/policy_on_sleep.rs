// mistakes: 2
use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<String, String> {
    Ok(n.to_string())
}

#[undo(make)]
async fn unmake(_n: u32, _made: &String) {}

#[step]
async fn join(a: &str, b: &str) -> Result<String, String> {
    Ok(format!("{a}{b}"))
}

use steps::sleep;

#[flow]
async fn work(n: u32) -> Result<String, String> {
    steps! {
        first = make(n);
        #[step(retry(times = 2), timeout = "1s")]
        second = sleep(std::time::Duration::from_secs(1));
        last = join(&first, &first);
    }
    Ok(last)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
