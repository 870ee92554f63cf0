use steps::prelude::*;

#[step]
async fn make(n: u32, name: &str) -> Result<String, String> {
    Ok(format!("{name}{n}"))
}

#[step]
async fn other(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[undo(other)]
async fn undo_other(_n: u32, _given: &u32) {}

#[on_stopped(work)]
fn tell(_n: &u32, _stopped: &Failure) {}

#[flow]
async fn work(n: u32) -> Result<String, String> {
    steps! {
        first = make(n, "one");
        second = other(n);
    }
    Ok(first)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
