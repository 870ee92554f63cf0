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

#[step(timeout = "1x", poll(times = 3))]
async fn wrong(n: u32) -> Result<Option<u32>, String> {
    Ok(Some(n))
}

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        first = make(n);
        second = wrong(n);
        third = join(&first, &first);
    }
    Ok(n)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
