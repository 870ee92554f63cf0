use steps::prelude::*;

#[step]
async fn make(name: &str) -> Result<usize, String> {
    Ok(name.len())
}

#[undo(make)]
async fn unmake(_name: &str) {}

#[flow]
async fn work(name: &str) -> Result<usize, String> {
    steps! {
        first = make(name);
    }
    Ok(first)
}

fn main() {
    drop(work("one"));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
