use steps::prelude::*;

#[step]
async fn make(_n: u32, name: &str) -> Result<usize, String> {
    Ok(name.len())
}

#[undo(make)]
async fn unmake(_n: u32, _name: &str) {}

#[flow]
async fn work(n: u32) -> Result<usize, String> {
    steps! {
        first = make(n, "one");
    }
    Ok(first)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.first;
}
